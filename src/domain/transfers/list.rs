//! Transfers as those see them who asked for them, and administrators.

use crate::access::{Action, Ctx};
use crate::db::{Page, PageRequest, Sort, literal_limit};
use crate::error::Result;
use entity::enums::{TransferDirection, TransferKind, TransferState};
use entity::ids::TransferId;
use entity::transfer;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QueryTrait, Select,
};

/// Which transfers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransferFilter {
    /// Only those that go this way.
    pub direction: Option<TransferDirection>,
    /// Only those of this kind.
    pub kind: Option<TransferKind>,
    /// Only those that stand there.
    pub state: Option<TransferState>,
}

/// Those that the viewer sees: their own, or everybody's.
pub(super) fn visible(ctx: &Ctx) -> Result<Select<transfer::Entity>> {
    ctx.require(Action::DataExport)?;
    let select = transfer::Entity::find();
    if ctx.viewer.may(Action::TransferManage) {
        return Ok(select);
    }
    Ok(select.filter(transfer::Column::RequestedBy.eq(ctx.viewer.staff()?.id)))
}

fn select(ctx: &Ctx, filter: &TransferFilter) -> Result<Select<transfer::Entity>> {
    let mut select = visible(ctx)?;
    if let Some(direction) = filter.direction {
        select = select.filter(transfer::Column::Direction.eq(direction));
    }
    if let Some(kind) = filter.kind {
        select = select.filter(transfer::Column::Kind.eq(kind));
    }
    if let Some(state) = filter.state {
        select = select.filter(transfer::Column::State.eq(state));
    }
    Ok(select)
}

/// A page of transfers, by when they were asked for.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &TransferFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<transfer::Model>> {
    // Ids are made in the order of time, so they are all that the list is ordered by.
    let mut select = select(ctx, filter)?;
    for (bound, behind) in [(&page.bounds.after, true), (&page.bounds.before, false)] {
        let Some(bound) = bound else { continue };
        let id = bound.id.clone();
        select = select.filter(if behind == (sort == Sort::Ascending) {
            transfer::Column::Id.gt(id)
        } else {
            transfer::Column::Id.lt(id)
        });
    }
    let order = match (sort, page.backward) {
        (Sort::Ascending, false) | (Sort::Descending, true) => Order::Asc,
        _ => Order::Desc,
    };
    let connection = ctx.db.read();
    let statement = select
        .order_by(transfer::Column::Id, order)
        .build(connection.get_database_backend());
    let statement = literal_limit(statement, page.size.saturating_add(1));
    let rows = transfer::Model::find_by_statement(statement)
        .all(connection)
        .await?;
    Ok(page.cut(rows))
}

/// How many transfers.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &TransferFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Transfers by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[TransferId]) -> Result<Vec<transfer::Model>> {
    Ok(visible(ctx)?
        .filter(transfer::Column::Id.is_in(ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}
