//! Loaders of one request: what many fields ask for one by one is fetched at once.
//!
//! There is one loader, [`Batch`], and each topic teaches it to load its own keys (`impl Loader<CustomerId> for
//! Batch`) by calling a service, which sees to rows in sight. Nothing is remembered beyond a batch, so a
//! mutation is never followed by a stale read.

use crate::access::Ctx;
use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Loads things by key on behalf of one request.
#[derive(Debug)]
pub struct Batch(pub Ctx);

/// The loader for a request's context.
pub fn loaders(ctx: Ctx) -> DataLoader<Batch> {
    // A delay would be paid at each level of a query; yielding once already gathers siblings.
    DataLoader::new(Batch(ctx), spawn).delay(Duration::ZERO)
}

/// What is fetched belongs to the request: to its lines in the log, and to its trace.
fn spawn(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(work.in_current_span())
}

/// The loader of the request.
///
/// # Errors
/// An internal error when the schema is run without one, which only a defect does.
pub fn batch<'a>(context: &Context<'a>) -> async_graphql::Result<&'a DataLoader<Batch>> {
    context.data::<DataLoader<Batch>>()
}

/// Rows by a key that each has once.
pub fn by_key<K: std::hash::Hash + Eq, V>(
    rows: Vec<V>,
    key: impl Fn(&V) -> K,
) -> std::collections::HashMap<K, V> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// Rows grouped by a key that many may have; every key asked for is there, if only with no rows.
pub fn grouped<K: std::hash::Hash + Eq + Clone, V>(
    keys: &[K],
    rows: Vec<V>,
    key: impl Fn(&V) -> K,
) -> std::collections::HashMap<K, Vec<V>> {
    let mut groups: std::collections::HashMap<K, Vec<V>> =
        keys.iter().map(|key| (key.clone(), Vec::new())).collect();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// Teaches [`Batch`] to load a kind of key by calling a service with all keys at once.
macro_rules! batch_loader {
    ($key:ty => $value:ty, |$ctx:ident, $keys:ident| $load:expr) => {
        impl async_graphql::dataloader::Loader<$key> for $crate::graphql::loaders::Batch {
            type Value = $value;
            type Error = $crate::graphql::loaders::Shared;

            async fn load(
                &self,
                $keys: &[$key],
            ) -> Result<std::collections::HashMap<$key, $value>, Self::Error> {
                let $ctx = &self.0;
                let loaded: $crate::error::Result<_> = async { Ok($load) }.await;
                loaded.map_err(std::sync::Arc::new)
            }
        }
    };
}
pub(crate) use batch_loader;

/// A loader's error must be cheap to copy to everyone who waits for the batch.
pub type Shared = Arc<crate::error::Error>;

/// Loads one key through the request's batch.
///
/// # Errors
/// The service's, translated.
pub async fn load_one<K>(
    context: &Context<'_>,
    key: K,
) -> async_graphql::Result<Option<<Batch as Loader<K>>::Value>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    Batch: Loader<K, Error = Shared>,
{
    batch(context)?
        .load_one(key)
        .await
        .map_err(|error| report_shared(context, error))
}

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
