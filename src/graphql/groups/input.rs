//! What goes into the queries and mutations of groups.

use crate::db::Sort;
use crate::domain::groups::list::{GroupFilter, GroupOrder};
use crate::domain::groups::{GroupChange, NewGroup};
use crate::graphql::ids::key;
use crate::graphql::patch::{patch, patch_with};
use crate::graphql::sort::OrderDirection;
use async_graphql::{Enum, ID, InputObject, MaybeUndefined};

/// Which members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum GroupMembersFilter {
    /// Those who are in it.
    Current,
    /// Those who have left it.
    Former,
}

impl GroupMembersFilter {
    pub(super) fn former(self) -> bool {
        self == Self::Former
    }
}

/// A group to be made.
#[derive(Clone, Debug, InputObject)]
pub struct GroupCreateInput {
    /// The name, at most 200 characters; no other group of the store, or of the whole company, has it.
    name: String,
    /// What it is for, at most 1,000 characters.
    description: Option<String>,
    /// Who looks after it: somebody who sees customers.
    keeper_id: Option<ID>,
    /// The store whose club it is; absent where it is the whole company's. Whoever manages single stores names one.
    store_id: Option<ID>,
}

impl From<GroupCreateInput> for NewGroup {
    fn from(input: GroupCreateInput) -> Self {
        Self {
            name: input.name,
            description: input.description,
            keeper: input.keeper_id.as_ref().map(key),
            store: input.store_id.as_ref().map(key),
        }
    }
}

/// A change of a group; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct GroupUpdateInput {
    /// Which group.
    pub(super) id: ID,
    /// The version that the change is based on.
    version: i32,
    /// The name, at most 200 characters.
    name: Option<String>,
    /// What it is for, at most 1,000 characters; null clears it.
    description: MaybeUndefined<String>,
    /// Who looks after it; null for nobody.
    keeper_id: MaybeUndefined<ID>,
    /// The store whose club it is, null for the whole company's. Only for those who manage the groups of both.
    store_id: MaybeUndefined<ID>,
}

impl From<GroupUpdateInput> for GroupChange {
    fn from(input: GroupUpdateInput) -> Self {
        Self {
            version: input.version.into(),
            name: input.name,
            description: patch(input.description),
            keeper: patch_with(input.keeper_id, |id| key(&id)),
            store: patch_with(input.store_id, |id| key(&id)),
        }
    }
}

/// Which group is put away, or taken out again.
#[derive(Clone, Debug, InputObject)]
pub struct GroupArchiveInput {
    /// Which group.
    pub(super) id: ID,
    /// The version that the change is based on.
    pub(super) version: i32,
}

/// Who joins which group.
#[derive(Clone, Debug, InputObject)]
pub struct GroupJoinInput {
    /// The customer.
    pub(super) customer_id: ID,
    /// The group.
    pub(super) group_id: ID,
}

/// Who leaves which group.
#[derive(Clone, Debug, InputObject)]
pub struct GroupLeaveInput {
    /// The customer.
    pub(super) customer_id: ID,
    /// The group.
    pub(super) group_id: ID,
}

/// Which groups a list has; everything given must hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "GroupFilter")]
pub struct GroupFilterInput {
    /// Part of the name; letters A to Z match in either case.
    query: Option<String>,
    /// The clubs of this store.
    store: Option<ID>,
    /// Those that this member of staff keeps.
    keeper: Option<ID>,
    /// True for those that were put away; usually those that were not.
    archived: Option<bool>,
}

impl From<GroupFilterInput> for GroupFilter {
    fn from(input: GroupFilterInput) -> Self {
        Self {
            query: input.query,
            store: input.store.as_ref().map(key),
            keeper: input.keeper.as_ref().map(key),
            archived: input.archived,
        }
    }
}

/// By what groups are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum GroupOrderField {
    /// By name, in the company's locale.
    Name,
    /// By when they were made.
    CreatedAt,
}

/// How groups are ordered.
#[derive(Clone, Copy, Debug, InputObject)]
#[graphql(name = "GroupOrder")]
pub struct GroupOrderInput {
    /// By what.
    field: GroupOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl GroupOrderInput {
    pub(super) fn parts(order: Option<Self>) -> (GroupOrder, Sort) {
        let field = match order.map(|order| order.field) {
            Some(GroupOrderField::CreatedAt) => GroupOrder::CreatedAt,
            Some(GroupOrderField::Name) | None => GroupOrder::Name,
        };
        let sort = order.map_or(Sort::Ascending, |order| order.direction.into());
        (field, sort)
    }
}
