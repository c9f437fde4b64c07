//! What an administrator can read of the program's own doings.

use super::input::{AuditEntryFilter, AuditEntryOrder, JobFilter, JobOrder};
use super::object::{AuditEntry, AuditEntryConnection, AuditTotal, Job, JobConnection, JobTotal};
use crate::access::{Ctx, audit_log};
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::page::{List, PageArgs};
use crate::jobs;
use async_graphql::{Context, Object};
use entity::values::CursorValue;

/// The queries of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperationsQuery;

#[Object]
impl OperationsQuery {
    /// The audit log: who did or read what. For administrators.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn audit_entries(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries; all when absent.")] filter: Option<AuditEntryFilter>,
        #[graphql(desc = "In which order; the newest first when absent.")] order_by: Option<
            AuditEntryOrder,
        >,
    ) -> async_graphql::Result<AuditEntryConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        audit_entries(
            ctx(context)?,
            &args,
            filter.unwrap_or_default(),
            order_by.unwrap_or_default(),
        )
        .await
        .reported(context)
    }

    /// The jobs of the queue: what waits, runs, is done or was given up. For administrators.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn jobs(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which jobs; all when absent.")] filter: Option<JobFilter>,
        #[graphql(desc = "In which order; the newest first when absent.")] order_by: Option<
            JobOrder,
        >,
    ) -> async_graphql::Result<JobConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        jobs_page(
            ctx(context)?,
            &args,
            filter.unwrap_or_default(),
            order_by.unwrap_or_default(),
        )
        .await
        .reported(context)
    }
}

async fn audit_entries(
    ctx: &Ctx,
    args: &PageArgs,
    filter: AuditEntryFilter,
    order: AuditEntryOrder,
) -> Result<AuditEntryConnection> {
    let filter = filter.read()?;
    let list = List::new(
        ctx,
        "auditEntries",
        &[&format!("{filter:?}"), &format!("{order:?}")],
    );
    let page = audit_log::page(ctx, &filter, order.into(), &list.page(args)?).await?;
    AuditEntryConnection::new(page.map(AuditEntry), AuditTotal(filter), |entry| {
        list.cursor(CursorValue::Timestamp(entry.0.at), entry.0.id)
    })
}

async fn jobs_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: JobFilter,
    order: JobOrder,
) -> Result<JobConnection> {
    let filter = filter.read()?;
    let list = List::new(
        ctx,
        "jobs",
        &[&format!("{filter:?}"), &format!("{order:?}")],
    );
    let page = jobs::list::page(ctx, &filter, order.into(), &list.page(args)?).await?;
    JobConnection::new(page.map(Job), JobTotal(filter), |job| {
        list.cursor(CursorValue::Uuid(job.0.id.into()), job.0.id)
    })
}
