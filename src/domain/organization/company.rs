//! The company that this deployment serves: its money, its country, its language, its time.
//!
//! Called by everybody who needs the currency, the region of phone numbers or the order of names
//! ([`settings`]), by `app` at first start ([`ensure`]) and by an administrator ([`update`]).

use super::change::{Told, check_version, put};
use super::{fixed, parse_name, parse_time_zone};
use crate::access::{Action, Ctx};
use crate::db::Sql;
use crate::error::{Code, Error, Result, UserErrors};
use entity::company;
use entity::ids::CompanyId;
use entity::values::{Collation, PhoneRegion, TimeZone, money};
use iso_currency::Currency;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect,
};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The company, parsed.
#[derive(Clone, Debug)]
pub struct CompanySettings {
    /// The key.
    pub id: CompanyId,
    /// The name shown to customers.
    pub name: String,
    /// The currency in which the company keeps its books.
    pub currency: Currency,
    /// Phone numbers without a country code are read as this country's.
    pub country: PhoneRegion,
    /// BCP 47 tag whose order of names is used.
    pub locale: String,
    /// The order of names.
    pub collation: Collation,
    /// The zone of headquarters.
    pub time_zone: TimeZone,
    /// Grows by one with every change.
    pub version: i64,
}

/// What the company is when it is made; an administrator changes it later.
#[derive(Clone, Debug)]
pub struct CompanyDefaults {
    /// The name shown to customers.
    pub name: String,
    /// ISO 4217 code.
    pub currency: String,
    /// ISO 3166 code.
    pub country: String,
    /// BCP 47 tag.
    pub locale: String,
    /// IANA zone.
    pub time_zone: String,
}

/// A change of the company; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct CompanyChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The name shown to customers.
    pub name: Option<String>,
    /// ISO 4217 code; fixed once there are purchases, tiers or prices.
    pub currency: Option<String>,
    /// ISO 3166 code.
    pub country: Option<String>,
    /// BCP 47 tag; fixed once there are customers or products.
    pub locale: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
}

/// What this process knows of the company. A change by another node is seen after [`FRESH`] at the latest.
#[derive(Debug, Default)]
struct Cache(Mutex<Option<(Instant, Arc<CompanySettings>)>>);

const FRESH: Duration = Duration::from_secs(2);

impl Cache {
    fn fresh(&self) -> Option<Arc<CompanySettings>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .filter(|(read, _)| read.elapsed() < FRESH)
            .map(|(_, settings)| settings.clone())
    }

    /// Keeps what was read at `read`, unless something newer is known by now.
    fn keep(&self, read: Instant, settings: Arc<CompanySettings>) -> Arc<CompanySettings> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, newer)) = kept
            .as_ref()
            .filter(|(_, known)| known.version > settings.version)
        {
            return newer.clone();
        }
        *kept = Some((read, settings.clone()));
        settings
    }
}

/// The company's settings. Costs a statement every two seconds at most.
///
/// # Errors
/// Those of the database; [`Error::Internal`] when the company was never made ([`ensure`]).
pub async fn settings(ctx: &Ctx) -> Result<Arc<CompanySettings>> {
    let cache = ctx.memory.of::<Cache>();
    match cache.fresh() {
        Some(settings) => Ok(settings),
        None => anew(ctx).await,
    }
}

