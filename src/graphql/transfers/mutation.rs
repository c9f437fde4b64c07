//! What can be done with exports and imports.

use super::input::{ExportCreateInput, TransferCancelInput};
use super::object::Transfer;
use crate::access::{Action, Ctx};
use crate::domain::transfers;
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::graphql::{idempotency, ids};
use async_graphql::{Context, Object};

crate::graphql::payload::payload!(
    ExportCreatePayload,
    transfer: Transfer,
    "What came of asking for an export.",
    "The export, which waits in the queue; null when the input had errors."
);

crate::graphql::payload::payload!(
    TransferCancelPayload,
    transfer: Transfer,
    "What came of calling a transfer off.",
    "The transfer, called off; null when the input had errors."
);

/// The mutations of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransfersMutation;

#[Object]
impl TransfersMutation {
    /// Has what you may see written into a file, as of one moment, by the roles that you hold when that is done.
    /// `transfer` tells how far it has come, and its `result` where to fetch the file.
    async fn export_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be exported.")] input: ExportCreateInput,
    ) -> async_graphql::Result<ExportCreatePayload> {
        let result = export_create(ctx(context)?, &input).await;
        ExportCreatePayload::from_result(context, result)
    }

    /// Calls an export or import off that has not ended. What an import has booked by then stays booked.
    async fn transfer_cancel(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which transfer.")] input: TransferCancelInput,
    ) -> async_graphql::Result<TransferCancelPayload> {
        let result = transfer_cancel(ctx(context)?, &input).await;
        TransferCancelPayload::from_result(context, result)
    }
}

async fn export_create(ctx: &Ctx, input: &ExportCreateInput) -> Result<Transfer> {
    // Asked before the key is read: who may not do this learns nothing about keys.
    ctx.require(Action::DataExport)?;
    let key = idempotency::key(
        ctx,
        "exportCreate",
        input.idempotency_key.as_deref(),
        &input.canonical(),
    )?;
    let row = transfers::request_export(ctx, input.request(), key.as_ref()).await?;
    Ok(Transfer(row))
}

async fn transfer_cancel(ctx: &Ctx, input: &TransferCancelInput) -> Result<Transfer> {
    ctx.require(Action::DataExport)?;
    let id = ids::need(&input.id, "id", "transfer")?;
    Ok(Transfer(transfers::cancel(ctx, id).await?))
}
