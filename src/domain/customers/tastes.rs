//! What a customer likes and dislikes, as they said or as staff noticed (rule C4). What is derived from purchases
//! is a third thing, kept apart: nobody sets it by hand.

use super::completeness::{Touched, told_by};
use super::create::MOST_TOGETHER;
use super::input::TasteInput;
use super::lock::{note, open};
use super::parse::line;
use super::removal::{self, Removal};
use crate::access::{Action, Ctx, sight};
use crate::db;
use crate::error::{Code, Error, Result, UserErrors};
use entity::enums::TasteProvenance;
use entity::ids::{CustomerId, TasteId};
use entity::taste::{self, Column, Model};
use sea_orm::sea_query::{Expr, ExprTrait, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;

/// Tastes of one customer.
const MOST: u64 = 200;

fn parse(
    ctx: &Ctx,
    customer_id: CustomerId,
    at: &str,
    input: &TasteInput,
    errors: &mut UserErrors,
) -> Option<Model> {
    let value = line(errors, &format!("{at}value"), &input.value, 100);
    if input.provenance == TasteProvenance::Derived {
        return errors.none(
            Code::NotAllowed,
            &format!("{at}provenance"),
            "provenance cannot be DERIVED: that is computed from purchases; give STATED or NOTED",
        );
    }
    Some(Model {
        id: TasteId::new(),
        customer_id,
        aspect: input.aspect,
        value: value?,
        attitude: input.attitude,
        provenance: input.provenance,
        noted_by: ctx.viewer.staff_id(),
        noted_at: ctx.now(),
    })
}

/// Checks the tastes of a new customer.
pub(super) fn parse_all(
    ctx: &Ctx,
    customer_id: CustomerId,
    inputs: &[TasteInput],
    errors: &mut UserErrors,
) -> Vec<Model> {
    if inputs.len() > MOST_TOGETHER {
        errors.push(
            Code::TooMany,
            "tastes",
            format!("tastes has more than {MOST_TOGETHER} entries; add the others afterwards"),
        );
        return Vec::new();
    }
    let mut tastes: Vec<Model> = Vec::new();
    for (n, input) in inputs.iter().enumerate() {
        let at = format!("tastes.{n}.");
        let Some(taste) = parse(ctx, customer_id, &at, input, errors) else {
            continue;
        };
        if tastes.iter().any(|known| same(known, &taste)) {
            errors.push(Code::Taken, &format!("{at}value"), "value is given twice");
            continue;
        }
        tastes.push(taste);
    }
    tastes
}

fn same(one: &Model, other: &Model) -> bool {
    one.aspect == other.aspect && one.value == other.value && one.provenance == other.provenance
}

/// The values of a row, in the order of [`super::bulk::TASTE`].
pub(super) fn values(row: &Model) -> Vec<Value> {
    vec![
        row.id.into(),
        row.customer_id.into(),
        row.aspect.into(),
        row.value.clone().into(),
        row.attitude.into(),
        row.provenance.into(),
        row.noted_by.into(),
        row.noted_at.into(),
    ]
}

/// Notes a like or dislike.
///
/// # Errors
/// [`Code::Taken`] when the same is noted already; those of the policy and the database.
pub async fn add(ctx: &Ctx, customer_id: CustomerId, input: &TasteInput) -> Result<Model> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    let row = parse(ctx, customer_id, "", input, &mut errors);
    errors.check()?;
    let row = &row.ok_or_else(|| Error::internal("no taste and no error"))?;
    ctx.db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            let of_customer = || taste::Entity::find().filter(Column::CustomerId.eq(customer_id));
            let known = of_customer()
                .filter(Column::Aspect.eq(row.aspect))
                .filter(Column::Value.eq(row.value.clone()))
                .filter(Column::Provenance.eq(row.provenance))
                .one(&*tx)
                .await?;
            if known.is_some() {
                return Err(Error::user(
                    Code::Taken,
                    "value",
                    "this is noted already; remove the old entry first if it has changed",
                ));
            }
            if of_customer().count(&*tx).await? >= MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "customerId",
                    format!("a customer has at most {MOST} tastes; remove one first"),
                ));
            }
            let made = row
                .clone()
                .into_active_model()
                .reset_all()
                .insert(&*tx)
                .await?;
            let detail = json!({ "taste": made.id, "aspect": made.aspect });
            let words = ("customer.taste_added", "customer.taste_add");
            let touched = Touched::Written(vec![told_by(made.aspect)]);
            note(&*tx, ctx, words, &customer, made.id.into(), detail, touched).await?;
            Ok(made)
        })
        .await
}

/// Removes a like or dislike that was noted by hand; gives whose it was.
///
/// # Errors
/// User errors when it is unknown or derived; those of the policy and the database.
pub async fn remove(ctx: &Ctx, id: TasteId) -> Result<CustomerId> {
    let removal = Removal::<taste::Entity> {
        what: "taste",
        words: ("customer.taste_removed", "customer.taste_remove"),
        owner: |taste| taste.customer_id,
        detail: |taste| match taste.provenance {
            TasteProvenance::Derived => Err(Error::user(
                Code::NotAllowed,
                "id",
                "this was computed from purchases and is not removed by hand",
            )),
            _ => Ok(json!({ "taste": taste.id, "aspect": taste.aspect })),
        },
        field: |taste| told_by(taste.aspect),
    };
    removal::remove(ctx, id, &removal).await
}

/// The tastes of these customers, oldest first. Customers out of sight have none.
///
/// # Errors
/// Those of the policy and the database.
pub async fn of_customers(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<Model>> {
    among(
        ctx,
        db::among(ctx.db.engine(), Column::CustomerId, ids.iter().copied()),
    )
    .await
}

/// Tastes by id, where their customers are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[TasteId]) -> Result<Vec<Model>> {
    among(
        ctx,
        db::among(ctx.db.engine(), Column::Id, ids.iter().copied()),
    )
    .await
}

async fn among(ctx: &Ctx, which: Expr) -> Result<Vec<Model>> {
    let mut select = taste::Entity::find()
        .filter(which)
        .order_by_asc(Column::CustomerId)
        .order_by_asc(Column::Id);
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        select = select.filter(Expr::col((taste::Entity, Column::CustomerId)).in_subquery(sight));
    }
    Ok(select.all(ctx.db.read()).await?)
}
