//! The commands: one file each.
//!
//! Called by `main`. A command reads the configuration, opens the [`House`] and asks the same
//! services as the API, as the program itself. Answers go to standard output, everything else to standard error.

mod backup;
mod demo;
mod doctor;
mod documents;
mod export;
mod first_store;
mod health;
mod import;
mod import_words;
mod migrate;
mod schema;
mod serve;
pub mod staff;
pub mod terminal;

use crate::app::{House, StartError, logging, traces};
use crate::config::{Configuration, Mode, Options};
use clap::{Args, Parser, Subcommand};
use entity::values::SystemClock;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// A GraphQL backend for shops that live from customers who come back.
#[derive(Debug, Parser)]
#[command(name = "regulars", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
struct Global {
    /// The configuration file (TOML); `REGULARS_CONFIG` names it too.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory of the embedded engine.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address of a PostgreSQL server. It can be seen in the list of processes: better set `DATABASE_URL`.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
}

impl Global {
    fn configuration(&self, listen: Option<String>) -> Result<Configuration, StartError> {
        let options = Options {
            file: self.config.clone(),
            data: self.data.clone(),
            database_url: self.database_url.clone(),
            listen,
        };
        Ok(Configuration::load(&options, std::env::vars_os())?)
    }

    /// Opens the house for a command that works beside the server.
    async fn house(&self) -> Result<House, StartError> {
        let configuration = self.configuration(None)?;
        logging::start(&configuration.settings)?;
        House::open(configuration, Mode::Serve, Arc::new(SystemClock)).await
    }

    async fn staff(&self, command: staff::StaffCommand) -> Result<ExitCode, StartError> {
        let house = self.house().await?;
        let outcome = staff::run(&house.ctx, command).await;
        house.close().await?;
        outcome?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Global {
    async fn documents(
        &self,
        command: documents::DocumentsCommand,
    ) -> Result<ExitCode, StartError> {
        let house = self.house().await?;
        let outcome = documents::run(&house, command).await;
        house.close().await?;
        outcome?;
        Ok(ExitCode::SUCCESS)
    }

    async fn export(&self, command: export::ExportCommand) -> Result<ExitCode, StartError> {
        let house = self.house().await?;
        let outcome = export::run(&house.ctx, command).await;
        house.close().await?;
        outcome?;
        Ok(ExitCode::SUCCESS)
    }

    async fn import(&self, command: import::ImportCommand) -> Result<ExitCode, StartError> {
        let configuration = self.configuration(None)?;
        logging::start(&configuration.settings)?;
        import::run(configuration, command).await?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests until told to stop.
    Serve {
        /// Address and port to listen on; port 0 takes any free one.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Fill a database with an invented retailer and serve it.
    Demo(demo::DemoArgs),
    /// Change the database's schema, or tell its state.
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Make, list and disable accounts of staff, and set their passwords.
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Register, list and remove the documents that run where only registered ones do.
    #[command(subcommand)]
    Documents(documents::DocumentsCommand),
    /// Bring in the history of another system.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Write customers, cards, visits or purchases into a file, as of one moment.
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Print the GraphQL schema.
    Schema,
    /// Look whether everything is as it should be.
    Doctor(doctor::DoctorArgs),
    /// Ask the server on this machine whether it is ready; end with 1 when it is not.
    Health {
        /// Address and port on which it listens.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Copy the embedded engine's database beside a running server.
    Backup(backup::BackupArgs),
    /// Bring a backup back into an empty data directory.
    Restore(backup::RestoreArgs),
}

/// Runs the command that the command line names.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&format!("the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(cli.run());
    traces::finish();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    async fn run(self) -> Result<ExitCode, StartError> {
        match self.command {
            Command::Serve { listen } => serve::run(self.global.configuration(listen)?).await,
            Command::Demo(args) => demo::run(self.global, args).await,
            Command::Staff(command) => self.global.staff(command).await,
            Command::Documents(command) => self.global.documents(command).await,
            Command::Import(command) => self.global.import(command).await,
            Command::Export(command) => self.global.export(command).await,
            Command::Schema => Ok(schema::run()),
            Command::Migrate(command) => command.run(&self.global.configuration(None)?).await,
            Command::Doctor(args) => doctor::run(self.global.configuration(None), args).await,
            Command::Health { listen } => health::run(&self.global.configuration(listen)?).await,
            Command::Backup(args) => {
                backup::make(&self.global.configuration(None)?, args).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Restore(args) => {
                backup::restore(&self.global.configuration(None)?, args).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
