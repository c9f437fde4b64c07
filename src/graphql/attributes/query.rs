//! Queries of attributes.

use super::loader::Defined;
use super::object::Attribute;
use crate::access::Action;
use crate::domain::attributes;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use async_graphql::{Context, ID, Object, Result};
use entity::ids::AttributeId;
use std::sync::Arc;

/// Queries of attributes.
#[derive(Debug, Default)]
pub struct AttributesQuery;

/// Queries of attributes.
#[Object]
impl AttributesQuery {
    /// The attributes that the shop defines for its customers, in the order of their names, 200 at most.
    async fn attributes(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "True for those that were put away; usually those in use.",
            default = false
        )]
        archived: bool,
    ) -> Result<Vec<Attribute>> {
        let all = attributes::all(ctx(context)?, archived)
            .await
            .reported(context)?;
        Ok(all.into_iter().map(Arc::new).map(Attribute).collect())
    }

    /// An attribute by its id; null when there is none.
    async fn attribute(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The attribute's global id.")] id: ID,
    ) -> Result<Option<Attribute>> {
        ctx(context)?
            .require(Action::AttributeRead)
            .reported(context)?;
        match AttributeId::parse(&id) {
            Some(id) => Ok(load_one(context, Defined(id)).await?.map(Attribute)),
            None => Ok(None),
        }
    }
}
