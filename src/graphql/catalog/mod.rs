//! The API of the catalogue: categories, products and their prices.

mod input;
mod list;
mod loader;
mod mutation;
mod object;
mod query;

pub use loader::BySku;
pub use mutation::CatalogMutation;
pub use object::{Category, Product, ProductPrice};
pub use query::CatalogQuery;
