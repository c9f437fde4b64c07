//! Merges, pairs of customers who may be one, and exports, as the API shows them.

use crate::domain::identity::duplicates::{Pair, Reason};
use crate::domain::identity::merges;
use crate::graphql::customers::Customer;
use crate::graphql::ids::{self, GlobalKey};
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff};
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::customer_merge;
use entity::ids::StaffId;

/// A merge of two customers' files into one.
#[derive(Clone, Debug)]
pub struct CustomerMerge(pub customer_merge::Model);

async fn staff(context: &Context<'_>, id: Option<StaffId>) -> Result<Option<Staff>> {
    match id {
        Some(id) => organization::staff(context, id).await,
        None => Ok(None),
    }
}

/// A merge of two customers' files into one.
#[Object]
impl CustomerMerge {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The customer whose file went on.
    async fn kept(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.kept_id).await?.map(Customer))
    }

    /// The id of the customer whose file became a part of it: it leads to the kept customer while the merge stands.
    async fn merged_id(&self) -> ID {
        self.0.merged_id.global()
    }

    /// When it was done.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Who did it.
    async fn merged_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        staff(context, self.0.merged_by).await
    }

    /// Until when it can be undone; null when it was.
    async fn undoable_until(&self) -> Option<DateTime> {
        merges::undoable_until(&self.0).map(DateTime)
    }

    /// When it was undone; null while it stands.
    async fn undone_at(&self) -> Option<DateTime> {
        self.0.undone_at.map(DateTime)
    }

    /// Who undid it.
    async fn undone_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        staff(context, self.0.undone_by).await
    }
}

/// Two customers who may be one person with two files.
#[derive(Clone, Debug)]
pub struct DuplicatePair(pub Pair);

/// Two customers who may be one person with two files.
#[Object]
impl DuplicatePair {
    /// The global id; it leads here for as long as the two may be one.
    pub async fn id(&self) -> ID {
        ids::pair(self.0.first, self.0.second)
    }

    /// The one whose file was made first.
    async fn first(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.first).await?.map(Customer))
    }

    /// The other one.
    async fn second(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.second).await?.map(Customer))
    }

    /// What they have in common.
    async fn reasons(&self) -> &[Reason] {
        &self.0.reasons
    }
}

/// All that is kept about a customer, machine-readable.
#[derive(Clone, Debug, SimpleObject)]
pub struct CustomerDataExport {
    /// The name of the form: `regulars.customer`.
    pub format: String,
    /// Its version: grows when something is named otherwise or left out, not when something is added.
    pub version: i32,
    /// The data, a JSON object as text. Amounts are whole minor units of its `currency`, quantities thousandths.
    pub content: String,
}
