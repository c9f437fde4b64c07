//! `regulars doctor`: looks whether everything is as it should be, and says what to do where it is not.
//!
//! Changes nothing: it makes no file, no key and no change of the schema. Tells where secrets come from, never what
//! they are.

use super::terminal::say;
use crate::access::{Ctx, Secrets};
use crate::app::schema::SchemaState;
use crate::app::{StartError, db_settings, house};
use crate::config::{Configuration, Mode, check, secret_key, secret_to_be_made};
use crate::db::{Db, DbSettings, Engine};
use crate::domain::moving::open;
use crate::domain::organization::{keys, staff};
use chrono::{DateTime, Utc};
use entity::values::{Clock, SystemClock};
use entity::{company, signing_key};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement,
};
use secrecy::ExposeSecret;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Free space of the data directory below which writes will soon fail.
const SPACE_WARN: u64 = 2 << 30;
const SPACE_FAIL: u64 = 200 << 20;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// The lines that were said, and the worst of them.
struct Report(Verdict);

impl Report {
    fn line(&mut self, verdict: Verdict, what: &str, text: &str) {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        say(&format!("{word:<5} {what:<14} {text}"));
        self.0 = self.0.max(verdict);
    }

    fn ok(&mut self, what: &str, text: &str) {
        self.line(Verdict::Ok, what, text);
    }

    fn warn(&mut self, what: &str, text: &str) {
        self.line(Verdict::Warn, what, text);
    }

    fn fail(&mut self, what: &str, text: &str) {
        self.line(Verdict::Fail, what, text);
    }
}

