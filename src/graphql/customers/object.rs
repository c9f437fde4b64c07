//! A customer as the API shows them. The narrow row comes with every answer; the rest of the file and what hangs on
//! it is loaded for the whole page when a field asks for it.

use super::completeness::{CompletenessOf, CustomerCompleteness};
use super::contact::ContactPoint;
use super::links::{self, StaffRef, StoreRef};
use super::list::{NoteConnection, notes_page};
use super::loader::{
    ContactsOf, DaysOf, FileOf, FullOf, RemovedContactsOf, TastesOf, TheCompany, TotalsOf, load,
};
use super::parts::{Address, BirthDate, CustomerTotals, Income, SpecialDay, Taste};
use super::words::{AcquisitionSource, CustomerKind, Gender, Importance, PriceSensitivity};
use crate::domain::customers::CustomerRow;
use crate::graphql::attributes::{AttributesOf, CustomerAttribute};
use crate::graphql::cards::{Card, CardsOf, Membership, MembershipsOf};
use crate::graphql::groups::{GroupMember, MembershipsInGroups};
use crate::graphql::identity::{CustomerMerge, DuplicatePair, DuplicatesOf, MergesOf};
use crate::graphql::ids::GlobalKey;
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::DateTime;
use crate::graphql::sheets::{ArrivalSheet, sheet_of};
use crate::graphql::visits::{self, AnnouncedAheadOf, AnnouncedVisit, VisitConnection};
use async_graphql::{Context, ID, Object};
use entity::customer;
use entity::enums::CardStatus;
use entity::ids::{CustomerId, StoreId};
use std::sync::Arc;

/// A customer: their file, how to reach them, what they like, what they bought.
#[derive(Clone, Debug)]
pub struct Customer(pub CustomerRow);

impl Customer {
    /// The whole file; none when it has gone out of sight since the row was read.
    async fn file(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Option<Arc<customer::Model>>> {
        load(context, FileOf(self.0.id)).await
    }
}

/// Another customer, when they are in sight.
pub(super) async fn other(
    context: &Context<'_>,
    id: Option<CustomerId>,
) -> async_graphql::Result<Option<Customer>> {
    match id {
        Some(id) => Ok(load(context, id).await?.map(Customer)),
        None => Ok(None),
    }
}

/// A customer: their file, how to reach them, what they like, what they bought.
#[Object]
impl Customer {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// A private person or a business.
    async fn kind(&self) -> CustomerKind {
        self.0.kind.into()
    }

    /// The full name.
    async fn full_name(&self) -> &str {
        &self.0.full_name
    }

    /// How much they matter.
    async fn importance(&self) -> Importance {
        self.0.importance.into()
    }

    /// The store that is their home.
    async fn home_store(&self, context: &Context<'_>) -> async_graphql::Result<Option<StoreRef>> {
        links::store(context, self.0.home_store_id).await
    }

    /// The dedicated person who keeps them.
    async fn keeper(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.keeper_id).await
    }

