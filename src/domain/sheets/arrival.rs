//! The arrival sheet's own figures: which categories a customer likes by what they bought, which days of theirs are near,
//! what they asked and did not buy. What else stands on it is what the other topics tell.

use crate::access::{Action, Ctx, sight};
use crate::db::Sql;
use crate::error::Result;
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use entity::enums::{VisitChannel, VisitOutcome};
use entity::ids::{CustomerId, SpecialDayId};
use entity::values::BirthDate;
use entity::{special_day, visit};
use sea_orm::{ConnectionTrait, FromQueryResult};

/// Days of purchases by which favourite categories are told.
const FAVORITE_DAYS: u64 = 365;
/// Favourite categories of one customer.
const FAVORITES: usize = 5;
/// Days for which a question stays open, if nothing was bought since.
const ENQUIRY_DAYS: u64 = 30;

/// What a customer bought of a category within a year.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Favorite {
    /// Who.
    pub customer_id: CustomerId,
    /// The category, as the receipts call it.
    pub category: String,
    /// Receipts on which it stands.
    pub receipts: i64,
    /// What was paid for it less what was given back, in minor units.
    pub net_minor: i64,
    /// The business day on which it was last bought.
    pub last_bought_on: NaiveDate,
}

/// The categories on which these customers in sight spent most within the year before a day, at most five each, the
/// largest first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn favorites(
    ctx: &Ctx,
    customers: &[CustomerId],
    day: NaiveDate,
) -> Result<Vec<Favorite>> {
    let seen = sight::customer_ids(ctx, Action::VisitRead)?;
    let since = day
        .checked_sub_days(Days::new(FAVORITE_DAYS))
        .unwrap_or(day);
    // A day earlier by the clock, so that no zone is left out: the index is ordered by moments.
    let from = since.and_time(NaiveTime::MIN).and_utc() - TimeDelta::days(1);
    let mut sql = ctx.db.sql();
    sql.push(
        "select v.customer_id, l.category, count(distinct case when l.amount_minor > 0 then p.id end) as receipts,
            cast(sum(l.amount_minor) as bigint) as net_minor,
            max(case when l.quantity_milli > 0 then v.business_date end) as last_bought_on
        from visit v join purchase p on p.visit_id = v.id join purchase_line l on l.purchase_id = p.id
        where v.customer_id in ",
    )
    .bind_list(customers.iter().copied())
    .push(" and v.at >= ")
    .bind(from)
    .push(" and v.business_date >= ")
    .bind(since)
    .push(" and l.category is not null");
    if let Some(seen) = &seen {
        sql.push(" and v.customer_id in ").subquery(seen);
    }
    sql.push(
        " group by v.customer_id, l.category having sum(l.amount_minor) > 0
        order by v.customer_id, net_minor desc, l.category",
    );
    let rows = found(ctx, sql).await?;
    let mut kept: Vec<Favorite> = Vec::new();
    for row in rows {
        let theirs = kept
            .iter()
            .rev()
            .take_while(|known| known.customer_id == row.customer_id);
        if theirs.count() < FAVORITES {
            kept.push(row);
        }
    }
    Ok(kept)
}

async fn found(ctx: &Ctx, sql: Sql) -> Result<Vec<Favorite>> {
    let rows = ctx.db.read().query_all_raw(sql.build()).await?;
    rows.iter()
        .map(|row| Ok(Favorite::from_query_result(row, "")?))
        .collect()
}

/// A day of a customer's that is near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// Which of their special days; none for their own birthday.
    pub special_day: Option<SpecialDayId>,
    /// The solar day on which it is kept.
    pub on: NaiveDate,
    /// Days until then; 0 on the day itself.
    pub in_days: i32,
}

/// A customer's birthday and special days that are kept within some days from `day` on, that day included, the next one
/// first.
pub fn occasions(
    birth_date: Option<BirthDate>,
    special_days: &[special_day::Model],
    day: NaiveDate,
    within_days: i32,
) -> Vec<Occasion> {
    let own = birth_date.map(|date| (None, date));
    let theirs = special_days
        .iter()
        .filter_map(|row| Some((Some(row.id), row.date.parse().ok()?)));
    let mut near: Vec<Occasion> = own
        .into_iter()
        .chain(theirs)
        .filter_map(|(special_day, date): (_, BirthDate)| {
            let on = date.next_birthday(day)?;
            let in_days = i32::try_from((on - day).num_days()).ok()?;
            (in_days <= within_days).then_some(Occasion {
                special_day,
                on,
                in_days,
            })
        })
        .collect();
    near.sort_by_key(|occasion| (occasion.on, occasion.special_day));
    near
}

