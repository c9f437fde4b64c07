//! The demonstration: a believable retailer with customers, cards and two years of visits, made of a seed.
//!
//! Called by `cli` for `regulars demo`, and by measurements that want many customers. The same seed, scale and day
//! give the same shop, whatever the engine; only the keys differ. Everything has a natural key (codes, addresses,
//! the customer's number), so that filling again, or after being killed, completes what is missing and changes
//! nothing else. Customers are made and written in batches, each in one transaction, so that memory does not grow
//! with the scale; the next batches are told while one is written, and where the engine writes side by side, several
//! are written at once. Never fills a database that holds somebody else's data. All people, firms and brands are
//! invented, and no telephone number belongs to a subscriber.

mod basket;
mod calendar;
mod catalogue;
mod contacts;
mod customer;
mod draw;
mod house;
mod names;
mod rhythm;
mod shelves;
mod story;
#[cfg(test)]
mod tests;

use crate::access::{Action, Ctx, audit};
use crate::db::Batch;
use crate::domain::cards::bulk::{self as cards, NewMember};
use crate::domain::customers::bulk::{self as customers, NewCustomer};
use crate::domain::customers::completeness::count as completeness;
use crate::domain::visits::history::{self, HistoryReceipt};
use crate::error::{Error, Result};
use crate::events::{self, NewEvent};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::customer_reference;
use entity::enums::Role;
use entity::values::business_date::business_date;
use futures_util::{StreamExt, TryStreamExt, stream};
use house::House;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use std::collections::HashSet;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use uuid::Uuid;

/// The name under which the demonstration's customers and receipts are known.
pub const SOURCE: &str = "demo";

/// The password of all accounts of the demonstration; everyone knows it.
pub const PASSWORD: &str = "regulars-demo";

/// The currency of the demonstration's books.
pub const CURRENCY: &str = "CNY";

/// The accounts of the demonstration: address, role, and what to say of it.
pub const ACCOUNTS: [(&str, Role, &str); 7] = [
    ("admin@demo.example", Role::Admin, "everything"),
    (
        "headquarters@demo.example",
        Role::Headquarters,
        "all stores",
    ),
    (
        "region@demo.example",
        Role::RegionManager,
        "the stores of the first region",
    ),
    (
        "manager@demo.example",
        Role::StoreManager,
        "the first store",
    ),
    (
        "associate@demo.example",
        Role::Associate,
        "the first store, in full whom they keep",
    ),
    (
        "marketer@demo.example",
        Role::Marketer,
        "customers with masked contact details",
    ),
    ("analyst@demo.example", Role::Analyst, "figures only"),
];

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Customers.
    pub customers: u32,
    /// Visits, about, 1 to [`MOST_VISITS_EACH`] for each customer; they are spread over [`Scale::days`].
    pub visits: u32,
    /// Stores, 1 to [`MOST_STORES`].
    pub stores: u32,
    /// The length of the history, which ends today.
    pub days: u16,
    /// What everything is made of.
    pub seed: u64,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            customers: 2_000,
            visits: 24_000,
            stores: 4,
            days: 730,
            seed: 1,
        }
    }
}

/// Customers at most: as many as there are telephone numbers that nobody has.
pub const MOST_CUSTOMERS: u32 = 2_000_000;
/// Stores at most.
pub const MOST_STORES: u32 = 10_000;
/// Visits of a customer at most, on average over two years: nobody comes to a shop every day.
pub const MOST_VISITS_EACH: u32 = 100;

impl Scale {
    /// Can a shop of this scale be told?
    ///
    /// # Errors
    /// [`Error::BadRequest`] that names the number which is wrong, and what it may be.
    pub fn check(&self) -> Result<()> {
        let outside = |what: &str, number: u32, most: u32| {
            let message =
                format!("{what} must be 1 to {most}, and {number} is not; give another number");
            (!(1..=most).contains(&number)).then_some(Error::BadRequest(message.into()))
        };
        let most = self.customers.saturating_mul(MOST_VISITS_EACH);
        let sparse = self.visits < self.customers || self.visits > most;
        let wrong = outside("the number of customers", self.customers, MOST_CUSTOMERS)
            .or_else(|| outside("the number of stores", self.stores, MOST_STORES))
            .or_else(|| outside("the number of days", self.days.into(), 36_500))
            .or_else(|| {
                let message = format!(
                    "a customer comes 1 to {MOST_VISITS_EACH} times, so {} customers make {} to {most} visits, and {} is not \
                     among these; give another number of visits or of customers",
                    self.customers, self.customers, self.visits
                );
                sparse.then_some(Error::BadRequest(message.into()))
            });
        wrong.map_or(Ok(()), Err)
    }
}

/// What was made, and what was there already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Customers made.
    pub customers: u64,
    /// Customers who were there from an earlier filling.
    pub known: u64,
    /// Visits booked.
    pub visits: u64,
    /// The name of the first customer of the first store, for requests to try.
    pub sample_name: String,
    /// The number of a card of that store, for requests to try.
    pub sample_card: String,
}

