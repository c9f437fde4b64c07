//! Partial changes: a field that is left out stays, null clears it.

use async_graphql::MaybeUndefined;

/// A field of a change as services take it: outside `None` leaves it, inside `None` clears it.
pub fn patch<T, U: From<T>>(value: MaybeUndefined<T>) -> Option<Option<U>> {
    patch_with(value, U::from)
}

/// As [`patch`], for a value that becomes another one.
pub fn patch_with<T, U>(value: MaybeUndefined<T>, to: impl FnOnce(T) -> U) -> Option<Option<U>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(to(value))),
    }
}