/// The last visit before a day among a customer's visits, the newest of which comes first.
pub fn last_before(visits: &[visit::Model], day: NaiveDate) -> Option<&visit::Model> {
    visits.iter().find(|visit| visit.business_date < day)
}

/// Enquiries of the last 30 days that nothing was bought after, among a customer's visits, the newest of which comes first.
pub fn open_enquiries(visits: &[visit::Model], day: NaiveDate) -> Vec<&visit::Model> {
    let since = day.checked_sub_days(Days::new(ENQUIRY_DAYS)).unwrap_or(day);
    visits
        .iter()
        .take_while(|visit| visit.outcome != VisitOutcome::Purchase && visit.business_date >= since)
        .filter(|visit| visit.channel == VisitChannel::Enquiry)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use entity::ids::{StoreId, VisitId};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn visit(on: &str, channel: VisitChannel, outcome: VisitOutcome) -> visit::Model {
        visit::Model {
            id: VisitId::new(),
            customer_id: CustomerId::new(),
            store_id: StoreId::new(),
            channel,
            at: DateTime::<Utc>::UNIX_EPOCH,
            business_date: day(on),
            served_by_id: None,
            outcome,
            no_purchase_reason: None,
            note: None,
            history: false,
            recorded_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    fn special(date: &str) -> special_day::Model {
        special_day::Model {
            id: SpecialDayId::new(),
            customer_id: CustomerId::new(),
            label: "a day".into(),
            person: None,
            date: date.into(),
            remind_before_days: 3,
            created_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    #[test]
    fn days_that_are_near_come_in_their_order() {
        let days = [
            special("2015-03-10"),
            special("2010-03-01"),
            special("2010-06-01"),
        ];
        let near = occasions(
            Some("1990-03-05".parse().unwrap()),
            &days,
            day("2026-02-28"),
            14,
        );
        let told: Vec<_> = near.iter().map(|it| (it.special_day, it.in_days)).collect();
        assert_eq!(
            told,
            [(Some(days[1].id), 1), (None, 5), (Some(days[0].id), 10)]
        );
    }

    #[test]
    fn the_day_itself_is_near_and_yesterday_is_a_year_away() {
        let near = |on: &str| occasions(Some("1990-03-05".parse().unwrap()), &[], day(on), 0);
        assert_eq!(near("2026-03-05").len(), 1);
        assert_eq!(near("2026-03-06"), []);
        assert_eq!(near("2026-03-04"), []);
    }

    #[test]
    fn a_lunar_birthday_is_kept_on_its_solar_day_of_the_year() {
        // The 15th of the 8th lunar month: 2026-09-25 by the astronomical almanac.
        let near = occasions(
            Some("L1990-08-15".parse().unwrap()),
            &[],
            day("2026-09-20"),
            14,
        );
        assert_eq!(near.first().map(|it| it.on), Some(day("2026-09-25")));
    }

    #[test]
    fn the_visit_before_is_not_one_of_the_same_day() {
        let of = |on: &str| visit(on, VisitChannel::InStore, VisitOutcome::NoPurchase);
        let visits = [of("2026-03-05"), of("2026-03-05"), of("2026-02-01")];
        let found = last_before(&visits, day("2026-03-05"));
        assert_eq!(found.map(|visit| visit.id), Some(visits[2].id));
        assert_eq!(last_before(&visits, day("2026-02-01")), None);
    }

    #[test]
    fn an_enquiry_is_open_until_something_is_bought_or_it_is_old() {
        let asked = |on: &str| visit(on, VisitChannel::Enquiry, VisitOutcome::NoPurchase);
        let came = visit(
            "2026-03-04",
            VisitChannel::InStore,
            VisitOutcome::NoPurchase,
        );
        let bought = visit("2026-03-02", VisitChannel::InStore, VisitOutcome::Purchase);
        let today = day("2026-03-05");
        let visits = [
            asked("2026-03-05"),
            came,
            asked("2026-03-03"),
            bought,
            asked("2026-03-01"),
        ];
        let open: Vec<_> = open_enquiries(&visits, today)
            .iter()
            .map(|visit| visit.id)
            .collect();
        assert_eq!(open, [visits[0].id, visits[2].id]);
        assert!(open_enquiries(&[asked("2026-02-01")], today).is_empty());
    }
}