/// Has the settings read from the database when they are asked for next.
pub(super) fn forget(ctx: &Ctx) {
    let cache = ctx.memory.of::<Cache>();
    *cache.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Reads the settings from the database, however fresh what is known of them is.
async fn anew(ctx: &Ctx) -> Result<Arc<CompanySettings>> {
    let read = Instant::now();
    let row = company::Entity::find()
        .one(ctx.db.read())
        .await?
        .ok_or_else(|| Error::internal("the company has not been set up; start the server once"))?;
    Ok(ctx
        .memory
        .of::<Cache>()
        .keep(read, Arc::new(parse_row(&row)?)))
}

/// The company as somebody signed in sees it.
///
/// # Errors
/// As [`settings`] and [`Ctx::require`].
pub async fn read(ctx: &Ctx) -> Result<Arc<CompanySettings>> {
    ctx.require(Action::OrganizationRead)?;
    settings(ctx).await
}

/// The company as it is at this moment, for somebody who has learned that what they knew of it is stale.
///
/// # Errors
/// As [`read`].
pub async fn reread(ctx: &Ctx) -> Result<Arc<CompanySettings>> {
    ctx.require(Action::OrganizationRead)?;
    anew(ctx).await
}

/// Makes the company at the first start; does nothing when it is there. Any number of nodes may do so at once.
///
/// # Errors
/// A user error when the defaults are wrong; those of the database.
pub async fn ensure(ctx: &Ctx, defaults: &CompanyDefaults) -> Result<()> {
    ctx.require(Action::OrganizationManage)?;
    let change = CompanyChange {
        version: 0,
        name: Some(defaults.name.clone()),
        currency: Some(defaults.currency.clone()),
        country: Some(defaults.country.clone()),
        locale: Some(defaults.locale.clone()),
        time_zone: Some(defaults.time_zone.clone()),
    };
    let parsed = &Parsed::read(&change)?;
    ctx.db
        .write(|tx| async move {
            if company::Entity::find().one(&*tx).await?.is_some() {
                return Ok(());
            }
            let now = ctx.now();
            let mut sql = Sql::for_connection(&*tx);
            sql.push("insert into company (id, name, currency, country, locale, time_zone, version, created_at, updated_at) values ");
            sql.push("(").bind(CompanyId::new());
            for word in [&parsed.name, &parsed.currency, &parsed.country, &parsed.locale, &parsed.time_zone] {
                sql.push(", ").bind(word.clone().unwrap_or_default());
            }
            sql.push(", 1, ").bind(now).push(", ").bind(now);
            sql.push(") on conflict (singleton) do nothing");
            tx.execute_raw(sql.build()).await?;
            Ok(())
        })
        .await
}

/// Changes the company.
///
/// # Errors
/// User errors; [`Code::WrongState`] for a currency in which there are purchases or tiers, and for a locale by which
/// customers are ordered (see [`super::fixed`]).
pub async fn update(ctx: &Ctx, change: &CompanyChange) -> Result<Arc<CompanySettings>> {
    ctx.require(Action::OrganizationManage)?;
    let parsed = &Parsed::read(change)?;
    let read = Instant::now();
    let row = ctx
        .db
        .write(|tx| async move {
            let row = company::Entity::find()
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?
                .ok_or_else(|| Error::internal("the company has not been set up"))?;
            check_version(change.version, row.version)?;
            fixed::refuse(
                &*tx,
                &row,
                parsed.currency.as_deref(),
                parsed.locale.as_deref(),
            )
            .await?;
            let mut active = row.clone().into_active_model();
            let mut fields = Vec::new();
            for (field, given, column) in [
                ("name", &parsed.name, &mut active.name),
                ("currencyCode", &parsed.currency, &mut active.currency),
                ("country", &parsed.country, &mut active.country),
                ("locale", &parsed.locale, &mut active.locale),
                ("timeZone", &parsed.time_zone, &mut active.time_zone),
            ] {
                put(&mut fields, field, given.clone(), column);
            }
            if fields.is_empty() {
                return Ok(row);
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let told = Told {
                words: ("company.updated", "company.update"),
                what: "company",
                id: row.id.into(),
                store: None,
                detail: json!({ "fields": fields }),
            };
            told.write(&*tx, ctx).await?;
            Ok(row)
        })
        .await?;
    let settings = Arc::new(parse_row(&row)?);
    Ok(ctx.memory.of::<Cache>().keep(read, settings))
}

/// The parts of a change in their stored form.
struct Parsed {
    name: Option<String>,
    currency: Option<String>,
    country: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
}

impl Parsed {
    fn read(change: &CompanyChange) -> Result<Self> {
        let mut errors = UserErrors::new();
        let invalid = |_: &_| Code::Invalid;
        let name = change
            .name
            .as_ref()
            .and_then(|name| parse_name(&mut errors, "name", name));
        let currency = change.currency.as_ref().and_then(|code| {
            errors.take(
                "currencyCode",
                |_| Code::Invalid,
                money::parse_currency(code),
            )
        });
        let country = change
            .country
            .as_ref()
            .and_then(|code| errors.take("country", invalid, PhoneRegion::parse(code)));
        let locale = change.locale.as_ref().and_then(|tag| {
            // A longer tag is well-formed, but names nothing that this program knows.
            let known = if tag.len() <= 35 { tag.as_str() } else { "" };
            errors.take(
                "locale",
                |_| Code::Invalid,
                Collation::new(known).map(|_| tag.clone()),
            )
        });
        let time_zone = change
            .time_zone
            .as_ref()
            .and_then(|zone| parse_time_zone(&mut errors, "timeZone", zone));
        errors.check()?;
        Ok(Self {
            name,
            currency: currency.map(|currency| currency.code().to_owned()),
            country: country.map(|country| country.code().to_owned()),
            locale,
            time_zone: time_zone.map(|zone| zone.name().to_owned()),
        })
    }
}

fn parse_row(row: &company::Model) -> Result<CompanySettings> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        Error::internal(format!("the company's {what} {error}"))
    };
    Ok(CompanySettings {
        id: row.id,
        name: row.name.clone(),
        currency: money::parse_currency(&row.currency).map_err(|e| wrong("currency", &e))?,
        country: PhoneRegion::parse(&row.country).map_err(|e| wrong("country", &e))?,
        locale: row.locale.clone(),
        collation: Collation::new(&row.locale).map_err(|e| wrong("locale", &e))?,
        time_zone: TimeZone::parse(&row.time_zone).map_err(|e| wrong("time zone", &e))?,
        version: row.version,
    })
}
