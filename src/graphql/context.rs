//! What a resolver finds in its context, and how a service's error becomes an answer.

use crate::access::Ctx;
use crate::error::Error;
use async_graphql::{Context, ErrorExtensionValues, ErrorExtensions, Pos, Response, ServerError};
use uuid::Uuid;

/// The service context of the request.
///
/// # Errors
/// An internal error when the schema is run without one, which only a defect does.
pub fn ctx<'a>(context: &Context<'a>) -> async_graphql::Result<&'a Ctx> {
    context.data::<Ctx>()
}

/// Turns an error into an entry of `errors` with `extensions.code`; the cause of what is internal goes to the
/// log, and the answer shows the id by which to find it there.
pub fn report(context: &Context<'_>, error: Error) -> async_graphql::Error {
    let request_id = context
        .data::<Ctx>()
        .map(|ctx| ctx.origin.request_id)
        .unwrap_or_default();
    report_as(request_id, error)
}

/// A response of something that began and came to nothing. It has a location, so that `data` is shown as null.
pub fn fault(code: &str, message: &str) -> Response {
    let mut error = ServerError::new(message, Some(Pos { line: 1, column: 1 }));
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    Response::from_errors(vec![error])
}

/// As [`report`], where there is no context: the request is named by its id.
pub fn report_as(request_id: Uuid, error: Error) -> async_graphql::Error {
    let class = error.class();
    match &error {
        Error::Unavailable(_) | Error::Database(_) | Error::Internal(_) => {
            tracing::error!(%request_id, error = ?error, class, "request failed");
        }
        Error::User(errors) => {
            // A query's arguments: the first thing wrong says it all.
            let message = errors
                .first()
                .map_or_else(|| error.to_string(), |first| first.message.clone());
            return async_graphql::Error::new(message)
                .extend_with(|_, extensions| extensions.set("code", class));
        }
        _ => {}
    }
    async_graphql::Error::new(error.to_string()).extend_with(|_, extensions| {
        extensions.set("code", class);
        if matches!(class, "INTERNAL" | "UNAVAILABLE") {
            extensions.set("id", request_id.to_string());
        }
    })
}

/// Shortens `service(...).await.map_err(|e| report(context, e))`.
pub trait Reported<T> {
    /// Turns the service's error into an entry of `errors`.
    ///
    /// # Errors
    /// The service's, translated.
    fn reported(self, context: &Context<'_>) -> async_graphql::Result<T>;
}

impl<T> Reported<T> for crate::error::Result<T> {
    fn reported(self, context: &Context<'_>) -> async_graphql::Result<T> {
        self.map_err(|error| report(context, error))
    }
}
