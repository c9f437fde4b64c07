//! The queries of the organization.

use super::input::{StaffFilter, StaffOrder, StoreFilter, StoreOrder, key};
use super::list::{StaffConnection, StoreConnection, staff_page, stores_page};
use super::object::{Company, Region, Staff, Store};
use super::viewer::Viewer;
use crate::domain::organization::{company, regions, staff_list, stores};
use crate::graphql::context::{Reported, ctx};
use crate::graphql::page::PageArgs;
use async_graphql::{Context, ID, Object};

/// The queries of the organization.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// Who you are and what you may do.
    async fn viewer(&self, context: &Context<'_>) -> async_graphql::Result<Viewer> {
        Viewer::of(ctx(context)?).reported(context)
    }

    /// The company that this deployment serves.
    async fn company(&self, context: &Context<'_>) -> async_graphql::Result<Company> {
        let settings = company::read(ctx(context)?).await.reported(context)?;
        Ok(Company(settings))
    }

    /// All regions in the order of their codes.
    async fn regions(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Region>> {
        let rows = regions::all(ctx(context)?).await.reported(context)?;
        Ok(rows.into_iter().map(Region).collect())
    }

    /// Stores in the order of their codes, or as asked for.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn stores(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which stores; all when absent.")] filter: Option<StoreFilter>,
        #[graphql(desc = "In which order; by code when absent.")] order_by: Option<StoreOrder>,
    ) -> async_graphql::Result<StoreConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        stores_page(ctx(context)?, &args, filter, order_by)
            .await
            .reported(context)
    }

    /// One store; null when there is none with this id.
    async fn store(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its global id.")] id: ID,
    ) -> async_graphql::Result<Option<Store>> {
        let found = stores::by_id(ctx(context)?, key(&id)).await;
        Ok(found.reported(context)?.map(Store))
    }

    /// Staff in the order of their names: all of them, or for managers those who hold a role in their stores.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn staff(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which staff; all when absent.")] filter: Option<StaffFilter>,
        #[graphql(desc = "In which order; by name when absent.")] order_by: Option<StaffOrder>,
    ) -> async_graphql::Result<StaffConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        staff_page(ctx(context)?, &args, filter, order_by)
            .await
            .reported(context)
    }

    /// One member of staff; null when there is none with this id, or none whom you may read.
    async fn staff_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Their global id.")] id: ID,
    ) -> async_graphql::Result<Option<Staff>> {
        let ctx = ctx(context)?;
        // Before anything is told, even that there is nobody with this id.
        ctx.require(crate::access::Action::StaffRead)
            .reported(context)?;
        let found = staff_list::by_id(ctx, key(&id)).await;
        Ok(found.reported(context)?.map(Staff))
    }
}
