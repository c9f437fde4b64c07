//! Consent: statements that a contact point may, or may no longer, be used for a purpose. Statements are only
//! ever added; the latest by its own time holds.
//!
//! Called by the API. No import raises consent without evidence (rule C2).

use super::completeness::Touched;
use super::contacts::{held, hidden, owner};
use super::lock::note;
use super::parse::maybe_lines;
use crate::access::{Action, Ctx, sight};
use crate::db::Sql;
use crate::error::{Code, Result, UserErrors};
use chrono::{DateTime, Utc};
use entity::consent::{self, Model};
use entity::enums::{ConsentMethod, FileField, Purpose};
use entity::ids::{ConsentId, ContactPointId, CustomerId};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use serde_json::json;

/// The earliest time of a statement: 1990, as of a visit.
pub const EARLIEST: DateTime<Utc> = match DateTime::from_timestamp(631_152_000, 0) {
    Some(time) => time,
    None => DateTime::UNIX_EPOCH,
};

/// A statement before it is written.
#[derive(Clone, Debug)]
pub struct ConsentInput {
    /// For which contact point.
    pub contact_point_id: ContactPointId,
    /// For what.
    pub purpose: Purpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// How.
    pub method: ConsentMethod,
    /// What proves it: where the paper lies, which record of the other system.
    pub evidence: Option<String>,
    /// When; now when it is left out.
    pub at: Option<DateTime<Utc>>,
}

/// Adds a statement; gives it and whose contact point it is about.
///
/// # Errors
/// User errors when the contact point is unknown, the time lies in the future or evidence is missing; those of the
/// policy and the database.
pub async fn record(ctx: &Ctx, input: &ConsentInput) -> Result<(Model, CustomerId)> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    let evidence = maybe_lines(&mut errors, "evidence", input.evidence.as_deref(), 500);
    if input.method == ConsentMethod::Import
        && input
            .evidence
            .as_ref()
            .is_none_or(|text| text.trim().is_empty())
    {
        errors.push(
            Code::Required,
            "evidence",
            "evidence must say what proves a consent that comes from another system",
        );
    }
    let at = input.at.unwrap_or_else(|| ctx.now());
    if at > ctx.now() {
        errors.push(
            Code::OutOfRange,
            "at",
            "at is in the future; check the time",
        );
    }
    if at < EARLIEST {
        errors.push(
            Code::OutOfRange,
            "at",
            "at lies before 1990, earlier than any statement of consent that is still good; check the time",
        );
    }
    let row = &Model {
        id: ConsentId::new(),
        contact_point_id: input.contact_point_id,
        purpose: input.purpose,
        granted: input.granted,
        method: input.method,
        evidence,
        at,
        recorded_by: ctx.viewer.staff_id(),
        recorded_at: ctx.now(),
    };
    let named = |error| hidden(error, "contactPointId", "contact point");
    let owner = match owner(ctx, input.contact_point_id).await.map_err(named) {
        Ok(owner) => owner,
        Err(crate::error::Error::User(unknown)) => {
            for error in unknown {
                errors.push(error.code, &error.field.join("."), error.message);
            }
            errors.check()?;
            return Err(crate::error::Error::internal("an error was noted and lost"));
        }
        Err(error) => return Err(error),
    };
    errors.check()?;
    let made = ctx
        .db
        .write_for(&[owner], |tx| async move {
            let (customer, _) = held(&*tx, ctx, owner, input.contact_point_id)
                .await
                .map_err(|error| hidden(error, "contactPointId", "contact point"))?;
            let made = row
                .clone()
                .into_active_model()
                .reset_all()
                .insert(&*tx)
                .await?;
            let detail = json!({
                "contactPoint": made.contact_point_id,
                "purpose": made.purpose,
                "granted": made.granted,
            });
            let words = ("customer.consent_recorded", "customer.consent_record");
            let touched = Touched::Written(vec![FileField::Consent]);
            note(&*tx, ctx, words, &customer, made.id.into(), detail, touched).await?;
            Ok(made)
        })
        .await?;
    Ok((made, owner))
}

/// Was anything ever stated about this contact point?
pub(super) async fn any(tx: &impl ConnectionTrait, point: ContactPointId) -> Result<bool> {
    let found = consent::Entity::find()
        .filter(consent::Column::ContactPointId.eq(point))
        .limit(1)
        .one(tx)
        .await?;
    Ok(found.is_some())
}

/// The statements that hold for these contact points: the latest of each purpose. Those of customers out of sight
/// are left out.
///
/// # Errors
/// Those of the policy and the database.
pub async fn holding(ctx: &Ctx, points: &[ContactPointId]) -> Result<Vec<Model>> {
    let mut ids = points.to_vec();
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        ids = entity::contact_point::Entity::find()
            .select_only()
            .column(entity::contact_point::Column::Id)
            .filter(entity::contact_point::Column::Id.is_in(ids))
            .filter(Expr::col(entity::contact_point::Column::CustomerId).in_subquery(sight))
            .into_tuple()
            .all(ctx.db.read())
            .await?;
    }
    latest(ctx, ids).await
}

async fn latest(ctx: &Ctx, ids: Vec<ContactPointId>) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql: Sql = ctx.db.sql();
    sql.push(
        "select * from (select consent.*, row_number() over
            (partition by contact_point_id, purpose order by at desc, id desc) as place
            from consent where contact_point_id in ",
    )
    .bind_list(ids)
    .push(") as ranked where place = 1 order by contact_point_id, purpose");
    Ok(Model::find_by_statement(sql.build())
        .all(ctx.db.read())
        .await?)
}