/// A customer with everything that is told of them.
#[derive(Clone, Debug)]
struct Story {
    number: u32,
    customer: NewCustomer,
    member: Option<NewMember>,
    receipts: Vec<HistoryReceipt>,
}

/// Customers told together: who was referred knows somebody among them.
const BATCH: u32 = 250;
/// Customers in one transaction where one is written after the other: so fewer pages are written time and again.
const TOGETHER: u32 = 1000;
/// Batches told ahead of those that are written.
const AHEAD: usize = 2;

/// Fills the database; `tell` hears after each batch how many customers are done.
///
/// # Errors
/// [`Error::BadRequest`] when the database holds data that are not the demonstration's, or the scale makes no shop
/// ([`Scale::check`]); those of the policy and the database. What was made before stays, and is completed by the next
/// filling.
pub async fn fill(ctx: &Ctx, scale: &Scale, mut tell: impl FnMut(u32)) -> Result<Summary> {
    ctx.require(Action::OrganizationManage)?;
    scale.check()?;
    refuse_strangers(ctx).await?;
    let house = Arc::new(House::furnish(ctx, scale).await?);
    let frame = Arc::new(Frame::new(ctx, &house, scale));
    let lanes = ctx.db.lanes();
    let together = if lanes == 1 { TOGETHER } else { BATCH };
    let batches = (0..scale.customers)
        .step_by(together as usize)
        .map(|first| {
            let numbers = first..first.saturating_add(together).min(scale.customers);
            // A task of its own: it goes on while nobody asks for it.
            let told = tokio::spawn(prepare(ctx.clone(), house.clone(), frame.clone(), numbers));
            async {
                told.await
                    .map_err(|error| Error::internal(format!("telling failed: {error}")))?
            }
        });
    let (house, frame) = (&house, &frame);
    let written = stream::iter(batches)
        .buffered(lanes.max(AHEAD))
        .enumerate()
        .map(|(n, batch)| async move { write(ctx, house, frame, n % lanes, batch?).await })
        .buffer_unordered(lanes);
    let mut written = pin!(written);
    let (mut summary, mut done) = (Summary::default(), 0);
    while let Some(batch) = written.try_next().await? {
        summary.customers += batch.customers;
        summary.known += batch.known;
        summary.visits += batch.visits;
        done += batch.customers + batch.known;
        tell(u32::try_from(done).unwrap_or(u32::MAX));
    }
    // After all else, and with those whom an earlier filling has left uncounted.
    completeness::all(ctx).await?;
    if summary.customers > 0 {
        ctx.db.refresh_statistics().await?;
    }
    (summary.sample_name, summary.sample_card) = sample(ctx).await?;
    Ok(summary)
}

/// The first customer and their card, read again: on another day they would be told differently, and an
/// administrator may have changed them since.
async fn sample(ctx: &Ctx) -> Result<(String, String)> {
    let mut sql = ctx.db.sql();
    sql.push(
        "select customer.full_name, card.number from customer_reference
            join customer on customer.id = customer_reference.customer_id
            left join card on card.customer_id = customer.id and card.status = 'ACTIVE'
            where customer_reference.source = ",
    );
    sql.bind(SOURCE)
        .push(" and customer_reference.external_id = ")
        .bind(story::key(0));
    let row = ctx.db.read().query_one_raw(sql.build()).await?;
    let Some(row) = row else {
        return Err(Error::internal("the first customer is gone"));
    };
    let number: Option<String> = row.try_get("", "number")?;
    Ok((row.try_get("", "full_name")?, number.unwrap_or_default()))
}

/// The stretch of time that is told, and how dense it is.
#[derive(Clone, Debug)]
struct Frame {
    first: NaiveDate,
    last: NaiveDate,
    now: DateTime<Utc>,
    seed: u64,
    festivals: Vec<NaiveDate>,
    /// Thousandths of the usual distance between two visits.
    spacing: u32,
}

impl Frame {
    fn new(ctx: &Ctx, house: &House, scale: &Scale) -> Self {
        let last = business_date(ctx.now(), house.company.time_zone);
        // What the rhythms give without stretching, over two years: measured, and held by a test.
        let usual = u64::from(scale.customers) * rhythm::USUAL_VISITS * u64::from(scale.days) / 730;
        let spacing = usual * 1000 / u64::from(scale.visits.max(1));
        let first = last - TimeDelta::days(i64::from(scale.days));
        Self {
            first,
            last,
            now: ctx.now(),
            seed: scale.seed,
            // Those that people are buying for already included.
            festivals: calendar::festivals(first, last + TimeDelta::days(14)),
            spacing: u32::try_from(spacing.clamp(100, 20_000)).unwrap_or(1000),
        }
    }
}

