//! Putting a customer's file away, and taking it out again. Nothing is lost by it: visits and totals stay, lists
//! leave the customer out unless they are asked for.

use super::change::save;
use super::completeness::Touched;
use super::lock::{Happened, fresh, locked};
use super::row::CustomerRow;
use crate::access::{Action, Ctx};
use crate::error::{Code, Error, Result};
use entity::ids::CustomerId;
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use serde_json::json;

/// Puts the file away.
///
/// # Errors
/// [`Code::WrongState`] when it is put away already, [`Code::StaleVersion`] when a version is given and somebody
/// changed the file in between; those of the policy and the database.
pub async fn archive(ctx: &Ctx, id: CustomerId, version: Option<i64>) -> Result<CustomerRow> {
    turn(ctx, id, version, true).await
}

/// Takes the file out again.
///
/// # Errors
/// As [`archive`], the other way round.
pub async fn unarchive(ctx: &Ctx, id: CustomerId, version: Option<i64>) -> Result<CustomerRow> {
    turn(ctx, id, version, false).await
}

async fn turn(ctx: &Ctx, id: CustomerId, version: Option<i64>, away: bool) -> Result<CustomerRow> {
    ctx.require(Action::CustomerManage)?;
    let (kind, action) = if away {
        ("customer.archived", "customer.archive")
    } else {
        ("customer.unarchived", "customer.unarchive")
    };
    ctx.db
        .write_for(&[id], |tx| async move {
            let found = locked(&*tx, ctx, id, Action::CustomerManage, "id").await?;
            fresh(&found, version)?;
            if found.archived_at.is_some() == away {
                let message = if away {
                    "the customer's file is put away already"
                } else {
                    "the customer's file is not put away"
                };
                return Err(Error::user(Code::WrongState, "id", message));
            }
            let mut row = found.clone().into_active_model();
            row.archived_at = Set(away.then(|| ctx.now()));
            let made = save(&*tx, ctx, &found, row).await?;
            let happened = Happened {
                kind,
                action,
                customer: id,
                store: made.home_store_id,
                subject: id.into(),
                detail: &json!({}),
                touched: Touched::Nothing,
            };
            happened.write(&*tx, ctx).await?;
            Ok(made.into())
        })
        .await
}
