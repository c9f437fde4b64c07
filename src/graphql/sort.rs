//! Which way a list is ordered.

use crate::db::Sort;
use async_graphql::Enum;

/// Which way a list is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest, earliest, first in the alphabet first.
    Asc,
    /// Largest, latest, last in the alphabet first.
    Desc,
}

impl From<OrderDirection> for Sort {
    fn from(direction: OrderDirection) -> Self {
        match direction {
            OrderDirection::Asc => Self::Ascending,
            OrderDirection::Desc => Self::Descending,
        }
    }
}
