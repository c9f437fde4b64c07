//! Reading contact points, each as the viewer may see it: in sight, and in full or masked.
//!
//! Called by the API through [`super::contacts`], which writes them and shows what it has written by [`show`].

use super::full;
use crate::access::{Action, Ctx, sight};
use crate::db::{Sql, Template};
use crate::error::Result;
use entity::contact_point::{self, Model};
use entity::ids::{ContactPointId, CustomerId};
use entity::values::handle;
use sea_orm::{ActiveEnum, EntityTrait, FromQueryResult, QueryTrait};
use std::collections::BTreeSet;

/// Contact points.
static POINTS: Template = Template::new(|| contact_point::Entity::find().into_query());

/// A contact point as a viewer may see it.
#[derive(Clone, PartialEq)]
pub struct ContactPoint {
    row: Model,
    in_full: bool,
}

impl std::fmt::Debug for ContactPoint {
    /// Without the value: contact details do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactPoint")
            .field("id", &self.row.id)
            .field("kind", &self.row.kind)
            .finish_non_exhaustive()
    }
}

impl ContactPoint {
    /// The row, for everything but the value.
    pub fn row(&self) -> &Model {
        &self.row
    }

    /// May the viewer see the value in full?
    pub fn in_full(&self) -> bool {
        self.in_full
    }

    /// The value for an answer: in full, which is noted for the audit log, or masked.
    pub fn value(&self, ctx: &Ctx) -> String {
        if self.in_full {
            ctx.reads.shown(self.row.customer_id);
            self.row.value.clone()
        } else {
            handle::mask(self.row.kind, &self.row.value)
        }
    }
}

/// The contact points of these customers, as the viewer may see them: preferred ones first, by kind. Customers
/// out of sight have none.
///
/// # Errors
/// Those of the policy and the database.
pub async fn of_customers(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<ContactPoint>> {
    of(ctx, ids, "is null").await
}

/// As [`of_customers`], of those that were removed and are kept for their consents.
///
/// # Errors
/// As [`of_customers`].
pub async fn removed_of_customers(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<ContactPoint>> {
    of(ctx, ids, "is not null").await
}

async fn of(ctx: &Ctx, ids: &[CustomerId], removed: &str) -> Result<Vec<ContactPoint>> {
    let mut sql = POINTS.begin(ctx.db.engine());
    sql.push(" where contact_point.removed_at ")
        .push(removed)
        .push(" and ");
    let owner = "contact_point.customer_id";
    sight::push_of_seen(&mut sql, ctx, Action::CustomerRead, owner, ids)?;
    show_all(ctx, sql).await
}

/// Contact points by id, where their customers are in sight; removed ones too.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[ContactPointId]) -> Result<Vec<ContactPoint>> {
    let mut sql = POINTS.begin(ctx.db.engine());
    sql.push(" where contact_point.id")
        .bind_among(ids.iter().copied());
    if let Some(seen) = sight::customer_ids(ctx, Action::CustomerRead)? {
        sql.push(" and contact_point.customer_id in ")
            .subquery(&seen);
    }
    show_all(ctx, sql).await
}

/// The rows of a statement that gives those in sight, as the viewer may see them.
async fn show_all(ctx: &Ctx, mut sql: Sql) -> Result<Vec<ContactPoint>> {
    sql.push(" order by contact_point.kind, contact_point.preferred desc, contact_point.id");
    let rows = Model::find_by_statement(sql.build())
        .all(ctx.db.read())
        .await?;
    show_rows(ctx, rows).await
}

/// Rows of customers in sight, as the viewer may see them: of each kind the preferred ones first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn shown(ctx: &Ctx, mut rows: Vec<Model>) -> Result<Vec<ContactPoint>> {
    rows.sort_by(|a, b| {
        let place = |row: &Model| (row.kind.to_value(), !row.preferred, row.id);
        place(a).cmp(&place(b))
    });
    show_rows(ctx, rows).await
}

async fn show_rows(ctx: &Ctx, rows: Vec<Model>) -> Result<Vec<ContactPoint>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let owners: BTreeSet<CustomerId> = rows.iter().map(|row| row.customer_id).collect();
    let owners: Vec<CustomerId> = owners.into_iter().collect();
    let full = full::in_full(ctx, &owners).await?;
    Ok(rows
        .into_iter()
        .map(|row| ContactPoint {
            in_full: full.contains(&row.customer_id),
            row,
        })
        .collect())
}

/// What was written, as the viewer may see it.
pub(super) async fn show(ctx: &Ctx, row: Model) -> Result<ContactPoint> {
    let full = full::in_full(ctx, &[row.customer_id]).await?;
    Ok(ContactPoint {
        in_full: full.contains(&row.customer_id),
        row,
    })
}
