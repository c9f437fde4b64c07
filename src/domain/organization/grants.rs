//! Roles given to staff: parsing, reading, writing.
//!
//! Called by [`super::staff`], [`super::staff_list`] and [`super::sessions`].

use crate::access::{Grant, Place};
use crate::error::{Code, Result, UserErrors};
use chrono::{DateTime, Utc};
use entity::enums::Role;
use entity::ids::{GrantId, StaffId};
use entity::{region, staff_grant, store};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;

/// Roles of one person at most.
const MOST: usize = 50;

/// Checks that each role is given where it can be held, and takes doubles out.
///
/// # Errors
/// User errors at `grants.N`; those of the database.
pub(super) async fn check(tx: &impl ConnectionTrait, grants: &[Grant]) -> Result<Vec<Grant>> {
    let mut errors = UserErrors::new();
    if grants.len() > MOST {
        errors.push(
            Code::TooMany,
            "grants",
            format!("at most {MOST} roles can be given to one person"),
        );
        errors.check()?;
        return Ok(Vec::new());
    }
    let mut checked: Vec<Grant> = Vec::with_capacity(grants.len());
    for (n, grant) in grants.iter().enumerate() {
        let field = format!("grants.{n}");
        match (grant.role, grant.place) {
            (Role::Admin | Role::Headquarters | Role::Marketer | Role::Analyst, Place::Company) => {
            }
            (Role::RegionManager, Place::Region(id)) => {
                if region::Entity::find_by_id(id).one(tx).await?.is_none() {
                    errors.push(
                        Code::NotFound,
                        &format!("{field}.regionId"),
                        "no such region",
                    );
                }
            }
            (Role::StoreManager | Role::Associate, Place::Store(id)) => {
                if store::Entity::find_by_id(id).one(tx).await?.is_none() {
                    errors.push(Code::NotFound, &format!("{field}.storeId"), "no such store");
                }
            }
            (Role::RegionManager, _) => errors.push(
                Code::Invalid,
                &field,
                "REGION_MANAGER is held in a region; give regionId and nothing else",
            ),
            (Role::StoreManager | Role::Associate, _) => errors.push(
                Code::Invalid,
                &field,
                format!(
                    "{} is held in a store; give storeId and nothing else",
                    grant.role
                ),
            ),
            (role, _) => errors.push(
                Code::Invalid,
                &field,
                format!("{role} is held in the whole company; give neither regionId nor storeId"),
            ),
        }
        if !checked.contains(grant) {
            checked.push(grant.clone());
        }
    }
    errors.check()?;
    Ok(checked)
}

fn grant(row: &staff_grant::Model) -> Grant {
    Grant {
        role: row.role,
        place: Place::of_columns(row.region_id, row.store_id),
    }
}

/// The roles of some people, in a fixed order.
pub(super) async fn load(
    connection: &impl ConnectionTrait,
    staff: &[StaffId],
) -> Result<HashMap<StaffId, Vec<Grant>>> {
    let mut rows = staff_grant::Entity::find()
        .filter(staff_grant::Column::StaffId.is_in(staff.iter().map(|id| id.0)))
        .all(connection)
        .await?;
    rows.sort_by_key(|row| row.id);
    let mut grants: HashMap<StaffId, Vec<Grant>> = HashMap::new();
    for row in &rows {
        grants.entry(row.staff_id).or_default().push(grant(row));
    }
    Ok(grants)
}

/// Puts these roles in the place of those that the person has.
pub(super) async fn replace(
    tx: &impl ConnectionTrait,
    staff: StaffId,
    grants: &[Grant],
    now: DateTime<Utc>,
) -> Result<()> {
    staff_grant::Entity::delete_many()
        .filter(staff_grant::Column::StaffId.eq(staff.0))
        .exec(tx)
        .await?;
    if grants.is_empty() {
        return Ok(());
    }
    let rows = grants.iter().map(|grant| {
        let (region, store) = grant.place.columns();
        staff_grant::ActiveModel {
            id: Set(GrantId::new()),
            staff_id: Set(staff),
            role: Set(grant.role),
            region_id: Set(region),
            store_id: Set(store),
            created_at: Set(now),
        }
    });
    staff_grant::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The same roles, in whatever order?
pub(super) fn same(one: &[Grant], other: &[Grant]) -> bool {
    one.len() == other.len() && one.iter().all(|grant| other.contains(grant))
}
