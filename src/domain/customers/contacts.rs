//! Contact points: ways to reach a customer, each in the normal form of its kind (rule C2).
//!
//! Called by the API. The same value may stand with several customers (families share a phone), never twice with
//! one. Of each kind at most one is preferred.

use super::completeness::Touched;
use super::consents;
use super::contact_reads::show;
pub use super::contact_reads::{ContactPoint, by_ids, of_customers, removed_of_customers, shown};
use super::create::MOST_TOGETHER;
use super::input::{ContactInput, Patch};
use super::lock::{note, open};
use super::parse::{maybe_line, patch_line};
use crate::access::{Action, Ctx};
use crate::domain::organization::{self, CompanySettings};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use entity::contact_point::{self, Column, Model};
use entity::customer;
use entity::enums::ContactKind;
use entity::ids::{ContactPointId, CustomerId};
use entity::values::ContactValue;
use entity::values::handle::ContactError;
use entity::values::phone::PhoneError;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::json;

/// Contact points of one customer.
const MOST: usize = 50;
/// Removed contact points of one customer after which none is added any more: nobody moves so often.
const MOST_REMOVED: usize = 200;
/// Characters of a label.
const LONGEST_LABEL: usize = 50;

fn code(error: &ContactError) -> Code {
    match error {
        ContactError::Text(error) => text_code(error),
        ContactError::Phone(PhoneError::Empty) => Code::Required,
        _ => Code::Invalid,
    }
}

/// Checks a contact point; `at` is the path of its input, empty or ending with a dot.
fn parse(
    ctx: &Ctx,
    company: &CompanySettings,
    customer_id: CustomerId,
    at: &str,
    input: &ContactInput,
    errors: &mut UserErrors,
) -> Option<Model> {
    let label = maybe_line(
        errors,
        &format!("{at}label"),
        input.label.as_deref(),
        LONGEST_LABEL,
    );
    let value = errors.take(
        &format!("{at}value"),
        code,
        ContactValue::parse(input.kind, &input.value, company.country),
    )?;
    Some(Model {
        id: ContactPointId::new(),
        customer_id,
        kind: value.kind,
        value: value.normal,
        label,
        preferred: input.preferred.unwrap_or(false),
        verified_at: None,
        created_at: ctx.now(),
        removed_at: None,
        removed_by: None,
    })
}

/// Checks the contact points of a new customer.
pub(super) fn parse_all(
    ctx: &Ctx,
    company: &CompanySettings,
    customer_id: CustomerId,
    inputs: &[ContactInput],
    errors: &mut UserErrors,
) -> Vec<Model> {
    if inputs.len() > MOST_TOGETHER {
        errors.push(
            Code::TooMany,
            "contactPoints",
            format!(
                "contactPoints has more than {MOST_TOGETHER} entries; add the others afterwards"
            ),
        );
        return Vec::new();
    }
    let mut points: Vec<Model> = Vec::new();
    for (n, input) in inputs.iter().enumerate() {
        let at = format!("contactPoints.{n}.");
        let Some(mut point) = parse(ctx, company, customer_id, &at, input, errors) else {
            continue;
        };
        let same_kind = || points.iter().filter(|known| known.kind == point.kind);
        if same_kind().any(|known| known.value == point.value) {
            errors.push(Code::Taken, &format!("{at}value"), "value is given twice");
            continue;
        }
        let preferred_already = same_kind().any(|known| known.preferred);
        if point.preferred && preferred_already && input_prefers_another(inputs, n) {
            errors.push(
                Code::Invalid,
                &format!("{at}preferred"),
                "preferred can be only one contact point of a kind",
            );
            continue;
        }
        // The first of a kind is preferred unless the input says otherwise.
        let first = same_kind().next().is_none();
        let wished = inputs
            .iter()
            .any(|other| other.kind == point.kind && other.preferred == Some(true));
        point.preferred |= first && !wished && input.preferred.is_none();
        points.push(point);
    }
    points
}

/// Does an earlier input of the same kind ask to be preferred too?
fn input_prefers_another(inputs: &[ContactInput], n: usize) -> bool {
    let kind = inputs.get(n).map(|input| input.kind);
    inputs
        .iter()
        .take(n)
        .any(|other| Some(other.kind) == kind && other.preferred == Some(true))
}

