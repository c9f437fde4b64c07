//! The arrival sheet as the API shows it. Each field loads for all sheets of a page at once.

use super::loader::FavoritesOf;
use crate::domain::customers::CustomerRow;
use crate::domain::sheets::arrival::{self, Favorite, Occasion};
use crate::error::Error;
use crate::graphql::cards::money;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::customers::{Customer, DaysOf, FileOf, SpecialDay, Taste, TastesOf, today};
use crate::graphql::loaders::load_one;
use crate::graphql::organization;
use crate::graphql::scalars::{Date, Money};
use crate::graphql::visits::{
    AnnouncedAheadOf, AnnouncedVisit, LastVisitsOf, Purchase, PurchasesOf, Visit,
};
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use entity::enums::Attitude;
use entity::ids::StoreId;
use entity::values::{TimeZone, business_date};
use entity::visit;

/// Visits that are looked back on.
const VISITS: u64 = 20;
/// Days from now for which a day may be called near.
const FARTHEST: i32 = 90;

/// What to know of a customer who walks in: asked for with their arrival, or beforehand.
#[derive(Clone, Debug)]
pub struct ArrivalSheet {
    /// Whose.
    pub customer: CustomerRow,
    /// In which store.
    pub store: Option<StoreId>,
    /// The business day of the arrival, there.
    pub day: NaiveDate,
}

impl ArrivalSheet {
    async fn visits(&self, context: &Context<'_>) -> Result<Vec<visit::Model>> {
        let key = LastVisitsOf {
            customer: self.customer.id,
            limit: VISITS,
            bought: false,
        };
        Ok(load_one(context, key).await?.unwrap_or_default())
    }

    async fn tastes(&self, context: &Context<'_>, attitude: Attitude) -> Result<Vec<Taste>> {
        let found = load_one(context, TastesOf(self.customer.id)).await?;
        let found = found.unwrap_or_default().into_iter();
        Ok(found
            .filter(|taste| taste.attitude == attitude)
            .map(Taste)
            .collect())
    }
}

/// What to know of a customer who walks in: asked for with their arrival, or beforehand.
#[Object]
impl ArrivalSheet {
    /// Whose sheet it is: name, tier, notes and all else that is known of them.
    async fn customer(&self) -> Customer {
        Customer(self.customer.clone())
    }

    /// The business day for which it is told.
    async fn day(&self) -> Date {
        Date(self.day)
    }

    /// Days since their last visit before this day, by whatever way they came; null when this is their first.
    async fn days_since_last_visit(&self, context: &Context<'_>) -> Result<Option<i32>> {
        let visits = self.visits(context).await?;
        Ok(arrival::last_before(&visits, self.day)
            .and_then(|last| i32::try_from((self.day - last.business_date).num_days()).ok()))
    }

    /// Their last visit before this day; null when this is their first.
    async fn last_visit(&self, context: &Context<'_>) -> Result<Option<Visit>> {
        let visits = self.visits(context).await?;
        Ok(arrival::last_before(&visits, self.day).cloned().map(Visit))
    }

