//! Customers who may be one person with two files (rule C8): they share a contact point in normal form, or the words of
//! their name and their birth date. A person decides; pairs that somebody has looked at are remembered.
//!
//! Called by the API. Only those who may merge see pairs, and only of customers in their own sight: whoever saw more could
//! learn a masked number by making a customer with it. What the pairs share is told as a word, never as a value.
//!
//! A page starts right behind a pair and walks the customers in the order of their ids, each looked up in two indexes, so
//! it costs by how far the next duplicates are and not by how many customers there are before.

use super::locks;
use crate::access::{Action, Ctx, audit, sight};
use crate::db::{Page, PageRequest, SortKey, Sql, literal_limit};
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use entity::duplicate_dismissal;
use entity::ids::CustomerId;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Others named with one customer at most.
const MOST_OF_ONE: usize = 20;
/// Pairs read at once for the customers of a page.
const MOST: u64 = 5000;

/// What two files have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, async_graphql::Enum)]
#[graphql(name = "DuplicateReason")]
pub enum Reason {
    /// A contact point that is in use in both.
    ContactPoint,
    /// The name, however it is written, and the birth date.
    NameAndBirthDate,
}

const REASONS: [Reason; 2] = [Reason::ContactPoint, Reason::NameAndBirthDate];

/// Two customers who may be one; the first has the lower id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The one.
    pub first: CustomerId,
    /// The other.
    pub second: CustomerId,
    /// What they have in common.
    pub reasons: Vec<Reason>,
}