/// The values of a row, in the order of [`super::bulk::CONTACT_POINT`].
pub(super) fn values(row: &Model) -> Vec<Value> {
    vec![
        row.id.into(),
        row.customer_id.into(),
        row.kind.into(),
        row.value.clone().into(),
        row.label.clone().into(),
        row.preferred.into(),
        row.verified_at.into(),
        row.created_at.into(),
    ]
}

/// Adds a contact point to a customer.
///
/// # Errors
/// [`Code::Taken`] when the customer has it already; those of the policy and the database.
pub async fn add(ctx: &Ctx, customer_id: CustomerId, input: &ContactInput) -> Result<ContactPoint> {
    ctx.require(Action::CustomerWrite)?;
    let company = organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let point = parse(ctx, &company, customer_id, "", input, &mut errors);
    errors.check()?;
    let point = &point.ok_or_else(|| Error::internal("no contact point and no error"))?;
    let row = ctx
        .db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            let (removed, known): (Vec<Model>, Vec<Model>) = of_customer(&*tx, customer_id)
                .await?
                .into_iter()
                .partition(|row| row.removed_at.is_some());
            let same_kind = || known.iter().filter(|known| known.kind == point.kind);
            if same_kind().any(|known| known.value == point.value) {
                return Err(Error::user(
                    Code::Taken,
                    "value",
                    "the customer has this contact point already",
                ));
            }
            if known.len() >= MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "customerId",
                    format!("a customer has at most {MOST} contact points; remove one first"),
                ));
            }
            if removed.len() >= MOST_REMOVED {
                return Err(Error::user(
                    Code::TooMany,
                    "customerId",
                    format!(
                        "{MOST_REMOVED} contact points of this customer were removed already and are kept for \
                         their consents; no other can be added"
                    ),
                ));
            }
            let mut row = point.clone();
            row.preferred |= input.preferred.is_none() && same_kind().next().is_none();
            if row.preferred {
                unprefer(&*tx, customer_id, row.kind).await?;
            }
            let row = row.into_active_model().reset_all().insert(&*tx).await?;
            let detail = json!({ "contactPoint": row.id, "kind": row.kind });
            let words = ("customer.contact_point_added", "customer.contact_point_add");
            let touched = Touched::reached_by(row.kind);
            note(&*tx, ctx, words, &customer, row.id.into(), detail, touched).await?;
            Ok(row)
        })
        .await?;
    show(ctx, row).await
}

/// Changes the label of a contact point, or makes it the preferred one of its kind, or no longer.
///
/// # Errors
/// User errors when it is unknown or the label is refused; those of the policy and the database.
pub async fn update(
    ctx: &Ctx,
    id: ContactPointId,
    label: &Patch<String>,
    preferred: Option<bool>,
) -> Result<ContactPoint> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    let label = &patch_line(&mut errors, "label", label, LONGEST_LABEL);
    errors.check()?;
    let owner = owner(ctx, id).await?;
    let row = ctx
        .db
        .write_for(&[owner], |tx| async move {
            let (customer, found) = held(&*tx, ctx, owner, id).await?;
            let mut row = found.clone().into_active_model();
            let mut fields = Vec::new();
            if let Some(label) = label
                && *label != found.label
            {
                row.label = Set(label.clone());
                fields.push("label");
            }
            if let Some(preferred) = preferred
                && preferred != found.preferred
            {
                if preferred {
                    unprefer(&*tx, owner, found.kind).await?;
                }
                row.preferred = Set(preferred);
                fields.push("preferred");
            }
            if fields.is_empty() {
                return Ok(found);
            }
            let row = row.update(&*tx).await?;
            let detail = json!({ "contactPoint": id, "fields": fields });
            let words = (
                "customer.contact_point_changed",
                "customer.contact_point_change",
            );
            note(
                &*tx,
                ctx,
                words,
                &customer,
                id.into(),
                detail,
                Touched::Nothing,
            )
            .await?;
            Ok(row)
        })
        .await?;
    show(ctx, row).await
}

