//! Stores, real or on the web.
//!
//! Called by `graphql/organization`, the demo and higher topics, which need a store's zone for its business
//! days. All staff see all stores; an administrator changes them. A store is never deleted, only archived:
//! visits and customers point to it.

use super::change::{Told, check_free, check_version, put};
use super::{by_name, parse_code, parse_name, parse_time_zone, pattern};
use crate::access::{Action, Ctx};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::{Code, Error, Result, UserErrors};
use entity::ids::{RegionId, StoreId};
use entity::values::OpeningHours;
use entity::values::opening_hours::Interval;
use entity::{region, store};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde_json::json;
use std::collections::HashMap;

/// A store to be made.
#[derive(Clone, Debug)]
pub struct NewStore {
    /// The region it belongs to.
    pub region: RegionId,
    /// The company's own short name for it, unique.
    pub code: String,
    /// The name.
    pub name: String,
    /// IANA zone; the company's when left out.
    pub time_zone: Option<String>,
    /// When it is open; never, when left out.
    pub opening_hours: Vec<Interval>,
}

/// A change of a store; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct StoreChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The region it belongs to.
    pub region: Option<RegionId>,
    /// The company's own short name for it, unique.
    pub code: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// When it is open.
    pub opening_hours: Option<Vec<Interval>>,
}

/// Which stores a list has; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct StoreFilter {
    /// Part of the code or the name; letters A to Z match in either case.
    pub query: Option<String>,
    /// Of this region.
    pub region: Option<RegionId>,
    /// Closed for good, or not.
    pub archived: Option<bool>,
}

/// By what a list of stores is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreOrder {
    /// By code, bytewise, which no two databases differ in.
    #[default]
    Code,
    /// By name, as the company's locale has it.
    Name,
}

/// A text column compared by its bytes, whatever the database's own order is.
fn bytewise(ctx: &Ctx, table: &str, column: &str) -> Expr {
    let collation = match ctx.db.engine() {
        crate::db::Engine::Postgres => " collate \"C\"",
        crate::db::Engine::Sqlite => "",
    };
    Expr::cust(format!("\"{table}\".\"{column}\"{collation}"))
}

/// The condition that one of a table's columns has the text in it; letters A to Z match in either case.
pub(in crate::domain) fn contains(
    ctx: &Ctx,
    table: &str,
    columns: &[&str],
    text: &str,
) -> Condition {
    let mut any = Condition::any();
    for column in columns {
        let folded = sea_orm::sea_query::Func::lower(bytewise(ctx, table, column));
        any = any.add(
            Expr::expr(folded).like(sea_orm::sea_query::LikeExpr::new(pattern(text)).escape('\\')),
        );
    }
    any
}

fn condition(ctx: &Ctx, filter: &StoreFilter) -> Condition {
    let mut all = Condition::all();
    if let Some(query) = filter
        .query
        .as_deref()
        .filter(|query| !query.trim().is_empty())
    {
        all = all.add(contains(ctx, "store", &["code", "name"], query));
    }
    if let Some(region) = filter.region {
        all = all.add(store::Column::RegionId.eq(region.0));
    }
    all.add_option(filter.archived.map(|archived| {
        if archived {
            store::Column::ArchivedAt.is_not_null()
        } else {
            store::Column::ArchivedAt.is_null()
        }
    }))
}

/// A page of stores.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn list(
    ctx: &Ctx,
    filter: &StoreFilter,
    order: StoreOrder,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<store::Model>> {
    ctx.require(Action::OrganizationRead)?;
    let select = store::Entity::find().filter(condition(ctx, filter));
    if order == StoreOrder::Code {
        return Keyset::new(
            bytewise(ctx, "store", "code"),
            Expr::col((store::Entity, store::Column::Id)),
            sort,
        )
        .page(ctx.db.read(), select, page)
        .await;
    }
    let named: Vec<(StoreId, String)> = select
        .select_only()
        .columns([store::Column::Id, store::Column::Name])
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    let page = by_name::page(named, &super::settings(ctx).await?.collation, sort, page)?;
    let mut rows = by_ids(ctx, &page.items).await?;
    Ok(page.keep(|id| rows.remove(&id)))
}

/// How many stores the list has.
///
/// # Errors
/// As [`list`].
pub async fn count(ctx: &Ctx, filter: &StoreFilter) -> Result<u64> {
    ctx.require(Action::OrganizationRead)?;
    Ok(store::Entity::find()
        .filter(condition(ctx, filter))
        .count(ctx.db.read())
        .await?)
}

/// Stores by their ids; what does not exist is left out.
///
/// # Errors
/// As [`list`].
pub async fn by_ids(ctx: &Ctx, ids: &[StoreId]) -> Result<HashMap<StoreId, store::Model>> {
    ctx.require(Action::OrganizationRead)?;
    let stores = store::Entity::find()
        .filter(store::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?;
    Ok(stores.into_iter().map(|store| (store.id, store)).collect())
}

/// One store.
///
/// # Errors
/// As [`list`].
pub async fn by_id(ctx: &Ctx, id: StoreId) -> Result<Option<store::Model>> {
    Ok(by_ids(ctx, &[id]).await?.remove(&id))
}

/// The store with this code, as files and commands name it.
///
/// # Errors
/// As [`list`].
pub async fn by_code(ctx: &Ctx, code: &str) -> Result<Option<store::Model>> {
    ctx.require(Action::OrganizationRead)?;
    Ok(store::Entity::find()
        .filter(store::Column::Code.eq(code))
        .one(ctx.db.read())
        .await?)
}

/// Stores that have not closed, by their codes.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn open_by_code(ctx: &Ctx) -> Result<HashMap<String, StoreId>> {
    ctx.require(Action::OrganizationRead)?;
    let rows: Vec<(String, StoreId)> = store::Entity::find()
        .select_only()
        .columns([store::Column::Code, store::Column::Id])
        .filter(store::Column::ArchivedAt.is_null())
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    Ok(rows.into_iter().collect())
}

