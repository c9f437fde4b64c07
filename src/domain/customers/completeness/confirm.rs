//! Confirming that fields of a file were asked for and still hold.
//!
//! Called by the API. What is missing cannot be confirmed: it is written, which confirms it.

use super::touch::{Touched, present};
use crate::access::{Action, Ctx};
use crate::db::IdempotencyKey;
use crate::domain::customers::lock::{Happened, open};
use crate::domain::customers::row::CustomerRow;
use crate::error::{Code, Error, Result, UserErrors};
use entity::enums::FileField;
use entity::ids::CustomerId;
use serde_json::json;

/// Confirms fields of a customer's file as of now. With an idempotency key that came with the same input before, nothing
/// is confirmed anew.
///
/// # Errors
/// User errors: [`Code::Required`] without a field, [`Code::WrongState`] for each field that is missing and for a file
/// that was put away, [`Code::NotFound`]; those of the policy and the database.
pub async fn confirm(
    ctx: &Ctx,
    id: CustomerId,
    fields: &[FileField],
    key: Option<&str>,
) -> Result<CustomerRow> {
    ctx.require(Action::CustomerWrite)?;
    let canonical = serde_json::to_string(&(id, fields))
        .map_err(|error| Error::internal(format!("canonical input: {error}")))?;
    let key = &IdempotencyKey::read(ctx.viewer.caller(), "customerConfirm", key, &canonical)?;
    if fields.is_empty() {
        return Err(Error::user(
            Code::Required,
            "fields",
            "fields must name at least one field that was asked for",
        ));
    }
    ctx.db
        .write_for(&[id], |tx| async move {
            let customer = open(&*tx, ctx, id).await?;
            if let Some(key) = key
                && key.seen(&*tx).await?.is_some()
            {
                return Ok(customer.into());
            }
            let known = present(&*tx, id).await?.known;
            let mut errors = UserErrors::new();
            for (n, field) in fields.iter().enumerate() {
                if !known.has(*field) {
                    errors.push(
                        Code::WrongState,
                        &format!("fields.{n}"),
                        format!(
                            "{field} is missing from the file and cannot be confirmed; write it down, which confirms it"
                        ),
                    );
                }
            }
            errors.check()?;
            let mut named = fields.to_vec();
            named.sort_unstable();
            named.dedup();
            let happened = Happened {
                kind: "customer.confirmed",
                action: "customer.confirm",
                customer: id,
                store: customer.home_store_id,
                subject: id.into(),
                detail: &json!({ "fields": named }),
                touched: Touched::Written(named.clone()),
            };
            happened.write(&*tx, ctx).await?;
            if let Some(key) = key {
                key.remember(&*tx, id.into(), ctx.now()).await?;
            }
            Ok(customer.into())
        })
        .await
}
