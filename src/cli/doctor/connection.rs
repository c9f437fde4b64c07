//! The way to the database, and what its server is like.

use super::report::Report;
use crate::app::{StartError, house};
use crate::config::Configuration;
use crate::db::{Db, Engine, is_no_database, probe};
use crate::error::Error;
use chrono::{DateTime, Utc};
use entity::values::{Clock, SystemClock};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};
use secrecy::ExposeSecret;

/// Does the PostgreSQL server let us in?
pub(super) async fn lets_in(report: &mut Report, configuration: &Configuration) -> bool {
    let Some(url) = &configuration.settings.database.url else {
        return true;
    };
    let url = url.expose_secret();
    if let Some(obstacle) = probe::obstacle(url).await {
        report.fail(
            "database",
            &format!(
                "cannot be reached (address from {}): {obstacle}",
                configuration.source("database.url")
            ),
        );
        return false;
    }
    if probe::is_unguarded(url) {
        report.warn(
            "database",
            "is on another machine whose name is not checked: add ?sslmode=verify-full to the address, so that nobody \
             between can read or pretend",
        );
    }
    true
}

/// Why no connection came about, and what to do.
pub(super) fn cannot_connect(configuration: &Configuration, error: Error) -> String {
    let database = &configuration.settings.database;
    let is_damaged = matches!(&error, Error::Database(cause) if is_no_database(cause));
    let error = StartError::from(error);
    if database.url.is_some() {
        return format!(
            "cannot be reached (address from {}): {error}; is it running, and is the address right?",
            configuration.source("database.url")
        );
    }
    let file = database.data.join("regulars.db");
    if is_damaged {
        format!(
            "{} is damaged, or no database at all: bring it back from a backup",
            file.display()
        )
    } else {
        format!(
            "{} cannot be opened: {error}; may the account that the program runs under read and write it?",
            file.display()
        )
    }
}

async fn ask(db: &Db, question: &str) -> Result<Option<QueryResult>, StartError> {
    let question = Statement::from_string(DbBackend::Postgres, question);
    Ok(db.read().query_one_raw(question).await?)
}

/// Looks at the server's version, its settings and its clock.
pub(super) async fn server(
    report: &mut Report,
    db: &Db,
    configuration: &Configuration,
) -> Result<(), StartError> {
    match house::postgres_version(db).await? {
        Some(version) if version < house::OLDEST_POSTGRES => report.fail(
            "database",
            &format!("is PostgreSQL {}: 15 or newer is needed", version / 10_000),
        ),
        Some(version) => report.ok(
            "database",
            &format!("can be reached, PostgreSQL {}", version / 10_000),
        ),
        None => {
            report.ok("database", "can be opened, embedded engine");
            return Ok(());
        }
    }
    facts(report, db, configuration.settings.database.connections).await?;
    clocks(report, db).await
}

async fn facts(report: &mut Report, db: &Db, connections: u32) -> Result<(), StartError> {
    let facts = "select pg_is_in_recovery() as standby,
            current_setting('default_transaction_read_only') as read_only,
            current_setting('server_encoding') as encoding,
            current_setting('fsync') as fsync,
            current_setting('full_page_writes') as full_pages,
            current_setting('synchronous_commit') as commit,
            current_setting('max_connections')::bigint
                - current_setting('superuser_reserved_connections')::bigint as connections";
    let Some(row) = ask(db, facts).await? else {
        return Ok(());
    };
    let word = |column: &str| row.try_get::<String>("", column);
    if row.try_get::<bool>("", "standby")? {
        report.fail(
            "database",
            "is a standby, which takes no writes: name the primary, or several hosts with \
             ?target_session_attrs=read-write behind a proxy that knows which one it is",
        );
    } else if word("read_only")? == "on" {
        report.fail(
            "database",
            "takes no writes: default_transaction_read_only is on for this account or database; turn it off",
        );
    }
    let encoding = word("encoding")?;
    if encoding != "UTF8" {
        report.fail(
            "database",
            &format!(
                "keeps its text in {encoding}, which has no place for every name: make one with \
                 `createdb --template=template0 --encoding=UTF8`"
            ),
        );
    }
    let lossy: Vec<&str> = [
        ("fsync", "fsync"),
        ("full_page_writes", "full_pages"),
        ("synchronous_commit", "commit"),
    ]
    .into_iter()
    .filter(|(_, column)| word(column).is_ok_and(|value| value == "off"))
    .map(|(setting, _)| setting)
    .collect();
    if !lossy.is_empty() {
        report.warn(
            "database",
            &format!(
                "may lose what was acknowledged when its machine fails: {} is off; turn it on for real data",
                lossy.join(", ")
            ),
        );
    }
    let allowed: i64 = row.try_get("", "connections")?;
    if allowed < i64::from(connections) {
        report.fail(
            "database",
            &format!(
                "allows {allowed} connections and each node may hold {connections}: raise its max_connections, or lower \
                 REGULARS_DATABASE_CONNECTIONS"
            ),
        );
    }
    Ok(())
}

/// May this account read and write the tables?
pub(super) async fn rights(report: &mut Report, db: &Db) -> Result<bool, StartError> {
    if db.engine() == Engine::Sqlite {
        return Ok(true);
    }
    let lacking = "select count(*) as tables, coalesce(min(relname)::text, '') as example, current_user::text as account
        from pg_class where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace
            and not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
                and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete'))";
    let Some(row) = ask(db, lacking).await? else {
        return Ok(true);
    };
    let tables: i64 = row.try_get("", "tables")?;
    if tables > 0 {
        let (example, account): (String, String) =
            (row.try_get("", "example")?, row.try_get("", "account")?);
        report.fail(
            "rights",
            &format!(
                "the account {account} may not read and write {tables} table(s), such as {example}: use the account that \
                 made them, or `grant select, insert, update, delete on all tables in schema public to {account}`, and \
                 the same for sequences"
            ),
        );
    }
    Ok(tables == 0)
}

/// Tokens and codes carry times: nodes and database must agree on them.
async fn clocks(report: &mut Report, db: &Db) -> Result<(), StartError> {
    let before = SystemClock.now();
    let row = ask(db, "select clock_timestamp() as now").await?;
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
