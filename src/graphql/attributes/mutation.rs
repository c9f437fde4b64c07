//! Mutations of attributes, and of what they say of customers.

use super::input::{
    AttributeArchiveInput, AttributeCreateInput, AttributeUpdateInput, CustomerAttributeClearInput,
    CustomerAttributeSetInput,
};
use super::object::{Attribute, CustomerAttribute};
use crate::access::Ctx;
use crate::domain::attributes::{self, Definition};
use crate::domain::customers;
use crate::domain::customers::attributes as known;
use crate::error::{Error, Result};
use crate::graphql::context::ctx;
use crate::graphql::customers::Customer;
use crate::graphql::ids::{GlobalKey, key};
use crate::graphql::payload::payload;
use async_graphql::{Context, ID, Object};
use entity::ids::{AttributeId, CustomerId};
use std::sync::Arc;

payload!(AttributeCreatePayload, attribute: Attribute, "What `attributeCreate` answers.", "The new attribute; null when nothing was written.");
payload!(versioned AttributeUpdatePayload, attribute: Attribute, "What `attributeUpdate` answers.", "The attribute as it is now, also after a stale version; null after other errors.");
payload!(versioned AttributeArchivePayload, attribute: Attribute, "What `attributeArchive` answers.", "The attribute as it is now, also after a stale version; null after other errors.");
payload!(versioned AttributeUnarchivePayload, attribute: Attribute, "What `attributeUnarchive` answers.", "The attribute as it is now, also after a stale version; null after other errors.");
payload!(CustomerAttributeSetPayload, attribute: CustomerAttribute, "What `customerAttributeSet` answers.", "What is known now; null when nothing was written.");
payload!(CustomerAttributeClearPayload, customer: Customer, "What `customerAttributeClear` answers.", "The customer without it; null when nothing was written.");

/// Mutations of attributes.
#[derive(Debug, Default)]
pub struct AttributesMutation;

/// Mutations of attributes.
#[Object]
impl AttributesMutation {
    /// Defines an attribute of customers.
    async fn attribute_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The attribute to be defined.")] input: AttributeCreateInput,
    ) -> async_graphql::Result<AttributeCreatePayload> {
        let made = attributes::create(ctx(context)?, &input.into()).await;
        AttributeCreatePayload::from_result(context, made.map(shown))
    }

    /// Changes an attribute. Its key and its kind are for good; what was noted stands when its bounds change.
    async fn attribute_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: AttributeUpdateInput,
    ) -> async_graphql::Result<AttributeUpdatePayload> {
        let (ctx, id) = (ctx(context)?, input.id.clone());
        let changed = attributes::change(ctx, key(&id), &input.into()).await;
        AttributeUpdatePayload::from_change(context, changed.map(shown), present(ctx, &id)).await
    }

    /// Puts an attribute away. What was noted stays and is shown; nothing more is set.
    async fn attribute_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which attribute.")] input: AttributeArchiveInput,
    ) -> async_graphql::Result<AttributeArchivePayload> {
        let ctx = ctx(context)?;
        let changed = attributes::archive(ctx, key(&input.id), input.version.into(), true).await;
        let present = present(ctx, &input.id);
        AttributeArchivePayload::from_change(context, changed.map(shown), present).await
    }

    /// Takes an attribute out again.
    async fn attribute_unarchive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which attribute.")] input: AttributeArchiveInput,
    ) -> async_graphql::Result<AttributeUnarchivePayload> {
        let ctx = ctx(context)?;
        let changed = attributes::archive(ctx, key(&input.id), input.version.into(), false).await;
        let present = present(ctx, &input.id);
        AttributeUnarchivePayload::from_change(context, changed.map(shown), present).await
    }

    /// Sets what an attribute says of a customer, or confirms it. What they stated, what staff noted and what is derived
    /// stand beside each other.
    async fn customer_attribute_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, which, what, and how it is known.")]
        input: CustomerAttributeSetInput,
    ) -> async_graphql::Result<CustomerAttributeSetPayload> {
        let made = known::set(ctx(context)?, &input.into()).await;
        CustomerAttributeSetPayload::from_result(context, made.map(CustomerAttribute))
    }

    /// Takes away what an attribute says of a customer, as far as it was known in one way.
    async fn customer_attribute_clear(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, which, and how it was known.")] input: CustomerAttributeClearInput,
    ) -> async_graphql::Result<CustomerAttributeClearPayload> {
        let ctx = ctx(context)?;
        let (customer, attribute) = (key(&input.customer_id), key(&input.attribute_id));
        let cleared = known::clear(ctx, customer, attribute, input.provenance.into()).await;
        CustomerAttributeClearPayload::from_result(context, left(ctx, cleared).await)
    }
}

fn shown(definition: Definition) -> Attribute {
    Attribute(Arc::new(definition))
}

/// The attribute as it is now.
async fn present(ctx: &Ctx, id: &ID) -> Result<Option<Attribute>> {
    let id = AttributeId::parse(id);
    let found = attributes::by_ids(ctx, id.as_slice()).await?.pop();
    Ok(found.map(shown))
}

/// Whoever it was taken from, as they are now.
async fn left(ctx: &Ctx, cleared: Result<CustomerId>) -> Result<Customer> {
    let found = customers::by_id(ctx, cleared?).await?;
    found
        .map(Customer)
        .ok_or_else(|| Error::internal("a customer was changed and cannot be read"))
}