/// Runs the checks; ends with 1 when one failed.
///
/// # Errors
/// None today: what goes wrong is a line of the report.
pub async fn run(configuration: Result<Configuration, StartError>) -> Result<ExitCode, StartError> {
    let mut report = Report(Verdict::Ok);
    match configuration {
        Ok(configuration) => examine(&mut report, &configuration).await,
        Err(error) => report.fail("configuration", &error.to_string()),
    }
    Ok(if report.0 == Verdict::Fail {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn examine(report: &mut Report, configuration: &Configuration) {
    let database = &configuration.settings.database;
    match check(configuration, Mode::Serve) {
        Ok(()) => report.ok("configuration", "can be read and is fit to serve"),
        Err(error) => {
            for message in error.0 {
                report.fail("configuration", &message);
            }
        }
    }
    let is_embedded = database.url.is_none();
    if is_embedded && !database.data.join("regulars.db").exists() {
        report.warn(
            "database",
            &format!(
                "there is none in {} yet: the first `regulars serve` makes it",
                database.data.display()
            ),
        );
        return;
    }
    let secrets = secret(report, configuration);
    if is_embedded {
        data_directory(report, &database.data);
    }
    let settings = DbSettings {
        // Reading a large file through takes its time.
        statement_timeout: Duration::ZERO,
        ..db_settings(database)
    };
    let db = match Db::connect(&settings).await {
        Ok(db) => db,
        Err(error) => {
            let error = StartError::from(error);
            report.fail(
                "database",
                &format!(
                    "cannot be reached (address from {}): {error}; is it running, and is the address right?",
                    configuration.source("database.url")
                ),
            );
            return;
        }
    };
    if let Err(error) = ask(report, &db, secrets).await {
        report.fail("database", &error.to_string());
    }
    // Nothing was written: a connection that closes badly does no harm.
    let _ = db.close().await;
}

fn secret(report: &mut Report, configuration: &Configuration) -> Option<Secrets> {
    if let Some(lost) = secret_to_be_made(configuration) {
        report.fail(
            "secret key",
            &format!(
                "{} is gone, and the signing keys in the database cannot be opened without it: bring it back \
                 from a backup",
                lost.display()
            ),
        );
        return None;
    }
    // The key is there: the generator is never asked.
    match secret_key(configuration, || [0; 32]) {
        Ok(key) => {
            report.ok("secret key", &format!("from {}", key.origin));
            Some(Secrets::derive(key.bytes.expose_secret()))
        }
        Err(error) => {
            report.fail("secret key", &error.to_string());
            None
        }
    }
}

fn data_directory(report: &mut Report, data: &Path) {
    let probe = data.join(format!(".doctor.{}", std::process::id()));
    let written = std::fs::write(&probe, b"probe");
    // Whether it was made or not, it has to be gone.
    let _ = std::fs::remove_file(&probe);
    match written {
        Ok(()) => report.ok("data", &format!("{} can be written", data.display())),
        Err(error) => report.fail(
            "data",
            &format!(
                "{} cannot be written ({error}): give it to the account that the program runs under",
                data.display()
            ),
        ),
    }
    match free_space(data) {
        Some(free) if free < SPACE_FAIL => report.fail(
            "disk",
            &format!("only {} MB are free: writes are about to fail", free >> 20),
        ),
        Some(free) if free < SPACE_WARN => {
            report.warn("disk", &format!("only {} MB are free", free >> 20));
        }
        Some(free) => report.ok("disk", &format!("{} MB are free", free >> 20)),
        None => report.warn("disk", "the free space cannot be told here"),
    }
}

#[cfg(unix)]
fn free_space(path: &Path) -> Option<u64> {
    let figures = rustix::fs::statvfs(path).ok()?;
    figures.f_bavail.checked_mul(figures.f_frsize)
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}

async fn ask(report: &mut Report, db: &Db, secrets: Option<Secrets>) -> Result<(), StartError> {
    let is_open = secrets.is_some();
    match house::postgres_version(db).await? {
        Some(version) if version < house::OLDEST_POSTGRES => report.fail(
            "database",
            &format!("is PostgreSQL {}: 15 or newer is needed", version / 10_000),
        ),
        Some(version) => report.ok(
            "database",
            &format!("can be reached, PostgreSQL {}", version / 10_000),
        ),
        None => report.ok("database", "can be opened, embedded engine"),
    }
    clocks(report, db).await?;
    let state = SchemaState::read(db.read()).await?;
    match state.fit() {
        Ok(()) if state.newer.is_empty() => report.ok("schema", "fits this program"),
        Ok(()) => report.warn(
            "schema",
            "is of a newer program and bears this one: finish the upgrade",
        ),
        Err(error) => {
            report.fail("schema", &error.to_string());
            // What follows reads tables that may not be there.
            return Ok(());
        }
    }
    // Without the secret nothing below depends on it but the signing keys.
    let ctx = Ctx::system(
        db.clone(),
        Arc::new(SystemClock),
        Arc::new(secrets.unwrap_or_else(|| Secrets::derive(&[0; 32]))),
    );
    if is_open {
        signing_keys(report, &ctx).await?;
    }
    people(report, &ctx).await?;
    references(report, &ctx).await?;
    records(report, db).await
}

/// What files name that is not there yet.
async fn references(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    match open::count(ctx).await? {
        0 => report.ok("references", "all that imported files name is there"),
        count => report.warn(
            "references",
            &format!(
                "{count} of imported files name what is not there: `regulars import open` lists them, and the next \
                 import looks for them again"
            ),
        ),
    }
    Ok(())
}

/// Is the embedded engine's file whole? A server looks after its own.
async fn records(report: &mut Report, db: &Db) -> Result<(), StartError> {
    if db.engine() == Engine::Postgres {
        return Ok(());
    }
    let first = async |question: &str| -> Result<Option<String>, StartError> {
        let question = Statement::from_string(DbBackend::Sqlite, question);
        match db.read().query_one_raw(question).await {
            Ok(row) => Ok(row.map(|row| row.try_get_by_index(0)).transpose()?),
            // A file may be so damaged that it cannot even be asked.
            Err(error) => Ok(Some(error.to_string())),
        }
    };
    let found = first("pragma quick_check(1)").await?;
    let damage = found.filter(|found| found != "ok");
    let orphan = first("pragma foreign_key_check").await?;
    match (damage, orphan) {
        (None, None) => report.ok("records", "the file is whole, and all that belongs together is there"),
        (Some(damage), _) => report.fail(
            "records",
            &format!("the file is damaged ({damage}): bring it back from a backup"),
        ),
        (None, Some(table)) => report.fail(
            "records",
            &format!(
                "rows of {table} refer to nothing: somebody changed the file by hand; bring it back from a backup"
            ),
        ),
    }
    Ok(())
}

/// Tokens and codes carry times: nodes and database must agree on them.
async fn clocks(report: &mut Report, db: &Db) -> Result<(), StartError> {
    if db.engine() == Engine::Sqlite {
        return Ok(());
    }
    let before = SystemClock.now();
    let row = db
        .read()
        .query_one_raw(Statement::from_string(
            DbBackend::Postgres,
            "select clock_timestamp() as now",
        ))
        .await?;
    let after = SystemClock.now();
    let Some(row) = row else { return Ok(()) };
    let there: DateTime<Utc> = row.try_get("", "now")?;
    // What lies between question and answer is no difference.
    let apart = if there < before {
        before - there
    } else if there > after {
        there - after
    } else {
        chrono::TimeDelta::zero()
    };
    let text = format!(
        "this machine and the database are {} ms apart",
        apart.num_milliseconds()
    );
    if apart.num_seconds() >= 30 {
        report.fail(
            "clock",
            &format!("{text}: tokens will be refused; set the time by NTP"),
        );
    } else if apart.num_seconds() >= 2 {
        report.warn("clock", &format!("{text}: set the time by NTP"));
    } else {
        report.ok("clock", &text);
    }
    Ok(())
}

/// Tokens are signed with keys that only the right secret opens.
async fn signing_keys(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    if signing_key::Entity::find()
        .one(ctx.db.read())
        .await?
        .is_none()
    {
        report.warn(
            "signing keys",
            "there are none yet: the first `regulars serve` makes one",
        );
        return Ok(());
    }
    // Reads the keys only: whether one is to be made is asked by the server.
    match keys::opens(ctx).await {
        Ok(()) => report.ok("signing keys", "are opened by the secret key"),
        Err(error) => report.fail("signing keys", &StartError::from(error).to_string()),
    }
    Ok(())
}

async fn people(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    let db = &ctx.db;
    if company::Entity::find().one(db.read()).await?.is_some() {
        report.ok("company", "is set up");
    } else {
        report.warn(
            "company",
            "is not set up yet: the first `regulars serve` does",
        );
    }
    let working = entity::staff::Entity::find()
        .filter(entity::staff::Column::DisabledAt.is_null())
        .count(db.read())
        .await?;
    if working == 0 {
        report.warn(
            "staff",
            "nobody can sign in: make an administrator with `regulars staff create`",
        );
    } else {
        report.ok("staff", &format!("{working} account(s)"));
    }
    if staff::demo_can_sign_in(ctx).await? {
        report.fail(
            "demo accounts",
            "can sign in with a password that everybody knows: disable them with `regulars staff disable`",
        );
    } else {
        report.ok("demo accounts", "none can sign in");
    }
    Ok(())
}
