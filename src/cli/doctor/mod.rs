//! `regulars doctor`: looks whether everything is as it should be, and says what to do where it is not.
//!
//! Changes nothing: it makes no file, no key and no change of the schema. Tells where secrets come from, never what
//! they are. From the outside in: settings, machine, server, schema, keys, people, work, records.

mod connection;
mod documents;
mod keys;
mod listener;
mod people;
mod place;
mod records;
mod report;
mod work;

use crate::access::{Ctx, Secrets};
use crate::app::schema::SchemaState;
use crate::app::{StartError, db_settings};
use crate::config::{Configuration, Mode, check, secret_to_be_made};
use crate::db::{Db, DbSettings};
use clap::Args;
use entity::values::SystemClock;
use report::Report;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How closely to look.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {
    /// Hold everything in the database against everything else too: after a restore, or in doubt. It reads the whole
    /// database.
    #[arg(long)]
    thorough: bool,
}

/// Runs the checks; ends with 1 when one failed.
///
/// # Errors
/// None today: what goes wrong is a line of the report.
pub async fn run(
    configuration: Result<Configuration, StartError>,
    args: DoctorArgs,
) -> Result<ExitCode, StartError> {
    let mut report = Report::new();
    match configuration {
        Ok(configuration) => examine(&mut report, &configuration, args).await,
        Err(error) => report.fail("configuration", &error.to_string()),
    }
    Ok(if report.has_failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn examine(report: &mut Report, configuration: &Configuration, args: DoctorArgs) {
    let database = &configuration.settings.database;
    match check(configuration, Mode::Serve) {
        Ok(()) => report.ok("configuration", "can be read and is fit to serve"),
        Err(error) => {
            for message in error.0 {
                report.fail("configuration", &message);
            }
        }
    }
    listener::look(report, configuration).await;
    if database.url.is_none() && !database.data.join("regulars.db").exists() {
        report.warn(
            "database",
            &format!(
                "there is none in {} yet: the first `regulars serve` makes it",
                database.data.display()
            ),
        );
        place::to_be_made(report, &database.data);
        return;
    }
    let lost = secret_to_be_made(configuration);
    let secrets = match &lost {
        // What that means depends on what is in the database.
        Some(_) => None,
        None => keys::secret(report, configuration),
    };
    if database.url.is_none() {
        place::data_directory(report, &database.data);
    } else if !connection::lets_in(report, configuration).await {
        return;
    }
    let settings = DbSettings {
        // Reading a large file through takes its time.
        statement_timeout: Duration::ZERO,
        ..db_settings(database)
    };
    let db = match Db::connect(&settings).await {
        Ok(db) => db,
        Err(error) => {
            report.fail(
                "database",
                &connection::cannot_connect(configuration, error),
            );
            return;
        }
    };
    if let Err(error) = ask(report, &db, configuration, secrets, lost.as_deref(), args).await {
        report.fail("database", &error.to_string());
    }
    // Nothing was written: a connection that closes badly does no harm.
    let _ = db.close().await;
}

/// Asks the database; `lost` is the file of the secret key where there should be one and is none.
async fn ask(
    report: &mut Report,
    db: &Db,
    configuration: &Configuration,
    secrets: Option<Secrets>,
    lost: Option<&Path>,
    args: DoctorArgs,
) -> Result<(), StartError> {
    let is_open = secrets.is_some();
    connection::server(report, db, configuration).await?;
    if !connection::rights(report, db).await? {
        return Ok(());
    }
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
    if let Some(file) = lost {
        keys::missing_secret(report, db, file).await?;
    }
    // Without the secret nothing below depends on it but the signing keys.
    let ctx = Ctx::system(
        db.clone(),
        Arc::new(SystemClock),
        Arc::new(secrets.unwrap_or_else(|| Secrets::derive(&[0; 32]))),
    );
    if is_open {
        keys::signing_keys(report, &ctx).await?;
    }
    people::look(report, &ctx).await?;
    people::groups(report, &ctx, &configuration.settings.oidc.groups).await?;
    people::references(report, &ctx).await?;
    documents::look(report, &ctx, &configuration.settings).await?;
    work::look(report, &ctx).await?;
    records::look(report, db, args.thorough).await
}
