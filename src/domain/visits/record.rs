//! Recording a visit: may I, parse, lock the customer, compute, write everything in one transaction.

use super::arrivals::Came;
use super::booking::{Booking, LARGEST_MINOR, Totals, sums};
use super::enquiries::{self, NewEntry, Said};
use super::facts::{PurchaseFacts, ReturnClaim, VisitFacts, content_hash};
use super::receipt::{NewPurchase, read_purchase};
use super::returns;
use super::who::{Who, find_customer, find_store, lock_whoever};
use crate::access::sight;
use crate::access::{Action, Ctx, audit};
use crate::db::{Batch, IdempotencyKey};
use crate::domain::cards::tiering::Standing;
use crate::domain::customers::alias;
use crate::domain::organization::{company, fixed};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use crate::events;
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use entity::enums::{NoPurchaseReason, VisitChannel};
use entity::ids::{CustomerId, StaffId, StoreId, VisitId};
use entity::values::{TimeZone, business_date, clean_text};
use entity::{customer_total, purchase, staff, visit};
use iso_currency::Currency;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use std::collections::HashMap;

/// A visit as it is told.
#[derive(Clone, Debug)]
pub struct NewVisit {
    /// Who came.
    pub who: Who,
    /// To which store; the viewer's only store when absent.
    pub store: Option<StoreId>,
    /// By which way.
    pub channel: VisitChannel,
    /// When; now when absent.
    pub at: Option<DateTime<Utc>>,
    /// Who served; the viewer when absent.
    pub served_by: Option<StaffId>,
    /// Why nothing was bought.
    pub no_purchase_reason: Option<NoPurchaseReason>,
    /// What was said.
    pub note: Option<String>,
    /// What was said in an enquiry, in its order.
    pub transcript: Vec<NewEntry>,
    /// The receipt.
    pub purchase: Option<NewPurchase>,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
}

/// Records a visit, with or without a purchase. Totals, tier, audit entry and events are written in the same
/// transaction. The same receipt, or the same key, sent again gives the visit that was recorded first.
///
/// # Errors
/// User errors for whatever cannot be; [`Code::ReceiptConflict`] for a receipt that was recorded with other
/// content.
pub async fn record(ctx: &Ctx, new: NewVisit) -> Result<visit::Model> {
    ctx.require(Action::VisitRecord)?;
    let currency = company::settings(ctx).await?.currency;
    let mut errors = UserErrors::new();
    let note = new
        .note
        .as_deref()
        .and_then(|note| errors.take("note", text_code, clean_text(note, 20_000)));
    let at = check_time(ctx, new.at, "at", &mut errors);
    let told = new
        .purchase
        .as_ref()
        .map(|purchase| read_purchase(purchase, currency, &mut errors));
    if new.purchase.is_some() && new.no_purchase_reason.is_some() {
        errors.push(
            Code::Invalid,
            "noPurchaseReason",
            "a reason is given only where nothing was bought",
        );
    }
    let transcript = enquiries::read(ctx, "transcript", &new.transcript, &mut errors);
    if !new.transcript.is_empty() && new.channel != VisitChannel::Enquiry {
        errors.push(
            Code::Invalid,
            "transcript",
            "a transcript is what was said in an enquiry; give it with the channel ENQUIRY",
        );
    }
    errors.check()?;
    let store = find_store(ctx, new.store).await?;
    let zone = TimeZone::parse(&store.time_zone)
        .map_err(|error| Error::internal(format!("store's time zone {error}")))?;
    let (customer, shown) = find_customer(ctx, &new.who).await?;
    let claims = told
        .as_ref()
        .map(|told| told.claims.clone())
        .unwrap_or_default();
    let purchase = told.map(|told| PurchaseFacts {
        content_hash: content_hash(customer, store.id, new.channel, &told.lines, &told.claims),
        source: told.source,
        number: told.number,
        lines: told.lines,
        returns: Vec::new(),
    });
    let facts = VisitFacts {
        customer,
        store: store.id,
        channel: new.channel,
        at,
        business_date: business_date::business_date(at, zone),
        served_by: new.served_by.or(ctx.viewer.staff_id()),
        no_purchase_reason: new.no_purchase_reason,
        note,
        purchase,
        arrival_told: false,
    };
    let plan = &Plan {
        facts,
        channel: new.channel,
        claims,
        transcript,
        shown,
        zone,
        served_by: new.served_by,
        currency,
        key: new.key,
    };
    let recorded = ctx
        .db
        .write_for(
            &[customer],
            |tx| async move { write(&*tx, ctx, plan).await },
        )
        .await?;
    match recorded {
        Recorded::Now(visit) => Ok(visit),
        Recorded::Before(id) => {
            let earlier = visit::Entity::find_by_id(id).one(ctx.db.read()).await?;
            earlier.ok_or_else(|| Error::internal("a recorded visit is not there"))
        }
    }
}

/// What came of recording a visit.
enum Recorded {
    /// It is written as it stands here.
    Now(visit::Model),
    /// It was written before, and is sent again.
    Before(VisitId),
}

/// A checked visit on its way into the database.
struct Plan {
    facts: VisitFacts,
    channel: VisitChannel,
    claims: Vec<ReturnClaim>,
    transcript: Vec<Said>,
    /// Was the customer found by the card they show?
    shown: bool,
    zone: TimeZone,
    served_by: Option<StaffId>,
    /// In which the amounts were read.
    currency: Currency,
    key: Option<IdempotencyKey>,
}

