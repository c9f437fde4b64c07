//! Mutations of groups.

use super::input::{
    GroupArchiveInput, GroupCreateInput, GroupJoinInput, GroupLeaveInput, GroupUpdateInput,
};
use super::object::{Group, GroupMember};
use crate::access::Ctx;
use crate::domain::groups::{self, members};
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::graphql::ids::{GlobalKey, key};
use crate::graphql::payload::payload;
use async_graphql::{Context, ID, Object};
use entity::ids::GroupId;

payload!(GroupCreatePayload, group: Group, "What `groupCreate` answers.", "The new group; null when nothing was written.");
payload!(versioned GroupUpdatePayload, group: Group, "What `groupUpdate` answers.", "The group as it is now, also after a stale version; null after other errors.");
payload!(versioned GroupArchivePayload, group: Group, "What `groupArchive` answers.", "The group as it is now, also after a stale version; null after other errors.");
payload!(versioned GroupUnarchivePayload, group: Group, "What `groupUnarchive` answers.", "The group as it is now, also after a stale version; null after other errors.");
payload!(GroupJoinPayload, member: GroupMember, "What `groupJoin` answers.", "The new membership; null when nothing was written.");
payload!(GroupLeavePayload, member: GroupMember, "What `groupLeave` answers.", "The membership that has ended; null when nothing was written.");

/// Mutations of groups.
#[derive(Debug, Default)]
pub struct GroupsMutation;

/// Mutations of groups.
#[Object]
impl GroupsMutation {
    /// Makes a group that customers join and leave.
    async fn group_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The group to be made.")] input: GroupCreateInput,
    ) -> async_graphql::Result<GroupCreatePayload> {
        let made = groups::create(ctx(context)?, &input.into()).await;
        GroupCreatePayload::from_result(context, made.map(Group))
    }

    /// Changes a group: for those who manage it, and for its keeper.
    async fn group_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: GroupUpdateInput,
    ) -> async_graphql::Result<GroupUpdatePayload> {
        let (ctx, id) = (ctx(context)?, input.id.clone());
        let changed = groups::change(ctx, key(&id), &input.into()).await;
        GroupUpdatePayload::from_change(context, changed.map(Group), present(ctx, &id)).await
    }

    /// Puts a group away. Its members stay in it, and nobody joins it any more.
    async fn group_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which group.")] input: GroupArchiveInput,
    ) -> async_graphql::Result<GroupArchivePayload> {
        let ctx = ctx(context)?;
        let changed = groups::archive(ctx, key(&input.id), input.version.into(), true).await;
        let present = present(ctx, &input.id);
        GroupArchivePayload::from_change(context, changed.map(Group), present).await
    }

    /// Takes a group out again.
    async fn group_unarchive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which group.")] input: GroupArchiveInput,
    ) -> async_graphql::Result<GroupUnarchivePayload> {
        let ctx = ctx(context)?;
        let changed = groups::archive(ctx, key(&input.id), input.version.into(), false).await;
        let present = present(ctx, &input.id);
        GroupUnarchivePayload::from_change(context, changed.map(Group), present).await
    }

    /// Writes down that a customer joins a group.
    async fn group_join(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who joins which group.")] input: GroupJoinInput,
    ) -> async_graphql::Result<GroupJoinPayload> {
        let (customer, group) = (key(&input.customer_id), key(&input.group_id));
        let made = members::join(ctx(context)?, customer, group).await;
        GroupJoinPayload::from_result(context, made.map(GroupMember))
    }

    /// Writes down that a customer leaves a group. What was, stays: the membership has a beginning and an end.
    async fn group_leave(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who leaves which group.")] input: GroupLeaveInput,
    ) -> async_graphql::Result<GroupLeavePayload> {
        let (customer, group) = (key(&input.customer_id), key(&input.group_id));
        let left = members::leave(ctx(context)?, customer, group).await;
        GroupLeavePayload::from_result(context, left.map(GroupMember))
    }
}

/// The group as it is now.
async fn present(ctx: &Ctx, id: &ID) -> Result<Option<Group>> {
    let id = GroupId::parse(id);
    let found = groups::by_ids(ctx, id.as_slice()).await?.pop();
    Ok(found.map(Group))
}
