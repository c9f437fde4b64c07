//! `regulars schema`: prints the GraphQL schema, which needs neither configuration nor database.

use super::terminal::say;
use crate::graphql::root;
use std::process::ExitCode;

/// Runs the command.
pub fn run() -> ExitCode {
    say(root::sdl().trim_end());
    ExitCode::SUCCESS
}
