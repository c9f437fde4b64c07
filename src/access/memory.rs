//! What topics remember in this process beside the database: caches, keys, settings.
//!
//! Each topic keeps a type of its own here and nobody else's, so that this room need not know them. One
//! running program has one memory; two programs in one process (tests) have two, so nothing leaks between
//! them. Whatever is kept here must be right after the program is started anew with an empty memory.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

type Slots = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// The memory of one running program. Cheap to clone; all clones are the same memory.
#[derive(Clone, Default)]
pub struct Memory(Arc<RwLock<Slots>>);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory(..)")
    }
}

impl Memory {
    /// What is kept under this type; made empty when it is asked for the first time.
    pub fn of<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let kept = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&TypeId::of::<T>())
            .cloned();
        let slot = kept.unwrap_or_else(|| {
            self.0
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(TypeId::of::<T>())
                .or_insert_with(|| Arc::new(T::default()))
                .clone()
        });
        // A slot holds what its key names.
        slot.downcast().unwrap_or_default()
    }

    /// Keeps a value under its type, in place of what was there.
    pub fn put<T: Send + Sync + 'static>(&self, value: T) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(TypeId::of::<T>(), Arc::new(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_type_has_one_slot_in_each_memory() {
        let (one, other) = (Memory::default(), Memory::default());
        one.of::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(one.clone().of::<AtomicU32>().load(Ordering::Relaxed), 7);
        assert_eq!(other.of::<AtomicU32>().load(Ordering::Relaxed), 0);
        one.put(AtomicU32::new(9));
        assert_eq!(one.of::<AtomicU32>().load(Ordering::Relaxed), 9);
    }
}