/// Under the lock: looks for an earlier recording, computes and writes.
async fn write(tx: &impl ConnectionTrait, ctx: &Ctx, plan: &Plan) -> Result<Recorded> {
    let customer = lock_whoever(tx, ctx, plan.facts.customer, plan.shown).await?;
    if let Some(key) = &plan.key
        && let Some(done) = key.seen(tx).await?
    {
        return Ok(Recorded::Before(VisitId(done)));
    }
    if let Some(earlier) = same_receipt(tx, plan, customer).await? {
        return Ok(Recorded::Before(earlier));
    }
    let mut facts = plan.facts.clone();
    facts.customer = customer;
    if let Some(purchase) = &mut facts.purchase {
        fixed::hold_currency(tx, ctx, plan.currency).await?;
        purchase.returns = returns::settle(tx, customer, plan.facts.at, &plan.claims).await?;
    }
    if let Some(served_by) = plan.served_by
        && staff::Entity::find_by_id(served_by).count(tx).await? == 0
    {
        return Err(Error::not_found("servedById", "member of staff"));
    }
    let came = match is_today(ctx, &facts, plan.zone) {
        true => Came::read(tx, ctx, &facts).await?,
        false => Came::default(),
    };
    facts.arrival_told = came.is_told();
    let totals = customer_total::Entity::find_by_id(facts.customer)
        .one(tx)
        .await?;
    let mut known: HashMap<CustomerId, Totals> = totals
        .into_iter()
        .map(|row| (row.customer_id, row.into()))
        .collect();
    check_room(&facts, known.entry(facts.customer).or_default())?;
    let standing = Standing::read(tx, &[facts.customer]).await?;
    let now = ctx.now();
    let mut booking = Booking::new(known, standing, false, now);
    let booked = booking.add(&facts)?;
    let mut batch = Batch::new();
    let events = booking.finish(&mut batch);
    let detail = json!({ "visit": booked.visit, "store": booked.store });
    let entry = audit::Entry::new(ctx, "visit.record")
        .about([facts.customer])
        .detail(detail);
    audit::gather(&mut batch, &[entry]);
    events::gather(&mut batch, ctx, events);
    enquiries::gather(&mut batch, ctx, booked.visit, 1, &plan.transcript);
    if is_today(ctx, &facts, plan.zone) {
        show_until_midnight(&mut batch, &facts, plan.zone);
    }
    batch.write(tx).await?;
    came.tie(tx, ctx, &facts, booked.visit).await?;
    if let Some(key) = &plan.key {
        key.remember(tx, booked.visit.into(), now).await?;
    }
    Ok(Recorded::Now(facts.row(booked.visit, false, now)))
}

/// Does the visit fall on the store's present business day?
fn is_today(ctx: &Ctx, facts: &VisitFacts, zone: TimeZone) -> bool {
    facts.business_date == business_date::business_date(ctx.now(), zone)
}

/// Whoever has arrived today is seen by the staff of the store until its day ends (rule R1).
fn show_until_midnight(batch: &mut Batch, facts: &VisitFacts, zone: TimeZone) {
    if let Some(tomorrow) = facts.business_date.succ_opt() {
        let midnight = business_date::local_midnight(zone, tomorrow);
        sight::gather(batch, facts.customer, facts.store, "arrived", midnight);
    }
}

/// The visit of a receipt with the same number, if there is one.
async fn same_receipt(
    tx: &impl ConnectionTrait,
    plan: &Plan,
    customer: CustomerId,
) -> Result<Option<VisitId>> {
    let Some(purchase) = &plan.facts.purchase else {
        return Ok(None);
    };
    let number = Condition::all()
        .add(purchase::Column::Source.eq(purchase.source.as_str()))
        .add(purchase::Column::ReceiptNumber.eq(purchase.number.as_str()));
    let Some(earlier) = purchase::Entity::find().filter(number).one(tx).await? else {
        return Ok(None);
    };
    if earlier.content_hash == purchase.content_hash {
        return Ok(Some(earlier.visit_id));
    }
    // Recorded for the same person under another id, before their files were merged or while they were.
    for other in alias::kin(tx, customer).await? {
        let hash = content_hash(
            other,
            plan.facts.store,
            plan.channel,
            &purchase.lines,
            &plan.claims,
        );
        if hash == earlier.content_hash {
            return Ok(Some(earlier.visit_id));
        }
    }
    let message = "a receipt with this number was recorded with other content; check the number, or record a return";
    Err(Error::user(
        Code::ReceiptConflict,
        "purchase.receipt.number",
        message,
    ))
}

fn check_room(facts: &VisitFacts, totals: &Totals) -> Result<()> {
    let fits = sums(facts).is_some_and(|(bought, returned)| {
        let room = |have: i64, more: i64| {
            have.checked_add(more)
                .is_some_and(|sum| sum <= LARGEST_MINOR)
        };
        room(totals.bought_minor, bought) && room(totals.returned_minor, returned)
    });
    if fits {
        Ok(())
    } else {
        Err(Error::user(
            Code::OutOfRange,
            "purchase",
            "the sum is beyond what a customer can have spent",
        ))
    }
}

/// When something was: what is told at `field`, or now.
pub(super) fn check_time(
    ctx: &Ctx,
    at: Option<DateTime<Utc>>,
    field: &str,
    errors: &mut UserErrors,
) -> DateTime<Utc> {
    let now = ctx.now();
    let Some(at) = at else { return now };
    let first = Utc
        .with_ymd_and_hms(1990, 1, 1, 0, 0, 0)
        .single()
        .unwrap_or_default();
    // Tills' clocks are not always right.
    if at > now + TimeDelta::minutes(5) || at < first {
        errors.push(Code::OutOfRange, field, "a visit lies between 1990 and now");
    }
    at
}
