//! What of the company can no longer be changed: its currency once an amount is kept in it (a purchase, a tier's
//! threshold, a price), its locale once a customer, a product or a group is kept in its order of names. Another currency would make every amount
//! mean something else; another locale would leave the stored order of names behind.
//!
//! [`super::company`] refuses such a change. Whoever writes the first amount, the first customer, product or group calls
//! [`hold_currency`] or [`hold_locale`] in the same transaction: what was computed by settings that have changed since
//! is not written, and no change comes between. Once there is such a row a process remembers it and pays nothing.

use crate::access::Ctx;
use crate::db::{Engine, Sql};
use crate::error::{Code, Error, Result, UserErrors};
use entity::company;
use iso_currency::Currency;
use sea_orm::{ConnectionTrait, EntityTrait};
use std::sync::atomic::{AtomicBool, Ordering};

/// The key of the advisory lock that first writers share and a change of currency or locale has to itself.
const LOCK: i64 = i64::from_be_bytes(*b"company\0");

/// What a process has seen to be fixed. It stays so: none of these is ever deleted.
#[derive(Debug, Default)]
struct Seen {
    currency: AtomicBool,
    locale: AtomicBool,
}

const AMOUNTS: [&str; 3] = ["purchase", "tier", "product_price"];
const NAMES: [&str; 3] = ["customer", "product", "customer_group"];

/// Makes sure, in a transaction that writes amounts, that the company still keeps its books in this currency, and that
/// it does so until the transaction ends.
///
/// # Errors
/// [`Code::WrongState`] when the currency has just been changed; those of the database.
pub async fn hold_currency(tx: &impl ConnectionTrait, ctx: &Ctx, currency: Currency) -> Result<()> {
    let seen = ctx.memory.of::<Seen>();
    hold(tx, ctx, &seen.currency, &AMOUNTS, |row| {
        row.currency == currency.code()
    })
    .await
}

/// Makes sure, in a transaction that writes a customer, a product or a group, that names are still ordered as this locale has it, and that
/// they are until the transaction ends.
///
/// # Errors
/// [`Code::WrongState`] when the locale has just been changed; those of the database.
pub async fn hold_locale(tx: &impl ConnectionTrait, ctx: &Ctx, locale: &str) -> Result<()> {
    let seen = ctx.memory.of::<Seen>();
    hold(tx, ctx, &seen.locale, &NAMES, |row| row.locale == locale).await
}

async fn hold(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    seen: &AtomicBool,
    tables: &[&str],
    holds: impl Fn(&company::Model) -> bool,
) -> Result<()> {
    if seen.load(Ordering::Relaxed) {
        return Ok(());
    }
    // Asked before anything of this transaction's own is there: what is found is committed.
    let is_fixed = any(tx, tables).await?;
    // On the embedded engine writers are alone anyway.
    if !is_fixed && Engine::of(tx) == Engine::Postgres {
        lock(tx, "pg_advisory_xact_lock_shared").await?;
    }
    let row = company::Entity::find().one(tx).await?;
    if !row.as_ref().is_some_and(holds) {
        // What this process remembers is what the caller went by.
        super::company::forget(ctx);
        return Err(Error::user(
            Code::WrongState,
            "",
            "the company's currency or locale was changed a moment ago; repeat your change",
        ));
    }
    seen.store(is_fixed, Ordering::Relaxed);
    Ok(())
}

/// Refuses a change of what is fixed; the company's row is locked. Waits for those who [`hold_currency`] or
/// [`hold_locale`].
///
/// # Errors
/// [`Code::WrongState`] at `currencyCode` and `locale`; those of the database.
pub(super) async fn refuse(
    tx: &impl ConnectionTrait,
    row: &company::Model,
    currency: Option<&str>,
    locale: Option<&str>,
) -> Result<()> {
    let currency = currency.filter(|new| *new != row.currency);
    let locale = locale.filter(|new| *new != row.locale);
    if currency.is_none() && locale.is_none() {
        return Ok(());
    }
    if Engine::of(tx) == Engine::Postgres {
        lock(tx, "pg_advisory_xact_lock").await?;
    }
    let mut errors = UserErrors::new();
    if currency.is_some() && any(tx, &AMOUNTS).await? {
        errors.push(
            Code::WrongState,
            "currencyCode",
            format!(
                "there are purchases, tiers or prices in {}, so the currency can no longer be changed; start with an empty \
                 database to keep books in another one",
                row.currency
            ),
        );
    }
    if locale.is_some() && any(tx, &NAMES).await? {
        errors.push(
            Code::WrongState,
            "locale",
            format!(
                "customers, products or groups are kept in the order of names of {}, so the locale can no longer be changed; \
                 start with an empty database to keep them in another one",
                row.locale
            ),
        );
    }
    errors.check()
}

async fn lock(tx: &impl ConnectionTrait, kind: &str) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("select ")
        .push(kind)
        .push("(")
        .bind(LOCK)
        .push(")");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Has one of these tables a row?
async fn any(tx: &impl ConnectionTrait, tables: &[&str]) -> Result<bool> {
    for table in tables {
        let mut sql = Sql::for_connection(tx);
        sql.push("select 1 as one from ")
            .push(table)
            .push(" limit 1");
        if tx.query_one_raw(sql.build()).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
