//! How complete a customer's file is (rule C7): a score, the fields that are missing, and the fields that nobody has
//! confirmed for a year.
//!
//! The score is stored with the customer, since lists are narrowed and ordered by it, and depends on what is there alone,
//! so that time does not change it. Whether a field was confirmed lately is told when it is read, from the time of its
//! confirmation. Whoever writes what a file holds says so to `touched`, within the same transaction; those who bring
//! thousands in leave the score to the job in [`count`]. An import confirms nothing: that something stood in another
//! system's file does not say that anybody asked the customer.
//!
//! Called by the services of this topic, by the API, by merges and imports. Never shows a value: whoever sees contact
//! details masked learns that there are some, which the masked ones tell anyway.

mod confirm;
pub mod count;
mod fields;
pub mod merging;
mod rules;
mod standing;
mod touch;

#[cfg(test)]
mod tests;

pub use confirm::confirm;
pub use count::{CountCompleteness, uncounted};
pub use fields::FieldSet;
pub use rules::{Rules, Weight};
pub use rules::{RulesChange, WeightChange, change, read};
pub use standing::{Completeness, FieldStanding, State, of_customers};
pub(super) use touch::{Touched, touched};

pub(super) use fields::{LISTED, named, told_by};
