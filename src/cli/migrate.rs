//! `regulars migrate`: changes the schema, or tells its state.
//!
//! The embedded engine changes it by itself at the start; a PostgreSQL server is changed only by this command.

use super::terminal::say;
use crate::app::{StartError, db_settings, logging, schema};
use crate::config::Configuration;
use crate::db::Db;
use clap::Subcommand;
use std::process::ExitCode;

/// What to do with the schema.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Make all changes that are pending.
    Up,
    /// Undo the last changes. What only the newer schema can hold is lost.
    Down {
        /// How many.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Yes, undo them.
        #[arg(long)]
        yes: bool,
    },
    /// Tell which changes are made and which are pending.
    Status,
}

impl Migrate {
    /// Runs the command. `status` ends with 2 when changes are pending.
    ///
    /// # Errors
    /// A schema that a newer program has changed; those of the database.
    pub async fn run(self, configuration: &Configuration) -> Result<ExitCode, StartError> {
        logging::start(&configuration.settings)?;
        let database = &configuration.settings.database;
        match self {
            Self::Up => {
                let made = schema::up(database).await?;
                for name in &made {
                    say(&format!("made {name}"));
                }
                if made.is_empty() {
                    say("nothing to do");
                }
                Ok(ExitCode::SUCCESS)
            }
            Self::Down { steps, yes } => {
                if !yes {
                    return Err(StartError::Refused(format!(
                        "undoing {steps} change(s) may lose data: stop every server, make a backup, and repeat \
                         the command with --yes"
                    )));
                }
                for name in schema::down(database, steps).await? {
                    say(&format!("undid {name}"));
                }
                Ok(ExitCode::SUCCESS)
            }
            Self::Status => status(configuration).await,
        }
    }
}

async fn status(configuration: &Configuration) -> Result<ExitCode, StartError> {
    let db = Db::connect(&db_settings(&configuration.settings.database)).await?;
    let state = schema::SchemaState::read(db.read()).await?;
    db.close().await?;
    for name in &state.applied {
        let by = if state.newer.contains(name) {
            " (by a newer program)"
        } else {
            ""
        };
        say(&format!("made     {name}{by}"));
    }
    for name in &state.pending {
        say(&format!("pending  {name}"));
    }
    Ok(if state.pending.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}
