//! What the gate answers when it does not let a request through.
//!
//! Made by every part of the gate, turned into a response body by `http`. Never carries anything that the caller did
//! not send, apart from names out of the public schema.

use async_graphql::Pos;

/// `extensions.code` of a document that is not GraphQL.
pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// `extensions.code` of a document that does not fit the schema.
pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// `extensions.code` of variables that do not fit the operation.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// `extensions.code` when `operationName` picks no operation.
pub const OPERATION_RESOLUTION_FAILURE: &str = "OPERATION_RESOLUTION_FAILURE";
/// `extensions.code` of everything that goes beyond a limit.
pub const TOO_COSTLY: &str = "TOO_COSTLY";

/// Where in the document an error stands; line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl From<Pos> for Location {
    fn from(pos: Pos) -> Self {
        Self {
            line: pos.line,
            column: pos.column,
        }
    }
}

/// One reason why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateErrorEntry {
    /// Fit to show to a developer: lowercase, without a full stop.
    pub message: String,
    /// The machine-readable class, one of the constants of this module.
    pub code: &'static str,
    /// Places in the document; empty where there is none.
    pub locations: Vec<Location>,
}

/// Why a request was refused before anything of it ran. Holds at least one entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("request refused: {}", .errors.first().map_or("", |entry| entry.message.as_str()))]
pub struct Refusal {
    /// The reasons, capped by [`super::Limits::reported_errors`].
    pub errors: Vec<GateErrorEntry>,
}

impl Refusal {
    /// A refusal for one reason.
    pub fn one(code: &'static str, message: impl Into<String>, at: Option<Pos>) -> Self {
        Self {
            errors: vec![GateErrorEntry {
                message: message.into(),
                code,
                locations: at.into_iter().map(Location::from).collect(),
            }],
        }
    }

    /// A refusal because `what` is `value` where at most `bound` is allowed.
    pub fn limit(
        what: &str,
        value: impl std::fmt::Display,
        bound: impl std::fmt::Display,
        at: Option<Pos>,
    ) -> Self {
        Self::one(
            TOO_COSTLY,
            format!("the request's {what} is {value}, the limit is {bound}"),
            at,
        )
    }

    /// The code of the first reason.
    pub fn code(&self) -> &'static str {
        self.errors
            .first()
            .map_or(BAD_USER_INPUT, |entry| entry.code)
    }
}
