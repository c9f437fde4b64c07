//! Changing the fields of a customer's file.
//!
//! Called by the API. A field that is not given stays as it is; one given as null is cleared. What hangs on the
//! customer (contact points, notes, tastes, days) is changed by its own service.

use super::completeness::{Touched, named};
use super::file::{columns, merge};
use super::input::FileInput;
use super::lock::{Happened, fresh, locked, still_open};
use super::matching;
use super::relations;
use super::row::CustomerRow;
use crate::access::{Action, Ctx};
use crate::db::Sql;
use crate::domain::organization;
use crate::error::{Error, Result, UserErrors};
use entity::customer;
use entity::ids::CustomerId;
use entity::values::index_tokens;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel};
use serde_json::json;

/// A change of a file.
#[derive(Clone, Debug)]
pub struct ChangeInput {
    /// Whose file.
    pub id: CustomerId,
    /// The version that the caller has read.
    pub version: i64,
    /// The fields to change.
    pub file: FileInput,
}

/// Changes the file; one that already is as wanted stays untouched, its version included.
///
/// # Errors
/// User errors for everything wrong with the input at once, [`Code::StaleVersion`](crate::error::Code::StaleVersion) when somebody changed the file
/// in between; those of the policy and the database.
pub async fn change(ctx: &Ctx, input: &ChangeInput) -> Result<CustomerRow> {
    ctx.require(Action::CustomerWrite)?;
    let company = organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let changes = columns(ctx, &company, &input.file, &mut errors);
    if !errors.is_empty() {
        relations::check(ctx.db.read(), ctx, &changes, Some(input.id), &mut errors).await?;
        errors.check()?;
        return Err(Error::internal("errors were noted and none was found"));
    }
    let changes = &changes;
    ctx.db
        .write_for(&[input.id], |tx| async move {
            let found = locked(&*tx, ctx, input.id, Action::CustomerWrite, "id").await?;
            still_open(&found, "id")?;
            fresh(&found, Some(input.version))?;
            let mut row = found.clone().into_active_model();
            let fields = merge(&mut row, changes);
            if fields.is_empty() {
                return Ok(found.into());
            }
            // A home store that stays is not asked for again: its store may have closed since.
            let mut checked = changes.clone();
            if !fields.contains(&"homeStore") {
                checked.home_store_id = sea_orm::ActiveValue::NotSet;
            }
            let mut errors = UserErrors::new();
            relations::check(&*tx, ctx, &checked, Some(input.id), &mut errors).await?;
            errors.check()?;
            let made = save(&*tx, ctx, &found, row).await?;
            let happened = Happened {
                kind: "customer.changed",
                action: "customer.change",
                customer: made.id,
                store: made.home_store_id,
                subject: made.id.into(),
                detail: &json!({ "fields": fields }),
                touched: Touched::Written(fields.iter().filter_map(|name| named(name)).collect()),
            };
            happened.write(&*tx, ctx).await?;
            Ok(made.into())
        })
        .await
}

/// Writes the changed row with its next version, and keeps the search in step.
pub(super) async fn save(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    found: &customer::Model,
    mut row: customer::ActiveModel,
) -> Result<customer::Model> {
    let next = found.version.checked_add(1);
    row.version = Set(next.ok_or_else(|| Error::internal("a version has run over"))?);
    row.updated_at = Set(ctx.now());
    if row.full_name.is_set() || row.birth_date.is_set() {
        let name = row.full_name.try_as_ref().unwrap_or(&found.full_name);
        let birth_date = row.birth_date.try_as_ref().unwrap_or(&found.birth_date);
        row.match_key = Set(matching::key(name, birth_date.as_deref()));
    }
    let made = row.update(tx).await?;
    if made.full_name != found.full_name || made.employer != found.employer {
        let mut sql = Sql::for_connection(tx);
        sql.push("update customer_search set name = ")
            .bind(index_tokens(&made.full_name))
            .push(", employer = ")
            .bind(index_tokens(made.employer.as_deref().unwrap_or_default()))
            .push(" where customer_id = ")
            .bind(made.id);
        tx.execute_raw(sql.build()).await?;
    }
    Ok(made)
}
