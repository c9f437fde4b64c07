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

/// As [`settle`]; a change that was made from a stale version is answered with the object as it is now beside the
/// user error, so that the caller need not ask for it.
///
/// # Errors
/// As [`settle`]; those of reading the object.
pub async fn settle_present<T>(
    result: error::Result<T>,
    present: impl Future<Output = error::Result<Option<T>>>,
) -> error::Result<(Option<T>, Vec<UserError>)> {
    let is_stale = result.as_ref().is_err_and(Error::is_stale);
    let (object, user_errors) = settle(result)?;
    let object = if is_stale { present.await? } else { object };
    Ok((object, user_errors))
}

/// Makes a payload type: the changed object and `userErrors`, with `from_result` over a service's result.
///
/// With `versioned` before it, the payload of a change that takes a version: `from_change` over the service's result
/// and a way to read the object as it is now.
macro_rules! payload {
    (versioned $payload:ident, $field:ident: $object:ty, $doc:literal, $field_doc:literal) => {
        $crate::graphql::payload::payload!(@type $payload, $field: $object, $doc, $field_doc);

        impl $payload {
            /// The payload of a service's result; `present` reads the object, and is asked when the version that was
            /// given is a stale one.
            ///
            /// # Errors
            /// What is not a user error, as an entry of `errors`.
            pub async fn from_change(
                context: &async_graphql::Context<'_>,
                result: $crate::error::Result<$object>,
                present: impl Future<Output = $crate::error::Result<Option<$object>>>,
            ) -> async_graphql::Result<Self> {
                use $crate::graphql::context::Reported;
                let ($field, user_errors) =
                    $crate::graphql::payload::settle_present(result, present)
                        .await
                        .reported(context)?;
                Ok(Self {
                    $field,
                    user_errors,
                })
            }
        }
    };
    (@type $payload:ident, $field:ident: $object:ty, $doc:literal, $field_doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, async_graphql::SimpleObject)]
        pub struct $payload {
            #[doc = $field_doc]
            pub $field: Option<$object>,
            /// What the caller can put right; empty when the change was made.
            pub user_errors: Vec<$crate::graphql::payload::UserError>,
        }
    };
    ($payload:ident, $field:ident: $object:ty, $doc:literal, $field_doc:literal) => {
        $crate::graphql::payload::payload!(@type $payload, $field: $object, $doc, $field_doc);

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