/// Which pairs are read.
enum Which<'a> {
    /// All, from a pair on or up to one.
    All(&'a PageRequest),
    /// Those in which these customers come first.
    First(&'a [CustomerId]),
    /// Those in which they come second.
    Second(&'a [CustomerId]),
}

/// A page of pairs in sight, by the ids of both.
///
/// # Errors
/// Those of the policy and the database.
pub async fn page(ctx: &Ctx, page: &PageRequest) -> Result<Page<Pair>> {
    ctx.require(Action::CustomerMerge)?;
    let limit = page.size.saturating_add(1);
    let mut pairs = BTreeMap::new();
    for reason in REASONS {
        for (first, second) in read(ctx, reason, &Which::All(page), limit).await? {
            let reasons: &mut Vec<Reason> = pairs.entry((first, second)).or_default();
            reasons.push(reason);
        }
    }
    let pair = |((first, second), reasons)| Pair {
        first,
        second,
        reasons,
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let found: Vec<Pair> = if page.backward {
        pairs.into_iter().rev().take(most).map(pair).collect()
    } else {
        pairs.into_iter().take(most).map(pair).collect()
    };
    let cut = page.cut(found);
    complete(ctx, cut).await
}

/// A pair that one reason has put on the page may have the other one, too, though that reason's own rows ended before.
async fn complete(ctx: &Ctx, mut page: Page<Pair>) -> Result<Page<Pair>> {
    let lacking: Vec<CustomerId> = page
        .items
        .iter()
        .filter(|pair| pair.reasons.len() < REASONS.len())
        .map(|pair| pair.first)
        .collect();
    if lacking.is_empty() {
        return Ok(page);
    }
    for reason in REASONS {
        let known = read(ctx, reason, &Which::First(&lacking), MOST).await?;
        for pair in &mut page.items {
            if !pair.reasons.contains(&reason) && known.contains(&(pair.first, pair.second)) {
                pair.reasons.push(reason);
                pair.reasons.sort_unstable();
            }
        }
    }
    Ok(page)
}

/// How many pairs there are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn count(ctx: &Ctx) -> Result<u64> {
    ctx.require(Action::CustomerMerge)?;
    let mut sql = ctx.db.sql();
    sql.push("select count(*) as pairs from (");
    for (n, reason) in REASONS.into_iter().enumerate() {
        sql.push(if n == 0 { "" } else { " union " });
        select(ctx, &mut sql, reason)?;
    }
    sql.push(") as pairs");
    let row = ctx.db.read().query_one_raw(sql.build()).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "pairs"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The pairs of these customers in sight, at most twenty of each.
///
/// # Errors
/// Those of the policy and the database.
pub async fn of(ctx: &Ctx, customers: &[CustomerId]) -> Result<Vec<(CustomerId, Pair)>> {
    ctx.require(Action::CustomerMerge)?;
    let mut found: BTreeMap<(CustomerId, CustomerId, CustomerId), Vec<Reason>> = BTreeMap::new();
    for reason in REASONS {
        // One after the other: asked at once for either side, neither index would be used.
        for (first, second) in read(ctx, reason, &Which::First(customers), MOST).await? {
            found
                .entry((first, first, second))
                .or_default()
                .push(reason);
        }
        for (first, second) in read(ctx, reason, &Which::Second(customers), MOST).await? {
            found
                .entry((second, first, second))
                .or_default()
                .push(reason);
        }
    }
    let mut count: HashMap<CustomerId, usize> = HashMap::new();
    Ok(found
        .into_iter()
        .filter(|((of, ..), _)| {
            let count = count.entry(*of).or_default();
            *count += 1;
            *count <= MOST_OF_ONE
        })
        .map(|((of, first, second), reasons)| {
            let pair = Pair {
                first,
                second,
                reasons,
            };
            (of, pair)
        })
        .collect())
}

/// Those of these pairs that are in sight and have something in common still.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, wanted: &[(CustomerId, CustomerId)]) -> Result<Vec<Pair>> {
    ctx.require(Action::CustomerMerge)?;
    let firsts: Vec<CustomerId> = wanted.iter().map(|(first, _)| *first).collect();
    let mut found: BTreeMap<(CustomerId, CustomerId), Vec<Reason>> = BTreeMap::new();
    for reason in REASONS {
        for pair in read(ctx, reason, &Which::First(&firsts), MOST).await? {
            if wanted.contains(&pair) {
                found.entry(pair).or_default().push(reason);
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|((first, second), reasons)| Pair {
            first,
            second,
            reasons,
        })
        .collect())
}

/// The text that selects pairs by one reason: in sight, and not dismissed.
fn select(ctx: &Ctx, sql: &mut Sql, reason: Reason) -> Result<()> {
    match reason {
        Reason::ContactPoint => sql.push(
            "select a.customer_id as first_id, b.customer_id as second_id from contact_point a
            join contact_point b on b.value = a.value and b.kind = a.kind and b.removed_at is null
                and b.customer_id > a.customer_id
            join customer one on one.id = a.customer_id join customer two on two.id = b.customer_id
            where a.removed_at is null",
        ),
        Reason::NameAndBirthDate => sql.push(
            "select one.id as first_id, two.id as second_id from customer one
            join customer two on two.match_key = one.match_key and two.id > one.id
            where one.match_key is not null",
        ),
    };
    sql.push(
        " and one.merged_into_id is null and one.erased_at is null
        and two.merged_into_id is null and two.erased_at is null
        and not exists (select 1 from duplicate_dismissal d where d.first_id = one.id and d.second_id = two.id)",
    );
    for side in ["one", "two"] {
        if let Some(seen) = sight::customer_ids(ctx, Action::CustomerMerge)? {
            sql.push(&format!(" and {side}.id in "));
            sql.subquery(&seen);
        }
    }
    Ok(())
}

/// The pairs by one reason, each once. Whoever shares two numbers is there twice in the database's answer, which is not
/// told to leave that out: it would gather all pairs first, where the first few are wanted.
async fn read(
    ctx: &Ctx,
    reason: Reason,
    which: &Which<'_>,
    limit: u64,
) -> Result<Vec<(CustomerId, CustomerId)>> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let Which::All(page) = which else {
        let mut pairs = rows(ctx, reason, which, limit).await?;
        pairs.dedup();
        return Ok(pairs);
    };
    let mut page = (*page).clone();
    let mut pairs = Vec::new();
    loop {
        let more = rows(ctx, reason, &Which::All(&page), limit).await?;
        let last = more.last().copied().filter(|_| more.len() >= most);
        pairs.extend(more);
        pairs.dedup();
        let Some((first, second)) = last.filter(|_| pairs.len() < most) else {
            return Ok(pairs);
        };
        let behind = Some(SortKey {
            value: first.into(),
            id: second.into(),
        });
        if page.backward {
            page.bounds.before = behind;
        } else {
            page.bounds.after = behind;
        }
    }
}

async fn rows(
    ctx: &Ctx,
    reason: Reason,
    which: &Which<'_>,
    limit: u64,
) -> Result<Vec<(CustomerId, CustomerId)>> {
    let (first, second) = match reason {
        Reason::ContactPoint => ("a.customer_id", "b.customer_id"),
        Reason::NameAndBirthDate => ("one.id", "two.id"),
    };
    let mut sql = ctx.db.sql();
    select(ctx, &mut sql, reason)?;
    let mut backward = false;
    match which {
        Which::All(page) => {
            backward = page.backward;
            for (bound, sign) in [(&page.bounds.after, ">"), (&page.bounds.before, "<")] {
                let Some(SortKey { value, id }) = bound else {
                    continue;
                };
                // The first alone, too: by it the walk starts in the index.
                sql.push(&format!(" and {first} {sign}= "))
                    .bind(value.clone())
                    .push(&format!(" and ({first}, {second}) {sign} ("))
                    .bind(value.clone())
                    .push(", ")
                    .bind(id.clone())
                    .push(")");
            }
        }
        Which::First(ids) => {
            sql.push(&format!(" and {first} in "))
                .bind_list(ids.iter().copied());
        }
        Which::Second(ids) => {
            sql.push(&format!(" and {second} in "))
                .bind_list(ids.iter().copied());
        }
    }
    let order = if backward { " desc" } else { "" };
    sql.push(&format!(" order by {first}{order}, {second}{order}"));
    let statement = literal_limit(sql.build(), limit);
    let rows = ctx.db.read().query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "first_id")?, row.try_get("", "second_id")?)))
        .collect()
}

