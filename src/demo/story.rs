//! One customer's story: their file, their card, and every visit of theirs, told in the order in which it happened.

use super::basket::Habit;
use super::calendar::is_season;
use super::customer::{self, Person};
use super::draw::{self, chance, weighted};
use super::house::{House, Shop};
use super::rhythm::Rhythm;
use super::{Frame, Story};
use crate::domain::cards::bulk::NewMember;
use crate::domain::customers::bulk::NewCustomer;
use crate::domain::visits::facts::LineFacts;
use crate::domain::visits::history::{HistoryCustomer, HistoryReceipt};
use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::enums::{AcquisitionSource, NoPurchaseReason, VisitChannel};
use entity::ids::StaffId;
use entity::values::CardPrefix;
use rand::RngExt;
use rand::rngs::StdRng;

/// What a customer is called by their number.
pub(super) fn key(number: u32) -> String {
    format!("C{:06}", number.saturating_add(1))
}

/// Does the file say that another customer brought them?
pub(super) fn is_referred(new: &NewCustomer) -> bool {
    new.acquisition_source == Some(AcquisitionSource::Referral)
}

/// Tells a customer's story. The same house, frame and number give the same one, but for the keys.
///
/// # Errors
/// [`Error::Internal`] when something invented is no valid value.
pub(super) fn tell(house: &House, frame: &Frame, number: u32) -> Result<Story> {
    let mut lots = draw::lots(frame.seed, number);
    let lots = &mut lots;
    let shops = house.stores.len().max(1);
    // The first customer is one to be shown: a regular of the first store, with a card.
    let is_first = number == 0;
    let place = if is_first {
        0
    } else {
        lots.random_range(0..shops)
    };
    let shop = house
        .stores
        .get(place)
        .ok_or_else(|| Error::internal("a house without stores"))?;
    let rhythm = if is_first {
        Rhythm::Regular
    } else {
        Rhythm::draw(lots)
    };
    let habit = customer::habit(lots);
    let days = rhythm.days(lots, frame, &frame.festivals);
    let visits = moments(lots, shop, frame, &days);
    let since = since(lots, frame, shop, &days, &visits);
    let person = Person {
        number,
        key: key(number),
        shop,
        rhythm,
        habit: &habit,
        since,
    };
    let file = customer::file(lots, house, frame, &person)?;
    let joins = match rhythm {
        Rhythm::Regular | Rhythm::GoneQuiet => 960,
        Rhythm::Occasional => 880,
        Rhythm::Seasonal => 700,
        Rhythm::Once => 350,
    };
    let prefix = CardPrefix::parse(&house.programme.card_prefix)
        .map_err(|error| Error::internal(format!("card prefix {error}")))?;
    let member = (is_first || chance(lots, joins))
        .then(|| NewMember::draw(lots, &prefix, file.id, Some(shop.id), since));
    let teller = Teller {
        house,
        frame,
        person: &person,
        keeper: file.keeper_id,
        is_member: member.is_some(),
    };
    let receipts = teller.receipts(lots, &visits);
    Ok(Story {
        number,
        customer: file,
        member,
        receipts,
    })
}

/// The moments at which somebody comes: in the store's opening hours, fuller at noon and in the evening, and none
/// that still lies ahead.
fn moments(
    lots: &mut StdRng,
    shop: &Shop,
    frame: &Frame,
    days: &[NaiveDate],
) -> Vec<(NaiveDate, DateTime<Utc>)> {
    let (opens, closes) = shop.city.hours;
    let mut moments = Vec::with_capacity(days.len());
    for day in days {
        let hour = weighted(
            lots,
            &[
                (lots_hour(opens, closes, 0), 20),
                (12, 22),
                (13, 10),
                (16, 10),
                (18, 20),
                (lots_hour(opens, closes, 1), 18),
            ],
        )
        .unwrap_or(12);
        let time =
            NaiveTime::from_hms_opt(hour, lots.random_range(0..60), lots.random_range(0..60))
                .unwrap_or_default();
        let at = shop.zone.instant(day.and_time(time));
        if at < frame.now {
            moments.push((*day, at));
        }
    }
    moments
}

/// The first hours of the day, or the last.
fn lots_hour(opens: u32, closes: u32, late: u32) -> u32 {
    if late == 0 { opens + 1 } else { closes - 1 }
}

/// Since when somebody is known: a little before their first visit; of those who were regulars when the history
/// begins, many have been for years.
fn since(
    lots: &mut StdRng,
    frame: &Frame,
    shop: &Shop,
    days: &[NaiveDate],
    visits: &[(NaiveDate, DateTime<Utc>)],
) -> DateTime<Utc> {
    let earlier = lots.random_range(30..1500);
    let is_old = chance(lots, 600);
    let first = visits.first().map(|(_, at)| *at).unwrap_or_else(|| {
        // Their only day is today, and the hour has not come yet.
        let day = days.first().copied().unwrap_or(frame.last) - TimeDelta::days(1);
        shop.zone.instant(day.and_time(NaiveTime::default()))
    });
    let at_the_start = days
        .first()
        .is_some_and(|day| *day < frame.first + TimeDelta::days(45));
    let back = if at_the_start && is_old {
        TimeDelta::days(earlier)
    } else {
        TimeDelta::minutes(lots.random_range(1..20))
    };
    first - back
}

