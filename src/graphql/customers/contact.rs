//! Contact points and consents as the API shows them.

use super::links::{self, StaffRef};
use super::loader::{ConsentsOf, load};
use super::words::{ConsentMethod, ContactKind, Purpose};
use crate::domain::customers::contacts;
use crate::graphql::context::ctx;
use crate::graphql::ids::GlobalKey;
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, ID, Object};
use entity::consent;

/// A way to reach a customer.
#[derive(Clone, Debug)]
pub struct ContactPoint(pub contacts::ContactPoint);

/// A way to reach a customer.
#[Object]
impl ContactPoint {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.row().id.global()
    }

    /// Which kind.
    async fn kind(&self) -> ContactKind {
        self.0.row().kind.into()
    }

    /// The number, address or name in normal form: in full for those who may contact this customer, masked for
    /// everyone else. Reading it in full leaves an audit entry.
    async fn value(&self, context: &Context<'_>) -> async_graphql::Result<String> {
        Ok(self.0.value(ctx(context)?))
    }

    /// Whether the value is masked for you.
    async fn masked(&self) -> bool {
        !self.0.in_full()
    }

    /// What it is called: home, work.
    async fn label(&self) -> Option<&str> {
        self.0.row().label.as_deref()
    }

    /// The one to use among those of its kind.
    async fn preferred(&self) -> bool {
        self.0.row().preferred
    }

    /// When it was last tried and found to be the customer's; null when never.
    async fn verified_at(&self) -> Option<DateTime> {
        self.0.row().verified_at.map(DateTime)
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }

    /// When it was taken off the file; null while it is in use.
    async fn removed_at(&self) -> Option<DateTime> {
        self.0.row().removed_at.map(DateTime)
    }

    /// Who took it off the file; null while it is in use.
    async fn removed_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.row().removed_by).await
    }

    /// What it may be used for: for each purpose on which the customer has said something, what they said last.
    async fn consents(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Consent>> {
        let consents = load(context, ConsentsOf(self.0.row().id)).await?;
        Ok(consents
            .unwrap_or_default()
            .into_iter()
            .map(Consent)
            .collect())
    }
}

/// A customer's statement that a contact point may, or may no longer, be used for a purpose.
#[derive(Clone, Debug)]
pub struct Consent(pub consent::Model);

/// A customer's statement that a contact point may, or may no longer, be used for a purpose.
#[Object]
impl Consent {
    /// For what.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.into()
    }

    /// Given, or withdrawn.
    async fn granted(&self) -> bool {
        self.0.granted
    }

    /// When it was given or withdrawn.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// How.
    async fn method(&self) -> ConsentMethod {
        self.0.method.into()
    }

    /// What proves it.
    async fn evidence(&self) -> Option<&str> {
        self.0.evidence.as_deref()
    }

    /// Who recorded it; null when the program did.
    async fn recorded_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.recorded_by).await
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}
