//! The identity of an imported row, by which a file can be read again without doubles.
//!
//! With a receipt number: a hash of store and receipt number, so all lines of a receipt share it
//! (they need not follow each other in the file; see [`super::purchases::PurchaseRow::receipt`]).
//! Without: a hash of what was bought (customer, day, time, quantity, amount, currency, store,
//! product) and of its how-manieth occurrence in the file, since two rows that are alike to the
//! letter are two purchases. How dates and numbers are written does not matter, nor does the order
//! of columns, nor name, phone and email; which of the fields above are mapped does.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest, Sha256};

/// Sixteen bytes of SHA-256.
pub type Identity = [u8; 16];

/// Collects the parts of an identity; parts cannot run into each other.
pub struct Parts(Sha256);

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts(..)")
    }
}

impl Parts {
    /// Begins; kinds of identities never meet.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        let mut parts = Self(Sha256::new());
        parts.push(kind.as_bytes());
        parts
    }

    /// Adds one part.
    pub fn push(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// Adds a part that may be missing; missing differs from empty.
    pub fn push_optional(&mut self, part: Option<&[u8]>) {
        match part {
            Some(part) => {
                self.0.update([1]);
                self.push(part);
            }
            None => self.0.update([0]),
        }
    }

    /// The first sixteen bytes of the hash.
    #[must_use]
    pub fn finish(self) -> Identity {
        let hash: [u8; 32] = self.0.finalize().into();
        let mut identity = [0; 16];
        for (to, from) in identity.iter_mut().zip(hash) {
            *to = from;
        }
        identity
    }
}

/// Takes the number as its own hash: what is counted here is hashed already.
#[derive(Debug, Default, Clone, Copy)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Counts how often each content came. About 19 MB for a million different rows: most come once,
/// so a set knows those and only the others have a count.
#[derive(Debug, Default)]
pub struct Occurrences {
    once: HashSet<u64, BuildHasherDefault<AsIs>>,
    again: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
}

impl Occurrences {
    /// Which occurrence of this content this is, from 1.
    pub fn next(&mut self, content: Identity) -> u32 {
        // Eight bytes are enough to tell rows of one file apart; should two meet after all, their
        // identities still differ, since these are made of the content too.
        let (eight, _) = content.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let key = u64::from_le_bytes(*eight);
        if self.once.insert(key) {
            return 1;
        }
        let count = self.again.entry(key).or_insert(1);
        *count = count.saturating_add(1);
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| {
            let mut hash = Parts::new("k");
            parts.iter().for_each(|part| hash.push(part.as_bytes()));
            hash.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        let optional = |part: Option<&[u8]>| {
            let mut hash = Parts::new("k");
            hash.push_optional(part);
            hash.finish()
        };
        assert_ne!(optional(None), optional(Some(b"")));
        assert_ne!(Parts::new("a").finish(), Parts::new("b").finish());
    }

    #[test]
    fn occurrences_are_counted() {
        let mut occurrences = Occurrences::default();
        assert_eq!(
            [1, 1, 2, 1, 2].map(|n| occurrences.next([n; 16])),
            [1, 2, 1, 3, 2]
        );
    }
}
