//! Reading the audit log.
//!
//! Called by `graphql::operations`. That somebody reads it is not itself an entry: the log holds ids and field
//! names, no contact detail (which is what rule R4 asks about), only administrators may read it, and a log that
//! grew with each look at it would soon say little else.

use super::{Action, Ctx};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::ids::{AuditEntryId, CustomerId};
use entity::{audit_customer, audit_entry, customer};
use sea_orm::sea_query::{Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Select};
use std::collections::HashMap;
use uuid::Uuid;

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those that concern this customer.
    pub customer: Option<CustomerId>,
    /// Only what this one did.
    pub actor: Option<Uuid>,
    /// Only this action.
    pub action: Option<String>,
    /// Not before this moment.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// Customers named with an entry at most; [`audit_entry::Model::customer_count`] tells how many there are.
pub const CUSTOMERS_SHOWN: u32 = 100;

/// The entries that concern a customer, or a file that was merged into theirs: entries name the id that was theirs then.
fn concerning(customer: CustomerId) -> SelectStatement {
    let entries = || {
        Query::select()
            .column(audit_customer::Column::EntryId)
            .from(audit_customer::Entity)
            .to_owned()
    };
    let former = Query::select()
        .column(customer::Column::Id)
        .from(customer::Entity)
        .and_where(customer::Column::MergedIntoId.eq(customer))
        .to_owned();
    let of_former = entries()
        .and_where(audit_customer::Column::CustomerId.in_subquery(former))
        .to_owned();
    entries()
        .and_where(audit_customer::Column::CustomerId.eq(customer))
        .union(UnionType::All, of_former)
        .to_owned()
}

fn select(filter: &AuditFilter) -> Select<audit_entry::Entity> {
    let mut select = audit_entry::Entity::find();
    if let Some(customer) = filter.customer {
        select = select.filter(audit_entry::Column::Id.in_subquery(concerning(customer)));
    }
    if let Some(actor) = filter.actor {
        select = select.filter(audit_entry::Column::ActorId.eq(actor));
    }
    if let Some(action) = &filter.action {
        select = select.filter(audit_entry::Column::Action.eq(action.as_str()));
    }
    if let Some(since) = filter.since {
        select = select.filter(audit_entry::Column::At.gte(since));
    }
    if let Some(until) = filter.until {
        select = select.filter(audit_entry::Column::At.lt(until));
    }
    select
}

/// A page of entries, by time.
///
/// # Errors
/// As [`super::Viewer::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &AuditFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<audit_entry::Model>> {
    ctx.require(Action::AuditRead)?;
    Keyset::new(
        audit_entry::Column::At.into_expr(),
        audit_entry::Column::Id.into_expr(),
        sort,
    )
    .page(ctx.db.read(), select(filter), page)
    .await
}

/// How many entries.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &AuditFilter) -> Result<u64> {
    ctx.require(Action::AuditRead)?;
    Ok(select(filter).count(ctx.db.read()).await?)
}

/// Entries by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[AuditEntryId]) -> Result<Vec<audit_entry::Model>> {
    ctx.require(Action::AuditRead)?;
    Ok(audit_entry::Entity::find()
        .filter(audit_entry::Column::Id.is_in(ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}

/// The customers that entries concern, at most [`CUSTOMERS_SHOWN`] of each, by id; all in one statement.
///
/// # Errors
/// As [`page`].
pub async fn customers_of(
    ctx: &Ctx,
    entries: &[AuditEntryId],
) -> Result<HashMap<AuditEntryId, Vec<CustomerId>>> {
    ctx.require(Action::AuditRead)?;
    let mut customers: HashMap<AuditEntryId, Vec<CustomerId>> = HashMap::new();
    if entries.is_empty() {
        return Ok(customers);
    }
    let mut sql = ctx.db.sql();
    sql.push("select entry_id, customer_id from (select entry_id, customer_id, row_number() over (partition by entry_id order by customer_id) as number from audit_customer where entry_id in ")
        .bind_list(entries.iter().copied())
        .push(&format!(") as concerned where number <= {CUSTOMERS_SHOWN} order by entry_id, customer_id"));
    for row in ctx.db.read().query_all_raw(sql.build()).await? {
        let entry = AuditEntryId(row.try_get("", "entry_id")?);
        let customer = CustomerId(row.try_get("", "customer_id")?);
        customers.entry(entry).or_default().push(customer);
    }
    Ok(customers)
}
