//! Chores of the workspace that are more than a command: `cargo xtask help` tells them.
//!
//! `prove` runs the heavy proofs against the real program, see `docs/proofs.md`; `data-model` draws `docs/data-model.svg`.

#![expect(
    clippy::print_stdout,
    reason = "what a chore has to say goes to its standard output"
)]

#[macro_use]
mod failure;
mod data_model;
mod prove;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of the workspace.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run heavy proofs against the real program.
    Prove(prove::ProveArgs),
    /// Draw the data model from the entities, as docs/data-model.svg.
    DataModel(data_model::DataModelArgs),
}

fn main() -> ExitCode {
    match Cli::parse().chore {
        Chore::Prove(args) => prove(args),
        Chore::DataModel(args) => match data_model::run(&args) {
            Ok(words) => {
                println!("{words}");
                ExitCode::SUCCESS
            }
            Err(failure) => {
                println!("FAILED: {failure}");
                ExitCode::FAILURE
            }
        },
    }
}

fn prove(args: prove::ProveArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("FAILED: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(prove::run(args))
}