/// A database with people in it who are not the demonstration's is somebody's.
async fn refuse_strangers(ctx: &Ctx) -> Result<()> {
    let mut sql = ctx.db.sql();
    sql.push("select case when exists (select 1 from staff where demo) or exists (select 1 from customer_reference where source = ");
    sql.bind(SOURCE).push(") then 0 when exists (select 1 from staff) or exists (select 1 from customer) then 1 else 0 end as foreign_data");
    let row = ctx.db.read().query_one_raw(sql.build()).await?;
    let foreign: i32 = match row {
        Some(row) => row.try_get("", "foreign_data")?,
        None => 0,
    };
    if foreign == 0 {
        return Ok(());
    }
    Err(Error::BadRequest(
        "this database holds data that are not the demonstration's; give `demo` a directory or a database of its own"
            .into(),
    ))
}

/// Which of the customers are there from an earlier filling.
async fn known(tx: &impl ConnectionTrait, numbers: Range<u32>) -> Result<HashSet<String>> {
    let found: Vec<String> = customer_reference::Entity::find()
        .select_only()
        .column(customer_reference::Column::ExternalId)
        .filter(customer_reference::Column::Source.eq(SOURCE))
        .filter(customer_reference::Column::ExternalId.is_in(numbers.map(story::key)))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// A batch that has been told and is not written yet.
struct Told {
    /// Customers who were there before.
    known: u64,
    stories: Vec<Story>,
}

/// Tells the customers of a batch who are not there yet.
async fn prepare(
    ctx: Ctx,
    house: Arc<House>,
    frame: Arc<Frame>,
    numbers: Range<u32>,
) -> Result<Told> {
    let there = known(ctx.db.read(), numbers.clone()).await?;
    let known = there.len() as u64;
    let stories = numbers
        .filter(|number| !there.contains(&story::key(*number)))
        .map(|number| story::tell(&house, &frame, number))
        .collect::<Result<Vec<Story>>>()?;
    Ok(Told { known, stories })
}

/// Writes a batch: each customer is there with all their history, or not at all.
async fn write(
    ctx: &Ctx,
    house: &House,
    frame: &Frame,
    lane: usize,
    told: Told,
) -> Result<Summary> {
    let mut summary = Summary {
        known: told.known,
        ..Summary::default()
    };
    if told.stories.is_empty() {
        return Ok(summary);
    }
    let mut people: Vec<(u32, NewCustomer)> = Vec::with_capacity(told.stories.len());
    let (mut members, mut receipts) = (Vec::new(), Vec::new());
    for story in told.stories {
        people.push((story.number, story.customer));
        members.extend(story.member);
        receipts.extend(story.receipts);
    }
    // Parted by their numbers, so that the same know each other however many are written together.
    for part in people.chunk_by_mut(|one, other| one.0 / BATCH == other.0 / BATCH) {
        refer(frame, part);
    }
    let people: Vec<NewCustomer> = people.into_iter().map(|(_, new)| new).collect();
    let (people, members, receipts) = (&people, &members, &receipts);
    let outcome = ctx
        .db
        .write_for(&[(SOURCE, lane)], |tx| async move {
            let mut batch = Batch::new();
            customers::gather(&mut batch, &house.company, people);
            cards::gather(&mut batch, &house.programme, &house.ladder, members)?;
            batch.write(&*tx).await?;
            note(&*tx, ctx, people, members).await?;
            history::book_within(&*tx, ctx, &house.company, SOURCE, receipts).await
        })
        .await?;
    summary.customers = people.len() as u64;
    summary.visits = outcome.booked;
    Ok(summary)
}

/// Gives those who came by referral somebody of the same batch and store who was there before them.
fn refer(frame: &Frame, people: &mut [(u32, NewCustomer)]) {
    for n in 1..people.len() {
        let (earlier, rest) = people.split_at_mut(n);
        let Some((_, new)) = rest.first_mut().filter(|(_, new)| story::is_referred(new)) else {
            continue;
        };
        let referrer = earlier.iter().rev().map(|(_, other)| other).find(|other| {
            other.home_store_id == new.home_store_id
                && other.created_at < new.created_at
                && other.created_at < frame.now
        });
        match referrer {
            Some(referrer) => new.referred_by_id = Some(referrer.id),
            None => new.acquisition_source = Some(entity::enums::AcquisitionSource::WalkIn),
        }
    }
    let first = people.first_mut().map(|(_, new)| new);
    if let Some(first) = first.filter(|new| story::is_referred(new)) {
        first.acquisition_source = Some(entity::enums::AcquisitionSource::WalkIn);
    }
}

/// One event and one audit entry for the whole batch.
async fn note(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    people: &[NewCustomer],
    members: &[NewMember],
) -> Result<()> {
    let detail = json!({ "source": SOURCE, "customers": people.len(), "members": members.len() });
    let event = NewEvent {
        kind: "history.imported",
        customer: None,
        store: None,
        subject: Uuid::now_v7(),
        payload: detail.clone(),
    };
    events::record(tx, ctx, &[event]).await?;
    let entry = audit::Entry::new(ctx, "demo.fill")
        .about(people.iter().map(|new| new.id))
        .detail(detail);
    audit::write(tx, &[entry]).await
}