    /// What they bought last, the newest first.
    async fn recent_purchases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 10.", default = 3)] first: i32,
    ) -> Result<Vec<Purchase>> {
        let limit = u64::try_from(first)
            .ok()
            .filter(|limit| (1..=10).contains(limit))
            .ok_or_else(|| Error::BadRequest("first takes 1 to 10".into()))
            .reported(context)?;
        let key = LastVisitsOf {
            customer: self.customer.id,
            limit,
            bought: true,
        };
        let visits = load_one(context, key).await?.unwrap_or_default();
        let mut purchases = Vec::new();
        let receipts = visits
            .iter()
            .map(|visit| load_one(context, PurchasesOf(visit.id)));
        for found in futures_util::future::try_join_all(receipts).await? {
            purchases.extend(found.unwrap_or_default().into_iter().map(Purchase));
        }
        purchases.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(purchases)
    }

    /// What they asked within 30 days, by chat or call, and bought nothing since: the newest first.
    async fn open_enquiries(&self, context: &Context<'_>) -> Result<Vec<Visit>> {
        let visits = self.visits(context).await?;
        let open = arrival::open_enquiries(&visits, self.day);
        Ok(open.into_iter().cloned().map(Visit).collect())
    }

    /// What they like, the oldest entry first.
    async fn likes(&self, context: &Context<'_>) -> Result<Vec<Taste>> {
        self.tastes(context, Attitude::Likes).await
    }

    /// What they dislike, the oldest entry first: never to be laid out.
    async fn dislikes(&self, context: &Context<'_>) -> Result<Vec<Taste>> {
        self.tastes(context, Attitude::Dislikes).await
    }

    /// The categories on which they spent most within a year, at most five, the largest first.
    async fn favorite_categories(&self, context: &Context<'_>) -> Result<Vec<FavoriteCategory>> {
        let key = FavoritesOf {
            customer: self.customer.id,
            day: self.day,
        };
        let found = load_one(context, key).await?.unwrap_or_default();
        Ok(found.into_iter().map(FavoriteCategory).collect())
    }

    /// Their birthday and special days that are near, the next one first.
    async fn occasions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Days from this one on, 0 to 90.", default = 14)] within_days: i32,
    ) -> Result<Vec<NearOccasion>> {
        if !(0..=FARTHEST).contains(&within_days) {
            let error = Error::BadRequest(format!("withinDays takes 0 to {FARTHEST}").into());
            return Err(error).reported(context);
        }
        let (file, days) = futures_util::future::try_join(
            load_one(context, FileOf(self.customer.id)),
            load_one(context, DaysOf(self.customer.id)),
        )
        .await?;
        let birth_date = file.and_then(|file| file.birth_date.as_deref()?.parse().ok());
        let days = days.unwrap_or_default();
        let near = arrival::occasions(birth_date, &days, self.day, within_days);
        Ok(near
            .into_iter()
            .map(|occasion| NearOccasion {
                special_day: days
                    .iter()
                    .find(|day| Some(day.id) == occasion.special_day)
                    .cloned(),
                occasion,
            })
            .collect())
    }

    /// The visit for which they were announced today: in this store, if the sheet is for one. Null when they are not
    /// expected.
    async fn announced_visit(&self, context: &Context<'_>) -> Result<Option<AnnouncedVisit>> {
        let now = ctx(context)?.now();
        let found = load_one(context, AnnouncedAheadOf(self.customer.id)).await?;
        let mut today = found.unwrap_or_default().into_iter().filter(|row| {
            row.day_from <= now && self.store.is_none_or(|store| store == row.store_id)
        });
        Ok(today.next().map(AnnouncedVisit))
    }
}

/// A category that a customer likes, by what they bought.
#[derive(Clone, Debug)]
pub struct FavoriteCategory(pub Favorite);

/// A category that a customer likes, by what they bought.
#[Object]
impl FavoriteCategory {
    /// The category, as the receipts call it.
    async fn category(&self) -> &str {
        &self.0.category
    }

    /// Receipts on which it stands.
    async fn receipts(&self) -> i32 {
        i32::try_from(self.0.receipts).unwrap_or(i32::MAX)
    }

    /// What was paid for it, less what was given back.
    async fn net(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.net_minor).await
    }

    /// The business day on which it was last bought.
    async fn last_bought_on(&self) -> Date {
        Date(self.0.last_bought_on)
    }
}

/// A customer's birthday or special day that is near.
#[derive(Clone, Debug)]
pub struct NearOccasion {
    /// When.
    pub occasion: Occasion,
    /// Which of their special days.
    pub special_day: Option<entity::special_day::Model>,
}

/// A customer's birthday or special day that is near.
#[Object]
impl NearOccasion {
    /// Which of their special days; null for their own birthday.
    async fn special_day(&self) -> Option<SpecialDay> {
        self.special_day.clone().map(SpecialDay)
    }

    /// The solar day on which it is kept.
    async fn on(&self) -> Date {
        Date(self.occasion.on)
    }

    /// Days until then; 0 on the day itself.
    async fn in_days(&self) -> i32 {
        self.occasion.in_days
    }
}

/// The sheet of a customer for the day that it is: in a store, or at headquarters where none is named.
///
/// # Errors
/// Those of whatever loads the store; null where it does not exist.
pub async fn sheet_of(
    context: &Context<'_>,
    customer: CustomerRow,
    store: Option<StoreId>,
) -> Result<Option<ArrivalSheet>> {
    let day = match store {
        None => today(context).await?,
        Some(id) => {
            let now = ctx(context)?.now();
            let found = organization::store(context, id).await?;
            let zone = found.and_then(|store| TimeZone::parse(&store.0.time_zone).ok());
            zone.map(|zone| business_date::business_date(now, zone))
        }
    };
    Ok(day.map(|day| ArrivalSheet {
        customer,
        store,
        day,
    }))
}
