//! Loaders of one request: what many fields ask for one by one is fetched at once.
//!
//! There is one loader, [`Batch`], and each topic teaches it to load its own keys (`impl Loader<CustomerId> for
//! Batch`) by calling a service, which sees to rows in sight. Nothing is remembered beyond a batch, so a
//! mutation is never followed by a stale read.

use crate::access::{Ctx, Memory};
use crate::db::{end_of_work, until};
use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Loads things by key on behalf of one request.
///
/// What somebody has read already, since it came with something else, waits in the second part for whoever asks next.
#[derive(Debug)]
pub struct Batch(pub Ctx, OnceLock<Memory>);

impl Batch {
    /// Hands over what a key would load. It is given out once.
    pub fn prime<K, V>(&self, key: K, value: V)
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        self.1
            .get_or_init(Memory::default)
            .of::<Mutex<HashMap<K, V>>>()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, value);
    }

    /// What was handed over for these keys, and the keys for which nothing was.
    pub fn take<K, V>(&self, keys: &[K]) -> (HashMap<K, V>, Vec<K>)
    where
        K: Hash + Eq + Clone + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let Some(memory) = self.1.get() else {
            return (HashMap::new(), keys.to_vec());
        };
        let primed = memory.of::<Mutex<HashMap<K, V>>>();
        let mut primed = primed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ready = HashMap::new();
        let mut rest = Vec::new();
        for key in keys {
            match primed.remove(key) {
                Some(value) => _ = ready.insert(key.clone(), value),
                None => rest.push(key.clone()),
            }
        }
        (ready, rest)
    }
}

/// The loader for a request's context.
pub fn loaders(ctx: Ctx) -> DataLoader<Batch> {
    // A delay would be paid at each level of a query; yielding once already gathers siblings.
    DataLoader::new(Batch(ctx, OnceLock::new()), spawn).delay(Duration::ZERO)
}

/// What is fetched belongs to the request: to its lines in the log, to its trace, and to its time.
fn spawn(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    match end_of_work() {
        Some(end) => tokio::spawn(until(end, work).in_current_span()),
        None => tokio::spawn(work.in_current_span()),
    }
}

/// The loader of the request.
///
/// # Errors
/// An internal error when the schema is run without one, which only a defect does.
pub fn batch<'a>(context: &Context<'a>) -> async_graphql::Result<&'a DataLoader<Batch>> {
    context.data::<DataLoader<Batch>>()
}

/// Rows by a key that each has once.
pub fn by_key<K: Hash + Eq, V>(rows: Vec<V>, key: impl Fn(&V) -> K) -> HashMap<K, V> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// Rows grouped by a key that many may have; every key asked for is there, if only with no rows.
pub fn grouped<K: Hash + Eq + Clone, V>(
    keys: &[K],
    rows: Vec<V>,
    key: impl Fn(&V) -> K,
) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = keys.iter().map(|key| (key.clone(), Vec::new())).collect();
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
                keys: &[$key],
            ) -> Result<std::collections::HashMap<$key, $value>, Self::Error> {
                let (mut ready, rest) = self.take::<$key, $value>(keys);
                if rest.is_empty() {
                    return Ok(ready);
                }
                let ($ctx, $keys) = (&self.0, rest.as_slice());
                let loaded: $crate::error::Result<std::collections::HashMap<$key, $value>> =
                    async { Ok($load) }.await;
                ready.extend(loaded.map_err(std::sync::Arc::new)?);
                Ok(ready)
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
    K: Send + Sync + Hash + Eq + Clone + 'static,
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
