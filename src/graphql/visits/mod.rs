//! The API of visits and purchases, of customers who are here and of those who are expected.

mod arrival;
mod arrival_input;
mod arrival_list;
mod input;
mod list;
mod loader;
mod mutation;
mod object;
mod query;
mod transcript;

pub use arrival::{AnnouncedVisit, Arrival};
pub use arrival_list::{
    AnnouncedVisitConnection, AnnouncedVisitEdge, ArrivalConnection, ArrivalEdge,
};
pub use list::{VisitConnection, VisitEdge, VisitFilterInput, VisitOrderInput, of_customer};
pub(in crate::graphql) use loader::{AnnouncedAheadOf, ArrivalOfVisit, LastVisitsOf, PurchasesOf};
pub use mutation::VisitsMutation;
pub use object::{Purchase, PurchaseLine, Visit};
pub use query::VisitsQuery;
pub use transcript::{EnquiryEntry, EnquiryEntryConnection, EnquiryEntryEdge};
