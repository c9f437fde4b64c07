//! The job that does a transfer, as whoever asked for it and with the roles that they hold by now.

use super::attempt::{self, Beside, End, Figures};
use super::{export_job, import_job};
use crate::access::{Ctx, Viewer};
use crate::domain::organization::sessions;
use crate::error::{Error, Result};
use crate::jobs::{Job, JobContext};
use entity::enums::TransferDirection;
use entity::ids::TransferId;
use entity::transfer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Does a transfer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunTransfer {
    /// Which one.
    pub transfer: TransferId,
}

impl Job for RunTransfer {
    const NAME: &'static str = "transfer.run";

    async fn run(self, context: &JobContext) -> Result<()> {
        let ctx = &context.ctx;
        let Some(row) = attempt::begin(ctx, self.transfer).await? else {
            return Ok(());
        };
        let outcome = work(ctx, &row).await;
        let Err(error) = outcome else {
            return Ok(());
        };
        // What nobody has to put right may come right by itself.
        let is_passing = matches!(
            error,
            Error::Unavailable(_) | Error::Database(_) | Error::Internal(_) | Error::RateLimited
        );
        if is_passing && context.attempt < context.max_attempts {
            return Err(error);
        }
        let end = End::Failed(told(ctx, &error));
        attempt::end(ctx, &row, &Figures::default(), &Beside::default(), &end).await?;
        // A defect shows in the queue too.
        if is_passing { Err(error) } else { Ok(()) }
    }
}

async fn work(ctx: &Ctx, row: &transfer::Model) -> Result<()> {
    let Some(viewer) = sessions::present(ctx, row.requested_by).await? else {
        return Err(Error::BadRequest(
            "the account that asked for it has been switched off".into(),
        ));
    };
    let own = ctx.for_request(Viewer::Staff(Arc::new(viewer)), ctx.origin.clone());
    match row.direction {
        TransferDirection::Export => export_job::run(&own, row).await,
        TransferDirection::Import => import_job::run(&own, row).await,
    }
}

/// What whoever asked for it reads of an error; the cause of a defect is in the log, under the request's id.
fn told(ctx: &Ctx, error: &Error) -> String {
    match error {
        Error::User(errors) => errors
            .iter()
            .map(|error| error.message.as_str())
            .collect::<Vec<_>>()
            .join("; "),
        Error::BadRequest(message) => message.clone().into_owned(),
        Error::Forbidden | Error::Unauthenticated => {
            "your roles do not allow this any more".to_owned()
        }
        other => format!("{other} (request {})", ctx.origin.request_id),
    }
}

/// The roles of a viewer as a hash: what was made under some is not handed out under others.
pub(super) fn rights(viewer: &Viewer) -> Option<Vec<u8>> {
    let Viewer::Staff(staff) = viewer else {
        return None;
    };
    let mut grants: Vec<String> = staff
        .grants
        .iter()
        .map(|grant| format!("{} {:?}", grant.role, grant.place))
        .collect();
    grants.sort();
    Some(Sha256::digest(grants.join("\n")).to_vec())
}