/// What the visits of one customer are told with.
struct Teller<'a> {
    house: &'a House,
    frame: &'a Frame,
    person: &'a Person<'a>,
    keeper: Option<StaffId>,
    is_member: bool,
}

/// Something that will be brought back.
struct Pending {
    day: NaiveDate,
    at: DateTime<Utc>,
    line: LineFacts,
}

impl Teller<'_> {
    fn receipts(
        &self,
        lots: &mut StdRng,
        visits: &[(NaiveDate, DateTime<Utc>)],
    ) -> Vec<HistoryReceipt> {
        let mut receipts: Vec<HistoryReceipt> = Vec::with_capacity(visits.len() + 2);
        let mut net = 0_i64;
        let mut pending: Option<Pending> = None;
        for (day, at) in visits {
            if let Some(back) = pending.take_if(|back| back.at < *at) {
                net -= back.line.amount_minor;
                receipts.push(self.bring_back(lots, receipts.len(), back));
            }
            let mut receipt = self.visit(lots, receipts.len(), *day, *at);
            if chance(lots, 80) {
                receipt.no_purchase_reason = no_purchase(lots);
                if chance(lots, 150) {
                    receipt.channel = VisitChannel::Enquiry;
                }
                receipts.push(receipt);
                continue;
            }
            let season = is_season(&self.frame.festivals, *day);
            let member = self.is_member.then_some((&self.house.ladder, net));
            receipt.lines = self.habit().basket(lots, season, member);
            net += receipt
                .lines
                .iter()
                .map(|line| line.amount_minor)
                .sum::<i64>();
            if pending.is_none() && chance(lots, 45) {
                pending = self.regret(lots, *day, *at, &receipt.lines);
            }
            receipts.push(receipt);
        }
        if let Some(back) = pending {
            receipts.push(self.bring_back(lots, receipts.len(), back));
        }
        receipts
    }

    fn habit(&self) -> &Habit {
        self.person.habit
    }

    /// A visit on which nothing has happened yet.
    fn visit(
        &self,
        lots: &mut StdRng,
        place: usize,
        day: NaiveDate,
        at: DateTime<Utc>,
    ) -> HistoryReceipt {
        let shop = self.person.shop;
        let channel = weighted(
            lots,
            &[
                (VisitChannel::InStore, 84),
                (VisitChannel::OnlineOrder, 13),
                (VisitChannel::PhoneOrder, 3),
            ],
        )
        .unwrap_or(VisitChannel::InStore);
        let served_by = match self.keeper.filter(|_| chance(lots, 700)) {
            _ if channel == VisitChannel::OnlineOrder => None,
            Some(keeper) => Some(keeper),
            None if shop.staff.is_empty() => None,
            None => shop
                .staff
                .get(lots.random_range(0..shop.staff.len()))
                .copied(),
        };
        HistoryReceipt {
            number: format!("{}-{}-{:03}", shop.code, self.person.key, place + 1),
            customer: HistoryCustomer {
                external_id: self.person.key.clone(),
                name: None,
                contact_points: Vec::new(),
            },
            store: shop.id,
            channel,
            at,
            business_date: day,
            served_by,
            no_purchase_reason: None,
            lines: Vec::new(),
            returned: Vec::new(),
        }
    }

    /// One line of a basket is brought back some days later, unless that day still lies ahead.
    fn regret(
        &self,
        lots: &mut StdRng,
        day: NaiveDate,
        at: DateTime<Utc>,
        lines: &[LineFacts],
    ) -> Option<Pending> {
        let after = TimeDelta::days(lots.random_range(2..=14));
        let line = lines.get(lots.random_range(0..lines.len().max(1)))?.clone();
        let day = day + after;
        // The same hour of that day, where the clocks may have changed in between.
        let local = self.person.shop.zone.local(at).time();
        let at = self.person.shop.zone.instant(day.and_time(local));
        (at < self.frame.now).then_some(Pending { day, at, line })
    }

    fn bring_back(&self, lots: &mut StdRng, place: usize, back: Pending) -> HistoryReceipt {
        let mut receipt = self.visit(lots, place, back.day, back.at);
        receipt.channel = VisitChannel::InStore;
        receipt.returned = vec![back.line];
        receipt
    }
}

fn no_purchase(lots: &mut StdRng) -> Option<NoPurchaseReason> {
    weighted(
        lots,
        &[
            (NoPurchaseReason::JustLooking, 40),
            (NoPurchaseReason::OutOfStock, 18),
            (NoPurchaseReason::Price, 14),
            (NoPurchaseReason::Fit, 12),
            (NoPurchaseReason::Waiting, 6),
            (NoPurchaseReason::Service, 8),
            (NoPurchaseReason::Other, 2),
        ],
    )
}
