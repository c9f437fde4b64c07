//! Whom one query has found to be in sight, so that what hangs on them is read without asking again.
//!
//! Kept by [`super::sight`], which alone writes to it. A query is one look at the shop: a customer who is in sight when
//! it begins may be shown to its end. A mutation changes what is in sight, so it remembers nobody.

use super::reach::Reach;
use entity::ids::CustomerId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// What decides who is in sight, apart from the moment: where somebody may do what they are about to do, and who they
/// are. Two viewers, or two actions, of the same scope see the same customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) reach: Reach,
    pub(super) actor: Option<Uuid>,
}

type Found = Vec<(Scope, HashSet<CustomerId>)>;

/// The memory of one query, or none. Cheap to clone; all clones are the same memory.
#[derive(Clone, Debug, Default)]
pub struct Seen(Option<Arc<Mutex<Found>>>);

impl Seen {
    /// For a query.
    pub fn of_query() -> Self {
        Self(Some(Arc::default()))
    }

    /// Notes customers who were found to be in sight of a scope.
    pub(super) fn note(&self, scope: &Scope, customers: impl IntoIterator<Item = CustomerId>) {
        let Some(found) = &self.0 else { return };
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match found.iter_mut().find(|(known, _)| known == scope) {
            Some((_, all)) => all.extend(customers),
            None => found.push((scope.clone(), customers.into_iter().collect())),
        }
    }

    /// Were all of these found to be in sight of the scope?
    pub(super) fn has_all(&self, scope: &Scope, customers: &[CustomerId]) -> bool {
        self.unknown(scope, customers).is_empty()
    }

    /// Those who were not found to be.
    pub(super) fn unknown(&self, scope: &Scope, customers: &[CustomerId]) -> Vec<CustomerId> {
        let Some(found) = &self.0 else {
            return customers.to_vec();
        };
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        let known = found.iter().find(|(known, _)| known == scope);
        let is_known = |id: &CustomerId| known.is_some_and(|(_, all)| all.contains(id));
        customers
            .iter()
            .filter(|id| !is_known(id))
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::ids::StoreId;

    fn scope(stores: &[StoreId], actor: Uuid) -> Scope {
        Scope {
            reach: Reach::Places {
                regions: Vec::new(),
                stores: stores.to_vec(),
            },
            actor: Some(actor),
        }
    }

    #[test]
    fn what_one_scope_has_seen_is_unknown_to_every_other() {
        let (here, there) = (StoreId::new(), StoreId::new());
        let (me, you) = (Uuid::now_v7(), Uuid::now_v7());
        let (known, unknown) = (CustomerId::new(), CustomerId::new());
        let seen = Seen::of_query();
        seen.note(&scope(&[here, there], me), [known]);
        assert!(seen.has_all(&scope(&[here, there], me), &[known]));
        assert!(!seen.has_all(&scope(&[here, there], me), &[known, unknown]));
        // The same person with fewer stores, and another one with the same.
        assert!(!seen.has_all(&scope(&[here], me), &[known]));
        assert!(!seen.has_all(&scope(&[here, there], you), &[known]));
    }

    #[test]
    fn a_mutation_remembers_nobody() {
        let (scope, customer) = (scope(&[], Uuid::now_v7()), CustomerId::new());
        let seen = Seen::default();
        seen.note(&scope, [customer]);
        assert_eq!(seen.unknown(&scope, &[customer]), [customer]);
    }
}
