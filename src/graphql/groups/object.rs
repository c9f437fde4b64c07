//! Groups and their members, as the API shows them.

use super::input::GroupMembersFilter;
use super::list::{GroupMemberConnection, members_of};
use super::loader::MembersCount;
use crate::graphql::customers::Customer;
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff, Store};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, ID, Object, Result};
use entity::{customer_group, group_member};

/// A group that customers join and leave: a members' club.
#[derive(Clone, Debug)]
pub struct Group(pub customer_group::Model);

/// A group that customers join and leave: a members' club.
#[Object]
impl Group {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Who looks after it.
    async fn keeper(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.keeper_id {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// The store whose club it is; null where it is the whole company's.
    async fn store(&self, context: &Context<'_>) -> Result<Option<Store>> {
        match self.0.store_id {
            Some(id) => organization::store(context, id).await,
            None => Ok(None),
        }
    }

    /// Its members among the customers whom you may see, whoever joined last first.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Those who are in it, or those who have left it.",
            default_with = "GroupMembersFilter::Current"
        )]
        filter: GroupMembersFilter,
    ) -> Result<GroupMemberConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        members_of(context, self.0.id, filter.former(), &args).await
    }

    /// How many of the customers whom you may see are in it.
    async fn member_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = load_one(context, MembersCount(self.0.id)).await?;
        Ok(i32::try_from(count.unwrap_or(0)).unwrap_or(i32::MAX))
    }

    /// When it was put away; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(Into::into)
    }

    /// Grows by one with every change of the group, not with its members; send it back with yours.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// A customer's membership in a group, from the joining to the leaving. Who joins again has another one.
#[derive(Clone, Debug)]
pub struct GroupMember(pub group_member::Model);

/// A customer's membership in a group, from the joining to the leaving. Who joins again has another one.
#[Object]
impl GroupMember {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The group.
    async fn group(&self, context: &Context<'_>) -> Result<Option<Group>> {
        Ok(load_one(context, self.0.group_id).await?.map(Group))
    }

    /// The customer.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// When they joined.
    async fn joined_at(&self) -> DateTime {
        self.0.joined_at.into()
    }

    /// Who wrote the joining down; null when the program did.
    async fn joined_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.joined_by {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// When they left; null while they are in it.
    async fn left_at(&self) -> Option<DateTime> {
        self.0.left_at.map(Into::into)
    }

    /// Who wrote the leaving down; null while they are in it, and when the program did.
    async fn left_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.left_by {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }
}
