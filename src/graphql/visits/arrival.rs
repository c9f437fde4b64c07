//! Customers who are here, and visits that were announced, as the API shows them.

use super::loader::{ArrivalOfAnnounced, ArrivalOfVisit};
use super::object::Visit;
use crate::domain::visits::expected::{self, Standing};
use crate::graphql::context::ctx;
use crate::graphql::customers::Customer;
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff, Store};
use crate::graphql::scalars::{Date, DateTime};
use crate::graphql::sheets::ArrivalSheet;
use async_graphql::{Context, Enum, ID, Object, Result};
use entity::ids::VisitId;
use entity::{announced_visit, arrival};

/// A customer who is here, or was: told the moment they walked in, before it was known what comes of it.
#[derive(Clone, Debug)]
pub struct Arrival(pub arrival::Model);

/// A customer who is here, or was: told the moment they walked in, before it was known what comes of it.
#[Object]
impl Arrival {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Who came.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// To which store.
    async fn store(&self, context: &Context<'_>) -> Result<Option<Store>> {
        organization::store(context, self.0.store_id).await
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// The store's business day: the day in the store's time zone.
    async fn business_date(&self) -> Date {
        Date(self.0.business_date)
    }

    /// Who received them.
    async fn received_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.received_by_id {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// The announcement with which they came; null when they were not expected.
    async fn announced_visit(&self, context: &Context<'_>) -> Result<Option<AnnouncedVisit>> {
        match self.0.announced_visit_id {
            Some(id) => Ok(load_one(context, id).await?.map(AnnouncedVisit)),
            None => Ok(None),
        }
    }

    /// The visit that was recorded of it; null while it goes on.
    async fn visit(&self, context: &Context<'_>) -> Result<Option<Visit>> {
        match self.0.visit_id {
            Some(id) => Ok(load_one(context, id).await?.map(Visit)),
            None => Ok(None),
        }
    }

    /// What to know of them: null when you may not see the customer.
    async fn sheet(&self, context: &Context<'_>) -> Result<Option<ArrivalSheet>> {
        let found = load_one(context, self.0.customer_id).await?;
        Ok(found.map(|customer| ArrivalSheet {
            customer,
            store: Some(self.0.store_id),
            day: self.0.business_date,
        }))
    }
}

/// How an announced visit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Standing")]
pub enum AnnouncedVisitState {
    /// The customer is expected.
    Expected,
    /// They came.
    Arrived,
    /// The day is over, and they have not come.
    Missed,
    /// It was called off.
    Cancelled,
}

/// A visit that was announced before: an appointment.
#[derive(Clone, Debug)]
pub struct AnnouncedVisit(pub announced_visit::Model);

/// A visit that was announced before: an appointment.
#[Object]
impl AnnouncedVisit {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Who will come.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// To which store.
    async fn store(&self, context: &Context<'_>) -> Result<Option<Store>> {
        organization::store(context, self.0.store_id).await
    }

    /// When they are expected.
    async fn expected_at(&self) -> DateTime {
        self.0.expected_at.into()
    }

    /// How it stands now. Whoever has not come when the store's day ends has missed it.
    async fn state(&self, context: &Context<'_>) -> Result<AnnouncedVisitState> {
        Ok(expected::standing(&self.0, ctx(context)?.now()).into())
    }

    /// Who will attend to them.
    async fn attended_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.attended_by_id {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// What is wanted, and what to prepare.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Why it was called off.
    async fn cancel_reason(&self) -> Option<&str> {
        self.0.cancel_reason.as_deref()
    }

    /// Who took it down.
    async fn announced_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.announced_by_id {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// When it was taken down.
    async fn announced_at(&self) -> DateTime {
        self.0.announced_at.into()
    }

    /// Their arrival; null when they have not come.
    async fn arrival(&self, context: &Context<'_>) -> Result<Option<Arrival>> {
        let found = load_one(context, ArrivalOfAnnounced(self.0.id)).await?;
        Ok(found.map(Arrival))
    }

    /// Grows by one with every change; a change names the version that it was made from.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }
}

/// The arrival with which a visit began.
pub(super) async fn of_visit(context: &Context<'_>, visit: VisitId) -> Result<Option<Arrival>> {
    let found = load_one(context, ArrivalOfVisit(visit)).await?;
    Ok(found.map(Arrival))
}
