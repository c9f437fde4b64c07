//! Payloads: what a mutation answers.

use crate::error::{self, Code, Error};
use async_graphql::SimpleObject;

/// Something in the input that the caller can put right; nothing was written.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What kind of error it is, for programs.
    pub code: Code,
    /// The way to the value from the mutation's `input`, such as `["lines", "0", "quantity"]`; empty when the
    /// error is about the whole.
    pub field: Vec<String>,
    /// What is wrong and what to do, fit to show to a person.
    pub message: String,
}

impl From<error::UserError> for UserError {
    fn from(error: error::UserError) -> Self {
        Self {
            code: error.code,
            field: error.field,
            message: error.message,
        }
    }
}

/// Parts a service's result into the changed object and the user errors; other errors go on to `errors`.
///
/// # Errors
/// Everything that is not a user error.
pub fn settle<T>(result: error::Result<T>) -> error::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::User(errors)) => Ok((None, errors.into_iter().map(UserError::from).collect())),
        Err(error) => Err(error),
    }
}

/// Makes a payload type: the changed object and `userErrors`, with `from_result` over a service's result.
macro_rules! payload {
    ($payload:ident, $field:ident: $object:ty, $doc:literal, $field_doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, async_graphql::SimpleObject)]
        pub struct $payload {
            #[doc = $field_doc]
            pub $field: Option<$object>,
            /// What the caller can put right; empty when the change was made.
            pub user_errors: Vec<$crate::graphql::payload::UserError>,
        }

        impl $payload {
            /// The payload of a service's result.
            ///
            /// # Errors
            /// What is not a user error, as an entry of `errors`.
            pub fn from_result(
                context: &async_graphql::Context<'_>,
                result: $crate::error::Result<$object>,
            ) -> async_graphql::Result<Self> {
                use $crate::graphql::context::Reported;
                let ($field, user_errors) =
                    $crate::graphql::payload::settle(result).reported(context)?;
                Ok(Self {
                    $field,
                    user_errors,
                })
            }
        }
    };
}
pub(crate) use payload;
