//! The API of the attributes that a shop defines for its customers.

mod input;
mod loader;
mod mutation;
mod object;
mod query;

pub use input::AttributeConditionInput;
pub use loader::AttributesOf;
pub use mutation::AttributesMutation;
pub use object::{Attribute, CustomerAttribute};
pub use query::AttributesQuery;
