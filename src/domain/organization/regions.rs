//! Regions: stores under one manager.
//!
//! Called by `graphql/organization`, the demo and higher topics. All staff see all regions; an administrator
//! changes them. A region is never deleted: stores and grants point to it.

use super::change::{Told, check_free, check_version, put};
use super::{parse_code, parse_name};
use crate::access::{Action, Ctx};
use crate::error::{Error, Result, UserErrors};
use entity::ids::RegionId;
use entity::region;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde_json::json;
use std::collections::HashMap;

/// A region to be made.
#[derive(Clone, Debug)]
pub struct NewRegion {
    /// The company's own short name for it, unique.
    pub code: String,
    /// The name.
    pub name: String,
}

/// A change of a region; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct RegionChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The company's own short name for it, unique.
    pub code: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// All regions in the order of their codes: there are few by nature.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn all(ctx: &Ctx) -> Result<Vec<region::Model>> {
    ctx.require(Action::OrganizationRead)?;
    let mut regions = region::Entity::find().all(ctx.db.read()).await?;
    // Bytewise, which no two databases differ in.
    regions.sort_by(|one, other| one.code.cmp(&other.code));
    Ok(regions)
}

/// Regions by their ids; what does not exist is left out.
///
/// # Errors
/// As [`all`].
pub async fn by_ids(ctx: &Ctx, ids: &[RegionId]) -> Result<HashMap<RegionId, region::Model>> {
    ctx.require(Action::OrganizationRead)?;
    let regions = region::Entity::find()
        .filter(region::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?;
    Ok(regions
        .into_iter()
        .map(|region| (region.id, region))
        .collect())
}

/// One region.
///
/// # Errors
/// As [`all`].
pub async fn by_id(ctx: &Ctx, id: RegionId) -> Result<Option<region::Model>> {
    Ok(by_ids(ctx, &[id]).await?.remove(&id))
}

/// Makes a region.
///
/// # Errors
/// User errors, such as a code that is in use; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewRegion) -> Result<region::Model> {
    ctx.require(Action::OrganizationManage)?;
    let mut errors = UserErrors::new();
    let code = parse_code(&mut errors, "code", &new.code);
    let name = parse_name(&mut errors, "name", &new.name);
    errors.check()?;
    let (Some(code), Some(name)) = (&code, &name) else {
        return Err(Error::internal("a parsed region is not whole"));
    };
    ctx.db
        .write(|tx| async move {
            check_free::<region::Entity>(&*tx, region::Column::Code, code, "code").await?;
            let now = ctx.now();
            let row = region::ActiveModel {
                id: Set(RegionId::new()),
                code: Set(code.clone()),
                name: Set(name.clone()),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            let words = ("region.created", "region.create");
            told(words, &row, &["code", "name"])
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Changes a region.
///
/// # Errors
/// As [`create`].
pub async fn update(ctx: &Ctx, id: RegionId, change: &RegionChange) -> Result<region::Model> {
    ctx.require(Action::OrganizationManage)?;
    let mut errors = UserErrors::new();
    let code = change
        .code
        .as_ref()
        .and_then(|code| parse_code(&mut errors, "code", code));
    let name = change
        .name
        .as_ref()
        .and_then(|name| parse_name(&mut errors, "name", name));
    errors.check()?;
    let (code, name) = (&code, &name);
    ctx.db
        .write(|tx| async move {
            let row = region::Entity::find_by_id(id)
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?
                .ok_or_else(|| Error::not_found("id", "region"))?;
            check_version(change.version, row.version)?;
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            if put(&mut fields, "code", code.clone(), &mut active.code) {
                let code = active.code.as_ref();
                check_free::<region::Entity>(&*tx, region::Column::Code, code, "code").await?;
            }
            put(&mut fields, "name", name.clone(), &mut active.name);
            if fields.is_empty() {
                return Ok(row);
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = ("region.updated", "region.update");
            told(words, &row, &fields).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

fn told(words: (&'static str, &'static str), row: &region::Model, fields: &[&str]) -> Told {
    Told {
        words,
        what: "region",
        id: row.id.into(),
        store: None,
        detail: json!({ "fields": fields }),
    }
}
