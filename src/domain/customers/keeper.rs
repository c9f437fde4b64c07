//! Saying who keeps a customer: the dedicated person, who sees their contact details in full.

use super::change::save;
use super::completeness::Touched;
use super::lock::{Happened, fresh, locked, still_open};
use super::relations;
use super::row::CustomerRow;
use crate::access::{Action, Ctx};
use crate::error::{Result, UserErrors};
use entity::enums::FileField;
use entity::ids::{CustomerId, StaffId};
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use serde_json::json;

/// Gives the customer a keeper, or takes the keeper away with `None`.
///
/// # Errors
/// User errors when the customer or the member of staff is unknown or does not fit; those of the policy and the
/// database.
pub async fn assign_keeper(
    ctx: &Ctx,
    id: CustomerId,
    keeper: Option<StaffId>,
    version: Option<i64>,
) -> Result<CustomerRow> {
    ctx.require(Action::CustomerManage)?;
    ctx.db
        .write_for(&[id], |tx| async move {
            let found = locked(&*tx, ctx, id, Action::CustomerManage, "customerId").await?;
            still_open(&found, "customerId")?;
            fresh(&found, version)?;
            if found.keeper_id == keeper {
                return Ok(found.into());
            }
            if let Some(keeper) = keeper {
                let mut errors = UserErrors::new();
                relations::keeper(&*tx, ctx, keeper, &mut errors).await?;
                errors.check()?;
            }
            let mut row = found.clone().into_active_model();
            row.keeper_id = Set(keeper);
            let made = save(&*tx, ctx, &found, row).await?;
            let happened = Happened {
                kind: "customer.keeper_assigned",
                action: "customer.assign_keeper",
                customer: id,
                store: made.home_store_id,
                subject: id.into(),
                detail: &json!({ "keeper": keeper, "before": found.keeper_id }),
                touched: Touched::Written(vec![FileField::Keeper]),
            };
            happened.write(&*tx, ctx).await?;
            Ok(made.into())
        })
        .await
}
