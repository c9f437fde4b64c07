//! Chores of the workspace that are more than a command: `cargo xtask help` tells them.
//!
//! For now one: `prove`, the heavy proofs against the real program. See `docs/proofs.md`.

#![expect(
    clippy::print_stdout,
    reason = "what a chore has to say goes to its standard output"
)]

#[macro_use]
mod failure;
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
}

fn main() -> ExitCode {
    let Chore::Prove(args) = Cli::parse().chore;
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
