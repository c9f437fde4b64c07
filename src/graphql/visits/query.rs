//! Queries of visits.

use super::arrival_list::{
    self, AnnouncedVisitConnection, AnnouncedVisitFilterInput, AnnouncedVisitOrderInput,
    ArrivalConnection, ArrivalFilterInput, ArrivalOrderInput,
};
use super::list::{self, VisitConnection, VisitFilterInput, VisitOrderInput};
use super::object::Visit;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, ID, Object, Result};
use entity::ids::VisitId;

/// Queries of visits.
#[derive(Debug, Default)]
pub struct VisitsQuery;

/// Queries of visits.
#[Object]
impl VisitsQuery {
    /// Visits of the customers in sight, newest first unless ordered otherwise.
    #[expect(
        clippy::too_many_arguments,
        reason = "a connection has these arguments by its specification"
    )]
    async fn visits(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Items from the start, 1 to 100; 20 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which visits; all in sight when absent.")] filter: Option<
            VisitFilterInput,
        >,
        #[graphql(desc = "How they are ordered; newest first when absent.")] order_by: Option<
            VisitOrderInput,
        >,
    ) -> Result<VisitConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        list::all(ctx(context)?, filter, order_by, &args)
            .await
            .reported(context)
    }

    /// Customers in sight who are here, or were: who walked in, newest first unless ordered otherwise.
    #[expect(
        clippy::too_many_arguments,
        reason = "a connection has these arguments by its specification"
    )]
    async fn arrivals(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Items from the start, 1 to 100; 20 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which arrivals; all in sight when absent.")] filter: Option<
            ArrivalFilterInput,
        >,
        #[graphql(desc = "How they are ordered; newest first when absent.")] order_by: Option<
            ArrivalOrderInput,
        >,
    ) -> Result<ArrivalConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        arrival_list::arrivals(ctx(context)?, filter, order_by, &args)
            .await
            .reported(context)
    }

    /// Visits that were announced before, of customers in sight: in the order in which they are expected unless ordered otherwise.
    #[expect(
        clippy::too_many_arguments,
        reason = "a connection has these arguments by its specification"
    )]
    async fn announced_visits(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Items from the start, 1 to 100; 20 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which announced visits; all in sight when absent.")] filter: Option<
            AnnouncedVisitFilterInput,
        >,
        #[graphql(desc = "How they are ordered; the earliest first when absent.")] order_by: Option<
            AnnouncedVisitOrderInput,
        >,
    ) -> Result<AnnouncedVisitConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        arrival_list::announced(ctx(context)?, filter, order_by, &args)
            .await
            .reported(context)
    }

    /// A visit by its id; null when there is none in sight.
    async fn visit(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The visit's global id.")] id: ID,
    ) -> Result<Option<Visit>> {
        match VisitId::parse(&id) {
            Some(id) => Ok(load_one(context, id).await?.map(Visit)),
            None => {
                ctx(context)?
                    .require(crate::access::Action::VisitRead)
                    .reported(context)?;
                Ok(None)
            }
        }
    }
}
