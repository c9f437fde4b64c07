//! Accounts of staff that a file brings. They have no password: nobody signs in by a file.

use super::batches::{Fate, Fault, Take, Taken, contradiction};
use crate::access::{Ctx, Grant, Place};
use crate::domain::organization::arrivals::{self, Arrival};
use crate::domain::organization::{regions, stores};
use crate::error::Result;
use crate::intake::staff::{StaffField, StaffRow};
use crate::intake::table::fault;
use crate::intake::{Placed, RejectCode};
use entity::enums::Role;
use entity::ids::{RegionId, StoreId};
use std::collections::HashMap;

/// Takes staff in.
#[derive(Debug)]
pub(super) struct Taker {
    regions: HashMap<String, RegionId>,
    stores: HashMap<String, StoreId>,
}

impl Taker {
    /// For one file.
    pub async fn new(ctx: &Ctx) -> Result<Self> {
        let regions = regions::all(ctx).await?;
        Ok(Self {
            regions: regions
                .into_iter()
                .map(|region| (region.code, region.id))
                .collect(),
            stores: stores::open_by_code(ctx).await?,
        })
    }

    fn arrival(&self, row: &StaffRow) -> Result<Arrival, Fault<StaffField>> {
        let grants = row.roles.iter().map(|(role, code)| {
            let place = match (role, code.as_deref()) {
                (_, None) => Some(Place::Company),
                (Role::RegionManager, Some(code)) => {
                    self.regions.get(code).copied().map(Place::Region)
                }
                (_, Some(code)) => self.stores.get(code).copied().map(Place::Store),
            };
            let place = place.ok_or_else(|| {
                let code = code.as_deref().unwrap_or_default();
                let reason =
                    format!("has {role}@{code}, and nothing has the code {code}; create it first");
                fault(StaffField::Roles, RejectCode::UnknownPlace, &reason)
            })?;
            Ok(Grant { role: *role, place })
        });
        Ok(Arrival {
            email: row.email.clone(),
            name: row.name.clone(),
            grants: grants.collect::<Result<_, _>>()?,
            disabled: row.disabled,
        })
    }
}

impl Take for Taker {
    type Row = StaffRow;

    async fn take(
        &mut self,
        ctx: &Ctx,
        rows: &[Placed<StaffRow>],
        dry_run: bool,
    ) -> Result<Taken<StaffField>> {
        let mut taken = Taken::new();
        let (mut places, mut arrivals) = (Vec::new(), Vec::new());
        for (place, placed) in rows.iter().enumerate() {
            taken.fates.push(Ok(Fate::Known));
            match self.arrival(&placed.row) {
                Ok(arrival) => {
                    places.push(place);
                    arrivals.push(arrival);
                }
                Err(fault) => set(&mut taken, place, Err(fault)),
            }
        }
        let outcomes = arrivals::bring_in(ctx, &arrivals, dry_run).await?;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            use arrivals::Outcome;
            let fate = match outcome {
                Outcome::Made => Ok(Fate::Made),
                Outcome::Known => Ok(Fate::Known),
                Outcome::OtherName => Err(contradiction(StaffField::Name)),
                Outcome::OtherRoles => Err(contradiction(StaffField::Roles)),
                Outcome::OtherState => Err(contradiction(StaffField::Disabled)),
                Outcome::TooManyRoles => Err(fault(
                    StaffField::Roles,
                    RejectCode::TooMany,
                    "has more roles than one person can have",
                )),
            };
            set(&mut taken, place, fate);
        }
        Ok(taken)
    }

    fn identity(row: &StaffRow) -> &str {
        &row.email
    }
}

fn set(taken: &mut Taken<StaffField>, place: usize, fate: Result<Fate, Fault<StaffField>>) {
    if let Some(known) = taken.fates.get_mut(place) {
        *known = fate;
    }
}
