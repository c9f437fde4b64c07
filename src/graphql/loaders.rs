//! Loaders of one request: what many fields ask for one by one is fetched at once.
//!
//! There is one loader, [`Batch`], and each topic teaches it to load its own keys (`impl Loader<CustomerId> for
//! Batch`) by calling a service, which sees to rows in sight. Nothing is remembered beyond a batch, so a
//! mutation is never followed by a stale read.

use crate::access::Ctx;
use async_graphql::Context;
use async_graphql::dataloader::DataLoader;
use std::sync::Arc;
use std::time::Duration;

/// Loads things by key on behalf of one request.
#[derive(Debug)]
pub struct Batch(pub Ctx);

/// The loader for a request's context.
pub fn loaders(ctx: Ctx) -> DataLoader<Batch> {
    // A delay would be paid at each level of a query; yielding once already gathers siblings.
    DataLoader::new(Batch(ctx), tokio::spawn).delay(Duration::ZERO)
}

/// The loader of the request.
///
/// # Errors
/// An internal error when the schema is run without one, which only a defect does.
pub fn batch<'a>(context: &Context<'a>) -> async_graphql::Result<&'a DataLoader<Batch>> {
    context.data::<DataLoader<Batch>>()
}

/// A loader's error must be cheap to copy to everyone who waits for the batch.
pub type Shared = Arc<crate::error::Error>;

/// Turns a batch's error into an entry of `errors`.
pub fn report_shared(context: &Context<'_>, error: Shared) -> async_graphql::Error {
    use crate::error::Error;
    let error = match Arc::try_unwrap(error) {
        Ok(error) => error,
        Err(shared) => match &*shared {
            Error::Unauthenticated => Error::Unauthenticated,
            Error::Forbidden => Error::Forbidden,
            Error::RateLimited => Error::RateLimited,
            other => Error::internal(format!("{other:?}")),
        },
    };
    super::context::report(context, error)
}
