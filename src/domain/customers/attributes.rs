//! What the shop's own attributes say of a customer (rule C4): stated by them, noted by staff, or derived. The three stand
//! beside each other; one does not take another's place.
//!
//! Called by the API, and by [`super::merging`] for merges. The customer is locked first, then the definition, so that no
//! choice is removed while somebody makes it. What is derived is not set or cleared by hand.

use super::journal::Journal;
use super::lock::{note_beside, open};
use crate::access::{Action, Ctx, sight};
use crate::db::{Sql, among};
use crate::domain::attributes::Definition;
use crate::domain::attributes::value::{self, Given};
use crate::error::{Code, Error, Result, UserErrors};
use entity::attribute;
use entity::customer_attribute::{Column, Entity, Model};
use entity::enums::TasteProvenance;
use entity::ids::{AttributeId, CustomerAttributeId, CustomerId};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

/// A value to be set.
#[derive(Clone, Debug)]
pub struct AttributeSetting {
    /// Whose.
    pub customer: CustomerId,
    /// Which attribute.
    pub attribute: AttributeId,
    /// Said by the customer, or noted by staff.
    pub provenance: TasteProvenance,
    /// The value.
    pub value: Given,
}

/// What is derived is not written by hand.
fn by_hand(provenance: TasteProvenance, errors: &mut UserErrors) {
    if provenance == TasteProvenance::Derived {
        errors.push(
            Code::NotAllowed,
            "provenance",
            "provenance cannot be DERIVED: that is computed from purchases; give STATED or NOTED",
        );
    }
}

/// Sets a value in the place of the one that is known in the same way; set again, it is confirmed.
///
/// # Errors
/// User errors: a value of another kind, out of bounds or not among the choices; those of the policy and the database.
pub async fn set(ctx: &Ctx, setting: &AttributeSetting) -> Result<Model> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    by_hand(setting.provenance, &mut errors);
    errors.check()?;
    ctx.db
        .write_for(&[setting.customer], |tx| async move {
            let customer = open(&*tx, ctx, setting.customer).await?;
            let definition = held(&*tx, setting.attribute).await?;
            if definition.row.archived_at.is_some() {
                return Err(Error::user(
                    Code::WrongState,
                    "attributeId",
                    "this attribute was put away; take it out again, or use another",
                ));
            }
            let mut errors = UserErrors::new();
            let kept = value::check(&definition, &setting.value, "value", &mut errors);
            errors.check()?;
            let kept = kept.ok_or_else(|| Error::internal("no value and no error"))?;
            let known = one(setting.customer, setting.attribute, setting.provenance)
                .one(&*tx)
                .await?;
            let made = match known {
                Some(known) => {
                    let mut active = known.into_active_model();
                    active.value = Set(kept.text);
                    active.number = Set(kept.number);
                    active.noted_by = Set(ctx.viewer.staff_id());
                    active.noted_at = Set(ctx.now());
                    active.update(&*tx).await?
                }
                None => {
                    let row = Model {
                        id: CustomerAttributeId::new(),
                        customer_id: setting.customer,
                        attribute_id: setting.attribute,
                        provenance: setting.provenance,
                        value: kept.text,
                        number: kept.number,
                        noted_by: ctx.viewer.staff_id(),
                        noted_at: ctx.now(),
                    };
                    row.into_active_model().reset_all().insert(&*tx).await?
                }
            };
            let words = ("customer.attribute_set", "customer.attribute_set");
            note_beside(&*tx, ctx, words, &customer, made.id.into(), told(&made)).await?;
            Ok(made)
        })
        .await
}