/// The codes of all stores.
///
/// # Errors
/// As [`list`].
pub async fn codes(ctx: &Ctx) -> Result<HashMap<StoreId, String>> {
    ctx.require(Action::OrganizationRead)?;
    let rows: Vec<(StoreId, String)> = store::Entity::find()
        .select_only()
        .columns([store::Column::Id, store::Column::Code])
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    Ok(rows.into_iter().collect())
}

fn parse_hours(errors: &mut UserErrors, hours: &[Interval]) -> Option<serde_json::Value> {
    let hours = errors.take(
        "openingHours",
        |error| match error {
            entity::values::opening_hours::OpeningHoursError::TooMany => Code::TooMany,
            _ => Code::Invalid,
        },
        OpeningHours::new(hours),
    )?;
    Some(json!(hours))
}

/// Makes a store.
///
/// # Errors
/// User errors, such as a code that is in use; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewStore) -> Result<store::Model> {
    ctx.require(Action::OrganizationManage)?;
    let company = super::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let code = parse_code(&mut errors, "code", &new.code);
    let name = parse_name(&mut errors, "name", &new.name);
    let zone = match &new.time_zone {
        Some(zone) => parse_time_zone(&mut errors, "timeZone", zone),
        None => Some(company.time_zone),
    };
    let hours = parse_hours(&mut errors, &new.opening_hours);
    errors.check()?;
    let (Some(code), Some(name), Some(zone), Some(hours)) = (&code, &name, zone, &hours) else {
        return Err(Error::internal("a parsed store is not whole"));
    };
    ctx.db
        .write(|tx| async move {
            check_region(&*tx, new.region).await?;
            check_free::<store::Entity>(&*tx, store::Column::Code, code, "code").await?;
            let now = ctx.now();
            let row = store::ActiveModel {
                id: Set(StoreId::new()),
                region_id: Set(new.region),
                code: Set(code.clone()),
                name: Set(name.clone()),
                time_zone: Set(zone.name().to_owned()),
                opening_hours: Set(hours.clone()),
                archived_at: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            let words = ("store.created", "store.create");
            told(words, &row, &[]).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

/// Changes a store. A new time zone counts for visits from now on; the business days written before stay.
///
/// # Errors
/// As [`create`].
pub async fn update(ctx: &Ctx, id: StoreId, change: &StoreChange) -> Result<store::Model> {
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
    let zone = change
        .time_zone
        .as_ref()
        .and_then(|zone| parse_time_zone(&mut errors, "timeZone", zone));
    let hours = change
        .opening_hours
        .as_ref()
        .and_then(|hours| parse_hours(&mut errors, hours));
    errors.check()?;
    let (code, name, hours) = (&code, &name, &hours);
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id, change.version).await?;
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            if put(&mut fields, "region", change.region, &mut active.region_id) {
                check_region(&*tx, *active.region_id.as_ref()).await?;
            }
            if put(&mut fields, "code", code.clone(), &mut active.code) {
                let code = active.code.as_ref();
                check_free::<store::Entity>(&*tx, store::Column::Code, code, "code").await?;
            }
            put(&mut fields, "name", name.clone(), &mut active.name);
            let zone = zone.map(|zone| zone.name().to_owned());
            put(&mut fields, "timeZone", zone, &mut active.time_zone);
            let hours = hours.clone();
            put(
                &mut fields,
                "openingHours",
                hours,
                &mut active.opening_hours,
            );
            if fields.is_empty() {
                return Ok(row);
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = ("store.updated", "store.update");
            told(words, &row, &fields).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

/// Archives a store that has closed for good, or opens it again. Nothing else changes: its customers and its
/// history stay.
///
/// # Errors
/// User errors, such as a stale version; as [`Ctx::require`]; those of the database.
pub async fn archive(ctx: &Ctx, id: StoreId, version: i64, archived: bool) -> Result<store::Model> {
    ctx.require(Action::OrganizationManage)?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id, version).await?;
            if row.archived_at.is_some() == archived {
                return Ok(row);
            }
            let mut active = row.clone().into_active_model();
            active.archived_at = Set(archived.then(|| ctx.now()));
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = if archived {
                ("store.archived", "store.archive")
            } else {
                ("store.reopened", "store.reopen")
            };
            told(words, &row, &[]).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

async fn locked(tx: &impl ConnectionTrait, id: StoreId, version: i64) -> Result<store::Model> {
    let row = store::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "store"))?;
    check_version(version, row.version)?;
    Ok(row)
}

async fn check_region(tx: &impl ConnectionTrait, id: RegionId) -> Result<()> {
    match region::Entity::find_by_id(id).one(tx).await? {
        Some(_) => Ok(()),
        None => Err(Error::not_found("regionId", "region")),
    }
}

fn told(words: (&'static str, &'static str), row: &store::Model, fields: &[&str]) -> Told {
    Told {
        words,
        what: "store",
        id: row.id.into(),
        store: Some(row.id),
        detail: json!({ "fields": fields }),
    }
}
