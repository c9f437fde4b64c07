//! The API of visits and purchases.

mod input;
mod list;
mod loader;
mod mutation;
mod object;
mod query;

pub use list::{VisitConnection, VisitEdge, VisitFilterInput, VisitOrderInput, of_customer};
pub use mutation::VisitsMutation;
pub use object::{Purchase, PurchaseLine, Visit};
pub use query::VisitsQuery;
