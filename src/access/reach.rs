//! Where somebody may do something: the half of a role that is a place.

use super::{Action, Place, Viewer};
use entity::ids::{RegionId, StoreId};
use entity::store;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};

/// The stores and regions in which the viewer may do something, or the whole company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere.
    Company,
    /// Only in these.
    Places {
        /// All stores of these regions.
        regions: Vec<RegionId>,
        /// These stores.
        stores: Vec<StoreId>,
    },
}

impl Reach {
    /// Where the viewer may do this.
    pub fn of(viewer: &Viewer, action: Action) -> Self {
        if matches!(viewer, Viewer::System) {
            return Self::Company;
        }
        let (mut regions, mut stores) = (Vec::new(), Vec::new());
        for place in viewer.places(action) {
            match place {
                Place::Company => return Self::Company,
                Place::Region(id) => regions.push(id),
                Place::Store(id) => stores.push(id),
            }
        }
        Self::Places { regions, stores }
    }

    /// Does the place of a store lie in this reach, as far as can be told without asking which stores a region has?
    pub(super) fn has_store(&self, store: StoreId) -> bool {
        match self {
            Self::Company => true,
            Self::Places { stores, .. } => stores.contains(&store),
        }
    }

    /// The condition that a store's id, given as an expression, lies in this reach.
    pub fn covers(&self, store_id: impl Into<Expr>) -> Condition {
        let store_id: Expr = store_id.into();
        match self {
            Self::Company => Condition::all(),
            Self::Places { regions, stores } => {
                let mut any = Condition::any();
                if !stores.is_empty() {
                    any = any.add(store_id.clone().is_in(stores.iter().map(|id| id.0)));
                }
                if !regions.is_empty() {
                    any = any.add(store_id.in_subquery(stores_of(regions)));
                }
                if any.is_empty() { nothing() } else { any }
            }
        }
    }
}

fn stores_of(regions: &[RegionId]) -> SelectStatement {
    Query::select()
        .column(store::Column::Id)
        .from(store::Entity)
        .and_where(store::Column::RegionId.is_in(regions.iter().map(|id| id.0)))
        .to_owned()
}

/// A condition that no row meets.
fn nothing() -> Condition {
    Expr::cust("1 = 0").into_condition()
}