/// The place of a pair in the list.
pub fn place(pair: &Pair) -> (Uuid, Uuid) {
    (pair.first.into(), pair.second.into())
}

/// Remembers that two customers are two, whatever they have in common; said twice, it is said once.
///
/// # Errors
/// User errors for a customer who is not in sight and for a pair of one; those of the policy and the database.
pub async fn dismiss(ctx: &Ctx, one: CustomerId, other: CustomerId) -> Result<CustomerId> {
    ctx.require(Action::CustomerMerge)?;
    if one == other {
        return Err(Error::user(
            Code::Invalid,
            "otherId",
            "otherId is the same customer; name the other one",
        ));
    }
    let (first, second) = (one.min(other), one.max(other));
    ctx.db
        .write_for(&[first, second], |tx| async move {
            sight::lock_customers(&*tx, ctx, Action::CustomerMerge, [first, second]).await?;
            for (id, field) in [(one, "customerId"), (other, "otherId")] {
                if locks::in_sight(&*tx, ctx, Action::CustomerMerge, id)
                    .await?
                    .is_none()
                {
                    return Err(Error::not_found(field, "customer"));
                }
            }
            let known = duplicate_dismissal::Entity::find_by_id((first, second))
                .one(&*tx)
                .await?;
            if known.is_some() {
                return Ok(one);
            }
            let row = duplicate_dismissal::ActiveModel {
                first_id: Set(first),
                second_id: Set(second),
                dismissed_by: Set(ctx.viewer.staff_id()),
                dismissed_at: Set(ctx.now()),
            };
            duplicate_dismissal::Entity::insert(row)
                .exec_without_returning(&*tx)
                .await?;
            let payload = json!({ "first": first, "second": second });
            let event = NewEvent {
                kind: "customer.duplicate_dismissed",
                customer: Some(first),
                store: None,
                subject: second.into(),
                payload: payload.clone(),
            };
            events::record(&*tx, ctx, &[event]).await?;
            let entry = audit::Entry::new(ctx, "customer.duplicate_dismiss")
                .about([first, second])
                .detail(payload);
            audit::write(&*tx, &[entry]).await?;
            Ok(one)
        })
        .await
}
