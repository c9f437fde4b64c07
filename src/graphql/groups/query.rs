//! Queries of groups.

use super::input::{GroupFilterInput, GroupOrderInput};
use super::list::{self, GroupConnection};
use super::object::Group;
use crate::access::Action;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, ID, Object, Result};
use entity::ids::GroupId;

/// Queries of groups.
#[derive(Debug, Default)]
pub struct GroupsQuery;

/// Queries of groups.
#[Object]
impl GroupsQuery {
    /// The groups that customers join and leave, by name unless another order is asked for.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn groups(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which groups; all that are in use when absent.")] filter: Option<
            GroupFilterInput,
        >,
        #[graphql(desc = "In which order; by name when absent.")] order_by: Option<GroupOrderInput>,
    ) -> Result<GroupConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        list::groups(ctx(context)?, &args, filter, order_by)
            .await
            .reported(context)
    }

    /// A group by its id; null when there is none.
    async fn group(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The group's global id.")] id: ID,
    ) -> Result<Option<Group>> {
        ctx(context)?.require(Action::GroupRead).reported(context)?;
        match GroupId::parse(&id) {
            Some(id) => Ok(load_one(context, id).await?.map(Group)),
            None => Ok(None),
        }
    }
}
