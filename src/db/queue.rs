//! Writers of one customer queue here before they take a connection: otherwise a popular customer's
//! writers would hold every connection of the pool while they wait for each other's row lock.

use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::{Mutex, MutexGuard};

/// A fixed number of places to queue; unrelated customers may share one, which costs a short wait and
/// never a deadlock, since places are taken in their order.
pub(super) struct WriterQueue {
    places: Box<[Mutex<()>]>,
}

impl WriterQueue {
    pub(super) fn new() -> Self {
        Self {
            places: (0..1024).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Waits until nobody of this process writes to any of the keys.
    pub(super) async fn enter<K: Hash>(&self, keys: &[K]) -> Vec<MutexGuard<'_, ()>> {
        let mut places: Vec<usize> = keys
            .iter()
            .map(|key| {
                let mut hasher = DefaultHasher::new();
                key.hash(&mut hasher);
                usize::try_from(hasher.finish() % self.places.len() as u64).unwrap_or_default()
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        let mut guards = Vec::with_capacity(places.len());
        for place in places.into_iter().filter_map(|at| self.places.get(at)) {
            guards.push(place.lock().await);
        }
        guards
    }
}
