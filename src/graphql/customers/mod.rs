//! The API of customers: their file, how to reach them, notes, tastes, days, and the lists that find them.

mod completeness;
mod contact;
mod input;
mod links;
mod list;
mod loader;
mod mutation;
mod mutation_parts;
mod object;
mod parts;
mod query;
mod words;

#[cfg(test)]
mod tests;

pub use completeness::{CompletenessMutation, CompletenessQuery};
pub use contact::{Consent, ContactPoint};
pub use list::{CustomerConnection, CustomerEdge, NoteConnection, NoteEdge};
pub(in crate::graphql) use loader::{DaysOf, FileOf, TastesOf};
pub use mutation::CustomerMutation;
pub use mutation_parts::CustomerPartsMutation;
pub use object::Customer;
pub(in crate::graphql) use parts::today;
pub use parts::{Address, BirthDate, CustomerTotals, Income, Note, SpecialDay, Taste};
pub use query::CustomerQuery;
