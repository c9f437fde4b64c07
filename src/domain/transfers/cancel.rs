//! Calling a transfer off.

use super::forget::ClearTransfer;
use super::list::visible;
use super::request::note;
use crate::access::{Action, Ctx};
use crate::db::Sql;
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use crate::jobs;
use entity::enums::TransferState;
use entity::ids::TransferId;
use entity::transfer;
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter};
use serde_json::json;

/// Calls a transfer off that waits or runs. A running one stops within seconds; what an import has booked by then stays
/// booked, and no result is kept.
///
/// # Errors
/// A user error at `id`: [`Code::NotFound`], [`Code::WrongState`] when it has ended. As
/// [`crate::access::Viewer::require`]; those of the database.
pub async fn cancel(ctx: &Ctx, id: TransferId) -> Result<transfer::Model> {
    ctx.require(Action::DataExport)?;
    ctx.db
        .write(|tx| async move {
            let found = visible(ctx)?
                .filter(transfer::Column::Id.eq(id))
                .one(&*tx)
                .await?;
            let found = found.ok_or_else(|| Error::not_found("id", "transfer"))?;
            let now = ctx.now();
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update transfer set state = 'CANCELLED', stored_bytes = 0, finished_at = ")
                .bind(now)
                .push(" where state in ('RECEIVING', 'QUEUED', 'RUNNING') and id = ")
                .bind(id)
                .push(" returning *");
            let row = transfer::Model::find_by_statement(sql.build())
                .one(&*tx)
                .await?;
            let Some(row) = row else {
                return Err(Error::user(
                    Code::WrongState,
                    "id",
                    "it has ended already; only what waits or runs can be called off",
                ));
            };
            let payload = json!({
                "direction": row.direction.as_str(),
                "kind": row.kind.as_str(),
                "requestedBy": row.requested_by,
                "state": TransferState::Cancelled.as_str(),
                "rows": found.rows_done,
                "rejected": found.rows_rejected,
            });
            let news = NewEvent {
                kind: "transfer.finished",
                customer: None,
                store: None,
                subject: row.id.into(),
                payload,
            };
            events::record(&*tx, ctx, &[news]).await?;
            note(&tx, ctx, "transfer.cancel", &row).await?;
            jobs::enqueue(&*tx, ctx, &ClearTransfer { transfer: id }, now).await?;
            Ok(row)
        })
        .await
}