/// Takes a value away; gives whose it was.
///
/// # Errors
/// [`Code::NotFound`] when none is known in this way; those of the policy and the database.
pub async fn clear(
    ctx: &Ctx,
    customer_id: CustomerId,
    attribute: AttributeId,
    provenance: TasteProvenance,
) -> Result<CustomerId> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    by_hand(provenance, &mut errors);
    errors.check()?;
    ctx.db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            let known = one(customer_id, attribute, provenance).one(&*tx).await?;
            let Some(known) = known else {
                return Err(Error::user(
                    Code::NotFound,
                    "attributeId",
                    "nothing is known of this attribute in this way; there is nothing to clear",
                ));
            };
            Entity::delete_by_id(known.id).exec(&*tx).await?;
            let words = ("customer.attribute_cleared", "customer.attribute_clear");
            note_beside(&*tx, ctx, words, &customer, known.id.into(), told(&known)).await?;
            Ok(customer_id)
        })
        .await
}

fn told(row: &Model) -> serde_json::Value {
    json!({ "attribute": row.attribute_id, "provenance": row.provenance })
}

fn one(
    customer: CustomerId,
    attribute: AttributeId,
    provenance: TasteProvenance,
) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Column::CustomerId.eq(customer))
        .filter(Column::AttributeId.eq(attribute))
        .filter(Column::Provenance.eq(provenance))
}

/// A definition that nobody changes until the transaction ends; others may set values by it.
async fn held(tx: &impl ConnectionTrait, id: AttributeId) -> Result<Definition> {
    let row = attribute::Entity::find_by_id(id)
        .lock(LockType::Share)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("attributeId", "attribute"))?;
    Definition::of(row)
}

/// What is known of these customers, by attribute in the order of their making. Customers out of sight have none.
///
/// # Errors
/// Those of the policy and the database.
pub async fn of_customers(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<Model>> {
    in_sight(
        ctx,
        among(ctx.db.engine(), Column::CustomerId, ids.iter().copied()),
    )
    .await
}

/// Values by id, where their customers are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[CustomerAttributeId]) -> Result<Vec<Model>> {
    in_sight(ctx, among(ctx.db.engine(), Column::Id, ids.iter().copied())).await
}

async fn in_sight(ctx: &Ctx, which: Expr) -> Result<Vec<Model>> {
    ctx.require(Action::AttributeRead)?;
    let mut select = Entity::find()
        .filter(which)
        .order_by_asc(Column::CustomerId)
        .order_by_asc(Column::AttributeId)
        .order_by_desc(Column::Provenance);
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        select = select.filter(Expr::col((Entity, Column::CustomerId)).in_subquery(sight));
    }
    Ok(select.all(ctx.db.read()).await?)
}

/// Gives the kept customer a copy of what only the merged one's file says; that file itself stays as it was.
///
/// # Errors
/// Those of the database.
pub(super) async fn join(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let of = |id: CustomerId| Entity::find().filter(Column::CustomerId.eq(id));
    let known = of(journal.kept).all(tx).await?;
    let same = |one: &Model, other: &Model| {
        (one.attribute_id, one.provenance) == (other.attribute_id, other.provenance)
    };
    for row in of(journal.merged).all(tx).await? {
        if known.iter().any(|known| same(known, &row)) {
            continue;
        }
        let copy = Model {
            id: CustomerAttributeId::new(),
            customer_id: journal.kept,
            ..row
        };
        let nothing = Option::<Uuid>::None;
        journal
            .note(tx, "customer_attribute", copy.id, &nothing)
            .await?;
        copy.into_active_model().reset_all().insert(tx).await?;
    }
    Ok(())
}

/// Takes back the copies that [`join`] has made. One that was set anew or confirmed since is the kept customer's own.
///
/// # Errors
/// Those of the database.
pub(super) async fn part(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("delete from customer_attribute where customer_id = ")
        .bind(journal.kept)
        .push(" and id in ");
    journal.noted(&mut sql, "customer_attribute");
    sql.push(
        " and exists (select 1 from customer_attribute m where m.attribute_id = customer_attribute.attribute_id
        and m.provenance = customer_attribute.provenance and m.value = customer_attribute.value
        and m.noted_at = customer_attribute.noted_at and m.customer_id = ",
    )
    .bind(journal.merged)
    .push(")");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}
