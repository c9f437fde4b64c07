//! One error type for the whole program, and the one table of codes that callers meet.
//!
//! Everything above returns [`Error`]. What a caller can put right is [`Error::User`] and travels in a
//! payload's `userErrors`; the rest becomes `errors` with `extensions.code` at the edge. The inner cause of
//! [`Error::Internal`] goes to the log only: a caller sees an id to ask about.

use entity::values::TextError;
use std::borrow::Cow;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can put right about an input; the closed set behind `UserError.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
#[graphql(name = "UserErrorCode")]
pub enum Code {
    /// A value is missing that this change needs.
    Required,
    /// A value is not of the form it must have; the message says which form that is.
    Invalid,
    /// A text is longer than the field holds.
    TooLong,
    /// A number or date lies outside what is possible here.
    OutOfRange,
    /// Nothing with this id exists, or you may not see it.
    NotFound,
    /// Another record already has this value, which must be unique.
    Taken,
    /// Somebody else has changed the record since you read it; read it again and repeat your change.
    StaleVersion,
    /// The idempotency key was used before with another input; use a new key for a new change.
    IdempotencyMismatch,
    /// A receipt with this number is recorded already with other content.
    ReceiptConflict,
    /// More is given back than was bought, or than is left after earlier returns.
    ReturnExceeds,
    /// The amount's currency is not the company's.
    CurrencyMismatch,
    /// The ladder's thresholds or discounts do not rise strictly with the level.
    LadderNotRising,
    /// The record's present state does not allow this change.
    WrongState,
    /// E-mail or password is wrong, or the account cannot sign in.
    InvalidCredentials,
    /// The password is too short or too common.
    WeakPassword,
    /// Too many values are given at once.
    TooMany,
    /// You may not do this to this record.
    NotAllowed,
}

/// The code of a text that is refused.
pub fn text_code(error: &TextError) -> Code {
    match error {
        TextError::Empty => Code::Required,
        TextError::TooLong { .. } => Code::TooLong,
        TextError::ControlCharacter { .. } | TextError::DirectionMark { .. } => Code::Invalid,
    }
}

/// One thing that the caller can put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// What kind of thing.
    pub code: Code,
    /// The way to the value from the mutation's `input`, such as `["lines", "0", "quantity"]`; empty when
    /// it is about the whole.
    pub field: Vec<String>,
    /// What is wrong and what to do, fit to show to a person.
    pub message: String,
}

impl UserError {
    /// An error about the value at `field`, a path with dots such as `lines.0.quantity`.
    pub fn new(code: Code, field: &str, message: impl Into<String>) -> Self {
        let field = field
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            code,
            field,
            message: message.into(),
        }
    }

    /// Nothing with this id exists, or it is out of sight: the two look the same.
    pub fn not_found(field: &str, what: &str) -> Self {
        Self::new(Code::NotFound, field, format!("no such {what}"))
    }
}

/// Whatever can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input can be put right by the caller; nothing was written.
    #[error("the input has {} error(s)", .0.len())]
    User(Vec<UserError>),
    /// Nobody is signed in, or the token is no longer good; the caller signs in.
    #[error("sign in first")]
    Unauthenticated,
    /// The viewer's roles or scopes do not allow this; the caller stops asking, or asks an administrator.
    #[error("no role and no scope of yours allows this")]
    Forbidden,
    /// Too many attempts; the caller waits.
    #[error("too many requests; try again later")]
    RateLimited,
    /// The request asks for something that the API does not do (a page of 0 items, both `first` and `last`).
    #[error("{0}")]
    BadRequest(Cow<'static, str>),
    /// The database cannot be reached or is too busy; the caller tries again.
    #[error("the service is not available right now; try again")]
    Unavailable(#[source] sea_orm::DbErr),
    /// The database refused a statement in a way that nobody foresaw.
    #[error("internal error")]
    Database(#[source] sea_orm::DbErr),
    /// A rule of the program is broken; the log has the cause.
    #[error("internal error")]
    Internal(Cow<'static, str>),
}

impl Error {
    /// A single user error.
    pub fn user(code: Code, field: &str, message: impl Into<String>) -> Self {
        Self::User(vec![UserError::new(code, field, message)])
    }

    /// A single user error: nothing with this id exists, or it is out of sight.
    pub fn not_found(field: &str, what: &str) -> Self {
        Self::User(vec![UserError::not_found(field, what)])
    }

    /// A broken rule of the program; `cause` goes to the log only.
    pub fn internal(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal(cause.into())
    }

    /// Was the change refused because it was made from a stale version?
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::User(errors)
            if errors.iter().any(|error| error.code == Code::StaleVersion))
    }

    /// The value of `extensions.code`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::User(_) | Self::BadRequest(_) => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Database(_) | Self::Internal(_) => "INTERNAL",
        }
    }
}

/// Gathers user errors while an input is parsed, so that the caller hears of all of them at once.
#[derive(Debug, Default)]
pub struct UserErrors(Vec<UserError>);

impl UserErrors {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an error about the value at `field`. Within a list the message says in which entry, counted as people do:
    /// who reads it may not see the path.
    pub fn push(&mut self, code: Code, field: &str, message: impl Into<String>) {
        let message = match entry(field) {
            Some((list, number)) => format!("entry {number} of {list}: {}", message.into()),
            None => message.into(),
        };
        self.0.push(UserError::new(code, field, message));
    }

    /// Notes an error and gives `None`, for use where a value is parsed.
    pub fn none<T>(&mut self, code: Code, field: &str, message: impl Into<String>) -> Option<T> {
        self.push(code, field, message);
        None
    }

    /// Takes the value, or notes what is wrong with it: `code` tells the kind of a parser's error.
    pub fn take<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        code: impl Fn(&E) -> Code,
        value: Result<T, E>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            // The parsers' errors say what is wrong with "it": the field's own name goes before.
            Err(error) => {
                let name = field.rsplit('.').next().unwrap_or(field);
                let name = if number(name).is_some() { "it" } else { name };
                self.none(code(&error), field, format!("{name} {error}"))
            }
        }
    }

    /// How many things are wrong so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is nothing wrong?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends the parsing: an error when anything was noted.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::User(self.0))
        }
    }
}

/// The number in a part of a path that is the index of a list.
fn number(part: &str) -> Option<usize> {
    let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_index.then(|| part.parse().ok()).flatten()
}

/// The innermost list on a path, and which entry of it is meant, from 1.
fn entry(field: &str) -> Option<(&str, usize)> {
    let mut found = None;
    let mut before = "the list";
    for part in field.split('.') {
        match number(part) {
            Some(index) => found = Some((before, index.saturating_add(1))),
            None => before = part,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_an_entry_says_which() {
        for (field, message) in [
            ("value", "value is wrong"),
            ("address.city", "city is wrong"),
            (
                "contactPoints.0.value",
                "entry 1 of contactPoints: value is wrong",
            ),
            (
                "purchase.lines.11.amount.amount",
                "entry 12 of lines: amount is wrong",
            ),
            ("address.lines.1", "entry 2 of lines: it is wrong"),
        ] {
            let mut errors = UserErrors::new();
            let refused: Result<(), _> = Err("is wrong");
            assert_eq!(errors.take(field, |_| Code::Invalid, refused), None);
            let Err(Error::User(told)) = errors.check() else {
                panic!("{field}");
            };
            assert_eq!(told[0].message, message);
            assert_eq!(told[0].field.join("."), field);
        }
    }
}
