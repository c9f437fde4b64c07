//! Making a customer, with what is known of them at once.
//!
//! Called by the API. The import and the demonstration, which make many, use [`super::bulk`].

use super::alias;
use super::completeness::Touched;
use super::file::columns;
use super::input::CreateInput;
use super::lock::Happened;
use super::row::CustomerRow;
use super::{bulk, contacts, days, matching, relations, tastes};
use crate::access::{Action, Ctx};
use crate::db::{Batch, IdempotencyKey};
use crate::domain::organization::{self, fixed};
use crate::error::{Code, Error, Result, UserErrors};
use entity::customer::{self, ActiveModel};
use entity::enums::{CustomerKind, Importance};
use entity::ids::CustomerId;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ActiveValue, EntityTrait};
use serde_json::json;

/// Contact points, tastes or days that come with a creation.
pub(super) const MOST_TOGETHER: usize = 20;

/// Makes a customer; with an idempotency key that came with the same input before, gives the one made then.
///
/// # Errors
/// User errors for everything wrong with the input at once; those of the policy and the database.
pub async fn create(ctx: &Ctx, input: &CreateInput, key: Option<&str>) -> Result<CustomerRow> {
    ctx.require(Action::CustomerWrite)?;
    let canonical = serde_json::to_string(input)
        .map_err(|error| Error::internal(format!("canonical input: {error}")))?;
    let key = IdempotencyKey::read(ctx.viewer.caller(), "customerCreate", key, &canonical)?;
    let company = organization::settings(ctx).await?;

    let mut errors = UserErrors::new();
    let mut row = columns(ctx, &company, &input.file, &mut errors);
    if input.file.full_name.is_none() {
        errors.push(Code::Required, "fullName", "fullName must be given");
    }
    if let ActiveValue::NotSet | Set(None) = row.home_store_id {
        row.home_store_id = Set(relations::own_store(ctx, &mut errors));
    }
    let id = CustomerId::new();
    let points = contacts::parse_all(ctx, &company, id, &input.contact_points, &mut errors);
    let tastes = tastes::parse_all(ctx, id, &input.tastes, &mut errors);
    let days = days::parse_all(ctx, id, &input.special_days, &mut errors);
    if !errors.is_empty() {
        relations::check(ctx.db.read(), ctx, &row, None, &mut errors).await?;
        errors.check()?;
        return Err(Error::internal("errors were noted and none was found"));
    }
    complete(&mut row, id, ctx);

    let (row, key, points, tastes, days) = (&row, &key, &points, &tastes, &days);
    let locale = company.locale.as_str();
    ctx.db
        .write(|tx| async move {
            if let Some(key) = key
                && let Some(earlier) = key.seen(&*tx).await?
            {
                let earlier = CustomerId(earlier);
                let kept = alias::kept_for(&*tx, [earlier]).await?;
                let found = customer::Entity::find_by_id(*kept.get(&earlier).unwrap_or(&earlier))
                    .one(&*tx)
                    .await?;
                return found
                    .map(CustomerRow::from)
                    .ok_or_else(|| Error::not_found("idempotencyKey", "customer any more"));
            }
            let mut errors = UserErrors::new();
            relations::check(&*tx, ctx, row, None, &mut errors).await?;
            errors.check()?;
            fixed::hold_locale(&*tx, ctx, locale).await?;
            let made = row.clone().insert(&*tx).await?;
            let mut batch = Batch::new();
            bulk::companions(&mut batch, id, &made.full_name, made.employer.as_deref());
            batch.insert(&bulk::CONTACT_POINT, points.iter().map(contacts::values));
            batch.insert(&bulk::TASTE, tastes.iter().map(tastes::values));
            batch.insert(&bulk::SPECIAL_DAY, days.iter().map(days::values));
            batch.write(&*tx).await?;
            let happened = Happened {
                kind: "customer.created",
                action: "customer.create",
                customer: id,
                store: made.home_store_id,
                subject: id.into(),
                detail: &json!({
                    "contactPoints": points.len(),
                    "tastes": tastes.len(),
                    "specialDays": days.len(),
                }),
                touched: Touched::Made,
            };
            happened.write(&*tx, ctx).await?;
            if let Some(key) = key {
                key.remember(&*tx, id.into(), ctx.now()).await?;
            }
            Ok(made.into())
        })
        .await
}

/// Fills in what every new file has.
fn complete(row: &mut ActiveModel, id: CustomerId, ctx: &Ctx) {
    row.id = Set(id);
    if row.kind.is_not_set() {
        row.kind = Set(CustomerKind::Person);
    }
    if row.importance.is_not_set() {
        row.importance = Set(Importance::Regular);
    }
    let birth_date = row.birth_date.try_as_ref().cloned().flatten();
    let name = row.full_name.try_as_ref().map(String::as_str);
    row.match_key = Set(matching::key(
        name.unwrap_or_default(),
        birth_date.as_deref(),
    ));
    row.version = Set(1);
    row.created_at = Set(ctx.now());
    row.updated_at = Set(ctx.now());
}
