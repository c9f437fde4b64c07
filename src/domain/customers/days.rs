//! Special days: a spouse's birthday, an anniversary, in the solar or the lunar calendar, with a reminder before
//! (rule C5).

use super::completeness::Touched;
use super::create::MOST_TOGETHER;
use super::input::DayInput;
use super::lock::{note, open};
use super::parse::{date_code, line, maybe_line};
use super::removal::{self, Removal};
use crate::access::{Action, Ctx, sight};
use crate::db;
use crate::error::{Code, Error, Result, UserErrors};
use chrono::Datelike;
use entity::enums::FileField;
use entity::ids::{CustomerId, SpecialDayId};
use entity::special_day::{self, Column, Model};
use entity::values::BirthDate;
use entity::values::birth_date::BirthDateError;
use sea_orm::sea_query::{Expr, ExprTrait, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;

/// Days of one customer.
const MOST: u64 = 100;
/// The longest that a reminder may come before.
const LONGEST_REMINDER: i32 = 90;

fn parse(
    ctx: &Ctx,
    customer_id: CustomerId,
    at: &str,
    input: &DayInput,
    errors: &mut UserErrors,
) -> Option<Model> {
    let label = line(errors, &format!("{at}label"), &input.label, 100);
    let person = maybe_line(errors, &format!("{at}person"), input.person.as_deref(), 100);
    let date = errors.take(&format!("{at}date"), date_code, day(&input.date));
    if !(0..=LONGEST_REMINDER).contains(&input.remind_before_days) {
        errors.push(
            Code::OutOfRange,
            &format!("{at}remindBeforeDays"),
            format!("remindBeforeDays must be 0 to {LONGEST_REMINDER}"),
        );
    }
    Some(Model {
        id: SpecialDayId::new(),
        customer_id,
        label: label?,
        person,
        date: date?.to_string(),
        remind_before_days: input.remind_before_days,
        created_at: ctx.now(),
    })
}

/// A day that is kept each year. Unlike a birth it may lie ahead: a wedding that is planned.
fn day(text: &str) -> Result<BirthDate, BirthDateError> {
    let date: BirthDate = text.trim().parse()?;
    match date.solar().map(|day| day.year()) {
        Some(year) if year < 1880 => Err(BirthDateError::TooEarly),
        Some(year) if year > 2200 => Err(BirthDateError::Future),
        _ => Ok(date),
    }
}

/// Checks the days of a new customer.
pub(super) fn parse_all(
    ctx: &Ctx,
    customer_id: CustomerId,
    inputs: &[DayInput],
    errors: &mut UserErrors,
) -> Vec<Model> {
    if inputs.len() > MOST_TOGETHER {
        errors.push(
            Code::TooMany,
            "specialDays",
            format!("specialDays has more than {MOST_TOGETHER} entries; add the others afterwards"),
        );
        return Vec::new();
    }
    inputs
        .iter()
        .enumerate()
        .filter_map(|(n, input)| {
            parse(
                ctx,
                customer_id,
                &format!("specialDays.{n}."),
                input,
                errors,
            )
        })
        .collect()
}

/// The values of a row, in the order of [`super::bulk::SPECIAL_DAY`].
pub(super) fn values(row: &Model) -> Vec<Value> {
    vec![
        row.id.into(),
        row.customer_id.into(),
        row.label.clone().into(),
        row.person.clone().into(),
        row.date.clone().into(),
        row.remind_before_days.into(),
        row.created_at.into(),
    ]
}

/// Notes a day.
///
/// # Errors
/// User errors for everything wrong with the input at once; those of the policy and the database.
pub async fn add(ctx: &Ctx, customer_id: CustomerId, input: &DayInput) -> Result<Model> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    let row = parse(ctx, customer_id, "", input, &mut errors);
    errors.check()?;
    let row = &row.ok_or_else(|| Error::internal("no day and no error"))?;
    ctx.db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            let known = special_day::Entity::find().filter(Column::CustomerId.eq(customer_id));
            if known.count(&*tx).await? >= MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "customerId",
                    format!("a customer has at most {MOST} special days; remove one first"),
                ));
            }
            let made = row
                .clone()
                .into_active_model()
                .reset_all()
                .insert(&*tx)
                .await?;
            let words = ("customer.special_day_added", "customer.special_day_add");
            let detail = json!({ "specialDay": made.id });
            let touched = Touched::Written(vec![FileField::SpecialDay]);
            note(&*tx, ctx, words, &customer, made.id.into(), detail, touched).await?;
            Ok(made)
        })
        .await
}

/// Removes a day; gives whose it was.
///
/// # Errors
/// User errors when it is unknown; those of the policy and the database.
pub async fn remove(ctx: &Ctx, id: SpecialDayId) -> Result<CustomerId> {
    let removal = Removal::<special_day::Entity> {
        what: "special day",
        words: (
            "customer.special_day_removed",
            "customer.special_day_remove",
        ),
        owner: |day| day.customer_id,
        detail: |day| Ok(json!({ "specialDay": day.id })),
        field: |_| FileField::SpecialDay,
    };
    removal::remove(ctx, id, &removal).await
}

/// The special days of these customers, oldest entry first. Customers out of sight have none.
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

/// Days by id, where their customers are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[SpecialDayId]) -> Result<Vec<Model>> {
    among(
        ctx,
        db::among(ctx.db.engine(), Column::Id, ids.iter().copied()),
    )
    .await
}

async fn among(ctx: &Ctx, which: Expr) -> Result<Vec<Model>> {
    let mut select = special_day::Entity::find()
        .filter(which)
        .order_by_asc(Column::CustomerId)
        .order_by_asc(Column::Id);
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        select =
            select.filter(Expr::col((special_day::Entity, Column::CustomerId)).in_subquery(sight));
    }
    Ok(select.all(ctx.db.read()).await?)
}