    /// When the file was put away; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(DateTime)
    }

    /// Grows by one with every change of the file's own fields; a change names the version that it was made from.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// When the file was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the file's own fields were last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// How to address them.
    async fn salutation(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.salutation.clone()))
    }

    /// As they state it.
    async fn gender(&self, context: &Context<'_>) -> async_graphql::Result<Option<Gender>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.gender).map(Into::into))
    }

    /// When they were born.
    async fn birth_date(&self, context: &Context<'_>) -> async_graphql::Result<Option<BirthDate>> {
        let file = self.file(context).await?;
        Ok(file
            .and_then(|file| file.birth_date.as_deref()?.parse().ok())
            .map(BirthDate))
    }

    /// BCP 47 tag of the language in which they are addressed.
    async fn language(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.language.clone()))
    }

    /// The region they live in.
    async fn region_name(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.region_name.clone()))
    }

    /// Home address, street and postal code masked for those who may not contact the customer.
    async fn address(&self, context: &Context<'_>) -> async_graphql::Result<Option<Address>> {
        let file = self.file(context).await?;
        let Some(address) = file
            .and_then(|file| file.address.clone())
            .and_then(|value| serde_json::from_value(value).ok())
        else {
            return Ok(None);
        };
        let in_full = load(context, FullOf(self.0.id)).await?;
        Ok(Some(Address {
            customer: self.0.id,
            address,
            in_full: in_full.unwrap_or(false),
        }))
    }

    /// Employer.
    async fn employer(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.employer.clone()))
    }

    /// Position at the employer.
    async fn position(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.position.clone()))
    }

    /// Occupation.
    async fn occupation(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.occupation.clone()))
    }

    /// Income, and how it is known.
    async fn income(&self, context: &Context<'_>) -> async_graphql::Result<Option<Income>> {
        let file = self.file(context).await?;
        Ok(file.filter(|file| file.income_band.is_some()).map(Income))
    }

    /// How much the price decides.
    async fn price_sensitivity(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Option<PriceSensitivity>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.price_sensitivity).map(Into::into))
    }

    /// What they buy for.
    async fn buying_purpose(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.buying_purpose.clone()))
    }

    /// What they say they need.
    async fn stated_need(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.stated_need.clone()))
    }

    /// The motive behind what they say they need.
    async fn motive(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let file = self.file(context).await?;
        Ok(file.and_then(|file| file.motive.clone()))
    }

    /// How they came to the shop.
    async fn acquisition_source(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Option<AcquisitionSource>> {
        let file = self.file(context).await?;
        Ok(file
            .and_then(|file| file.acquisition_source)
            .map(Into::into))
    }

    /// Who referred them; null as well when you may not see that customer.
    async fn referred_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<Customer>> {
        let file = self.file(context).await?;
        other(context, file.and_then(|file| file.referred_by_id)).await
    }

    /// Whose gift brought them; null as well when you may not see that customer.
    async fn gift_from(&self, context: &Context<'_>) -> async_graphql::Result<Option<Customer>> {
        let file = self.file(context).await?;
        other(context, file.and_then(|file| file.gift_from_id)).await
    }

    /// Ways to reach them, masked for those who may not contact them; of each kind the preferred one first.
    async fn contact_points(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<ContactPoint>> {
        let points = load(context, ContactsOf(self.0.id)).await?;
        Ok(points
            .unwrap_or_default()
            .into_iter()
            .map(ContactPoint)
            .collect())
    }

    /// Ways to reach them that were taken off their file. Only those are kept about which consent was stated, as proof
    /// of what was allowed when.
    async fn removed_contact_points(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<ContactPoint>> {
        let points = load(context, RemovedContactsOf(self.0.id)).await?;
        Ok(points
            .unwrap_or_default()
            .into_iter()
            .map(ContactPoint)
            .collect())
    }

    /// What was noted on them, the newest first.
    async fn notes(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<NoteConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        notes_page(context, self.0.id, &args).await
    }

    /// What they like and dislike, the oldest entry first.
    async fn tastes(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Taste>> {
        let tastes = load(context, TastesOf(self.0.id)).await?;
        Ok(tastes.unwrap_or_default().into_iter().map(Taste).collect())
    }

    /// What the shop's own attributes say of them, in the order in which the attributes were made; what they stated, what
    /// staff noted and what is derived stand beside each other.
    async fn attributes(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<CustomerAttribute>> {
        let found = load(context, AttributesOf(self.0.id)).await?;
        Ok(found
            .unwrap_or_default()
            .into_iter()
            .map(CustomerAttribute)
            .collect())
    }

    /// Days worth remembering, the oldest entry first.
    async fn special_days(&self, context: &Context<'_>) -> async_graphql::Result<Vec<SpecialDay>> {
        let days = load(context, DaysOf(self.0.id)).await?;
        Ok(days
            .unwrap_or_default()
            .into_iter()
            .map(SpecialDay)
            .collect())
    }

    /// Their memberships in groups, the oldest first; at most 100 at a time.
    async fn groups(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "True for those that they have left; usually those in which they are.",
            default = false
        )]
        former: bool,
    ) -> async_graphql::Result<Vec<GroupMember>> {
        let key = MembershipsInGroups {
            customer: self.0.id,
            former,
        };
        let found = load(context, key).await?;
        Ok(found
            .unwrap_or_default()
            .into_iter()
            .map(GroupMember)
            .collect())
    }

    /// How complete their file is, and which fields are missing or were not confirmed lately.
    async fn completeness(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Option<CustomerCompleteness>> {
        let found = load(context, CompletenessOf(self.0.id)).await?;
        Ok(found.map(CustomerCompleteness))
    }

    /// Merges of other files into this one, oldest first, those that were undone too. Needs the right to merge.
    async fn merges(&self, context: &Context<'_>) -> async_graphql::Result<Vec<CustomerMerge>> {
        let merges = load(context, MergesOf(self.0.id)).await?;
        Ok(merges
            .unwrap_or_default()
            .into_iter()
            .map(CustomerMerge)
            .collect())
    }

    /// Other customers with whom they may be one person: at most 20, those who were dismissed left out. Needs the right to
    /// merge.
    async fn possible_duplicates(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<DuplicatePair>> {
        let pairs = load(context, DuplicatesOf(self.0.id)).await?;
        let pairs = pairs.unwrap_or_default().into_iter();
        Ok(pairs.map(|(_, pair)| DuplicatePair(pair)).collect())
    }

    /// What their visits and purchases come to.
    async fn totals(&self, context: &Context<'_>) -> async_graphql::Result<Option<CustomerTotals>> {
        let Some(totals) = load(context, TotalsOf(self.0.id)).await? else {
            return Ok(None);
        };
        let company = load(context, TheCompany).await?;
        Ok(company.map(|company| CustomerTotals {
            totals,
            currency: company.currency,
        }))
    }

    /// Their memberships in loyalty programmes, oldest first.
    async fn memberships(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Membership>> {
        let found = load(context, MembershipsOf(self.0.id)).await?;
        Ok(found
            .unwrap_or_default()
            .into_iter()
            .map(Membership)
            .collect())
    }

    /// The card in use; where there are several programmes, the oldest one's.
    async fn card(&self, context: &Context<'_>) -> async_graphql::Result<Option<Card>> {
        let found = load(context, CardsOf(self.0.id)).await?.unwrap_or_default();
        Ok(found
            .into_iter()
            .find(|card| card.status == CardStatus::Active)
            .map(Card))
    }

    /// All their cards, oldest first.
    async fn cards(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Card>> {
        let found = load(context, CardsOf(self.0.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(Card).collect())
    }

    /// What to know of them when they walk in, for the day that it is; null when there is no such store.
    async fn arrival_sheet(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "In which store they will arrive; its day counts, headquarters' when absent."
        )]
        store_id: Option<ID>,
    ) -> async_graphql::Result<Option<ArrivalSheet>> {
        let store = match store_id {
            None => None,
            Some(id) => match StoreId::parse(&id) {
                None => return Ok(None),
                store => store,
            },
        };
        sheet_of(context, self.0.clone(), store).await
    }

    /// Their announced visits of the day that it is, and those ahead: the earliest first, at most 20 and those of today.
    async fn announced_visits(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<AnnouncedVisit>> {
        let found = load(context, AnnouncedAheadOf(self.0.id)).await?;
        let found = found.unwrap_or_default().into_iter();
        Ok(found.map(AnnouncedVisit).collect())
    }

    /// Their visits, newest first.
    async fn visits(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<VisitConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        visits::of_customer(context, self.0.id, args).await
    }
}