/// Notes that the contact point was tried and is the customer's.
///
/// # Errors
/// User errors when it is unknown; those of the policy and the database.
pub async fn verify(ctx: &Ctx, id: ContactPointId) -> Result<ContactPoint> {
    ctx.require(Action::CustomerWrite)?;
    let owner = owner(ctx, id).await?;
    let row = ctx
        .db
        .write_for(&[owner], |tx| async move {
            let (customer, found) = held(&*tx, ctx, owner, id).await?;
            let mut row = found.into_active_model();
            row.verified_at = Set(Some(ctx.now()));
            let row = row.update(&*tx).await?;
            let words = (
                "customer.contact_point_verified",
                "customer.contact_point_verify",
            );
            let detail = json!({ "contactPoint": id });
            let touched = Touched::reached_by(row.kind);
            note(&*tx, ctx, words, &customer, id.into(), detail, touched).await?;
            Ok(row)
        })
        .await?;
    show(ctx, row).await
}

/// Takes a contact point off a customer's file. One about which consent was stated is kept as a removed one, since the
/// statements prove what was allowed when; any other is deleted.
///
/// # Errors
/// User errors when it is unknown; those of the policy and the database.
pub async fn remove(ctx: &Ctx, id: ContactPointId) -> Result<CustomerId> {
    ctx.require(Action::CustomerWrite)?;
    let owner = owner(ctx, id).await?;
    ctx.db
        .write_for(&[owner], |tx| async move {
            let (customer, found) = held(&*tx, ctx, owner, id).await?;
            if consents::any(&*tx, id).await? {
                let mut row = found.clone().into_active_model();
                row.preferred = Set(false);
                row.removed_at = Set(Some(ctx.now()));
                row.removed_by = Set(ctx.viewer.staff_id());
                row.update(&*tx).await?;
            } else {
                contact_point::Entity::delete_by_id(id).exec(&*tx).await?;
            }
            let words = (
                "customer.contact_point_removed",
                "customer.contact_point_remove",
            );
            let detail = json!({ "contactPoint": id, "kind": found.kind });
            let touched = Touched::reached_no_more_by(found.kind);
            note(&*tx, ctx, words, &customer, id.into(), detail, touched).await?;
            Ok(owner)
        })
        .await
}

async fn find(ctx: &Ctx, id: ContactPointId) -> Result<Option<Model>> {
    ctx.require(Action::CustomerRead)?;
    Ok(contact_point::Entity::find_by_id(id)
        .one(ctx.db.read())
        .await?)
}

/// Whose contact point this is; sight is asked for when the customer is locked.
pub(super) async fn owner(ctx: &Ctx, id: ContactPointId) -> Result<CustomerId> {
    let found = find(ctx, id).await?;
    found
        .map(|row| row.customer_id)
        .ok_or_else(|| Error::not_found("id", "contact point"))
}

/// Locks the owner and reads the contact point.
pub(super) async fn held(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    owner: CustomerId,
    id: ContactPointId,
) -> Result<(customer::Model, Model)> {
    let customer = open(tx, ctx, owner)
        .await
        .map_err(|error| hidden(error, "id", "contact point"))?;
    let found = contact_point::Entity::find_by_id(id)
        .filter(Column::CustomerId.eq(owner))
        .filter(Column::RemovedAt.is_null())
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "contact point"))?;
    Ok((customer, found))
}

/// What hangs on a customer out of sight is out of sight itself; other errors are about this id too.
pub(super) fn hidden(error: Error, field: &str, what: &str) -> Error {
    match error {
        Error::User(mut errors) => {
            for error in &mut errors {
                if error.code == Code::NotFound {
                    *error = crate::error::UserError::not_found(field, what);
                } else {
                    error.field = vec![field.to_owned()];
                }
            }
            Error::User(errors)
        }
        other => other,
    }
}

async fn of_customer(tx: &impl ConnectionTrait, id: CustomerId) -> Result<Vec<Model>> {
    Ok(contact_point::Entity::find()
        .filter(Column::CustomerId.eq(id))
        .all(tx)
        .await?)
}

async fn unprefer(tx: &impl ConnectionTrait, id: CustomerId, kind: ContactKind) -> Result<()> {
    contact_point::Entity::update_many()
        .col_expr(Column::Preferred, Expr::value(false))
        .filter(Column::CustomerId.eq(id))
        .filter(Column::Kind.eq(kind))
        .filter(Column::Preferred.eq(true))
        .exec(tx)
        .await?;
    Ok(())
}
