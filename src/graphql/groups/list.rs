//! The lists of groups and of their members.

use super::input::{GroupFilterInput, GroupOrderInput};
use super::loader::MembersOf;
use super::object::{Group, GroupMember};
use crate::access::Ctx;
use crate::domain::groups::list::{self, GroupFilter, GroupOrder};
use crate::domain::groups::members;
use crate::domain::organization;
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::loaders::load_one;
use crate::graphql::page::connection;
use crate::graphql::page::{List, PageArgs};
use async_graphql::Context;
use entity::ids::GroupId;
use entity::values::CursorValue;

connection!(
    GroupConnection,
    GroupEdge,
    Group,
    GroupTotal,
    "A list of groups.",
    "A group in a list."
);

/// Counts the groups of a list.
#[derive(Clone, Debug)]
pub struct GroupTotal(GroupFilter);

impl GroupTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        list::count(ctx, &self.0).await
    }
}

connection!(
    GroupMemberConnection,
    GroupMemberEdge,
    GroupMember,
    GroupMemberTotal,
    "The members of a group.",
    "A member of a group in a list."
);

/// Counts the members of a group.
#[derive(Clone, Debug)]
pub struct GroupMemberTotal(GroupId, bool);

impl GroupMemberTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        let counts = members::counts(ctx, &[self.0], self.1).await?;
        Ok(counts.get(&self.0).copied().unwrap_or(0))
    }
}

pub(super) async fn groups(
    ctx: &Ctx,
    args: &PageArgs,
    filter: Option<GroupFilterInput>,
    order: Option<GroupOrderInput>,
) -> Result<GroupConnection> {
    let filter = GroupFilter::from(filter.unwrap_or_default());
    let (order, sort) = GroupOrderInput::parts(order);
    let company = organization::settings(ctx).await?;
    let list = List::new(
        ctx,
        "groups",
        &[
            &format!("{filter:?}"),
            &format!("{order:?} {sort:?}"),
            &company.locale,
        ],
    );
    let page = list::page(ctx, &filter, order, sort, &list.page(args)?).await?;
    GroupConnection::new(page.map(Group), GroupTotal(filter), |group| {
        let row = &group.0;
        let place = match order {
            GroupOrder::Name => CursorValue::Bytes(row.name_key.clone()),
            GroupOrder::CreatedAt => CursorValue::Timestamp(row.created_at),
        };
        list.cursor(place, row.id)
    })
}

/// A page of a group's members. The first page, which lists ask for, is read for all groups at once.
pub(super) async fn members_of(
    context: &Context<'_>,
    group: GroupId,
    former: bool,
    args: &PageArgs,
) -> async_graphql::Result<GroupMemberConnection> {
    let ctx = ctx(context)?;
    let list = List::new(
        ctx,
        "group.members",
        &[&group.to_string(), &former.to_string()],
    );
    let request = list.page(args).reported(context)?;
    let page = if request.bounds.after.is_none() && request.bounds.before.is_none() {
        let key = MembersOf {
            group,
            former,
            size: request.size,
            backward: request.backward,
        };
        request.cut(load_one(context, key).await?.unwrap_or_default())
    } else {
        members::page(ctx, group, former, &request)
            .await
            .reported(context)?
    };
    let total = GroupMemberTotal(group, former);
    GroupMemberConnection::new(page.map(GroupMember), total, |member| {
        list.cursor(CursorValue::Timestamp(member.0.joined_at), member.0.id)
    })
    .reported(context)
}
