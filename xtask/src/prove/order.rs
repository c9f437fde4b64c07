//! The order of events as it stands in the table, and the witnesses that it agrees with.
//!
//! Used by the proofs that hold positions against what tills and subscribers saw.

use super::place::{Engine, Look};
use super::tills::Book;
use crate::failure::{During, Result};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The longest that events may wait for their positions once nothing more is written.
const SEQUENCED_WITHIN: Duration = Duration::from_secs(30);

/// Waits until every event has its position.
pub async fn settled(look: &Look) -> Result<()> {
    let waited = Instant::now();
    while look
        .number("select count(*) as number from event where position is null")
        .await?
        > 0
    {
        ensure!(
            waited.elapsed() < SEQUENCED_WITHIN,
            "events still wait for their positions"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A visit's event.
#[derive(Clone, Debug)]
pub struct Sequenced {
    /// Its place in the order of events.
    pub position: i64,
    /// The name of the sale, which stands in its first line.
    pub name: String,
    customer: String,
    id: i64,
    recorded_at: String,
}

#[cfg(test)]
impl Sequenced {
    /// One at a position.
    pub fn new(position: i64, name: String) -> Self {
        Self {
            position,
            name,
            customer: String::new(),
            id: position,
            recorded_at: String::new(),
        }
    }
}

/// The visits that were recorded, by their positions.
pub async fn of(look: &Look) -> Result<Vec<Sequenced>> {
    // As they stand in the table: the time of SQLite is a text that sorts as time does, and so does this one.
    let (customer, recorded_at) = match look.engine() {
        Engine::Sqlite => ("hex(e.customer_id)", "v.recorded_at"),
        Engine::Postgres => (
            "cast(e.customer_id as text)",
            "to_char(v.recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
        ),
    };
    let sql = format!(
        "select {customer} as customer, cast(e.position as text) as position, cast(e.id as text) as id, \
         {recorded_at} as recorded_at, l.name as name from event e join visit v on v.id = e.subject_id \
         join purchase p on p.visit_id = v.id join purchase_line l on l.purchase_id = p.id and l.line = 1 \
         where e.kind = 'visit.recorded' order by e.position"
    );
    let columns = ["customer", "position", "id", "recorded_at", "name"];
    let rows = look.rows(&sql, &columns).await?;
    rows.into_iter()
        .map(|row| {
            let mut texts = row.into_iter().flatten();
            let mut text = || texts.next().during("a column without a value");
            Ok(Sequenced {
                customer: text()?,
                position: text()?.parse()?,
                id: text()?.parse()?,
                recorded_at: text()?,
                name: text()?,
            })
        })
        .collect()
}

/// Holds positions against three witnesses of the order of commits, customer by customer: the ids and the times that
/// were drawn under the customer's lock, and the tills: who was answered before another one was sent was committed
/// before it. Gives how many times a till could bear witness.
pub fn check(book: &Book, order: &[Sequenced]) -> Result<usize> {
    let mut by_customer: HashMap<&str, Vec<&Sequenced>> = HashMap::new();
    for event in order {
        by_customer.entry(&event.customer).or_default().push(event);
    }
    let sales: HashMap<&str, (Instant, Instant)> = book
        .sales
        .iter()
        .filter_map(|sale| Some((sale.name.as_str(), (sale.sent, sale.answered?))))
        .collect();
    ensure!(
        order.len() == sales.len(),
        "{} visits have {} events",
        sales.len(),
        order.len()
    );
    let mut pairs = 0;
    for events in by_customer.values() {
        // Positions rise along `events`; so must everything else.
        for (earlier, later) in events.iter().zip(events.iter().skip(1)) {
            ensure!(
                earlier.id < later.id && earlier.recorded_at <= later.recorded_at,
                "events {} and {} of one customer stand the wrong way round",
                earlier.position,
                later.position
            );
        }
        let mut newest_sent: Option<(Instant, &Sequenced)> = None;
        for event in events {
            let (sent, answered) = *sales.get(event.name.as_str()).during(format!(
                "an event of a visit that nobody sent: {}",
                event.name
            ))?;
            if let Some((newest, before)) = newest_sent {
                ensure!(
                    answered >= newest,
                    "{} was answered before {} was sent, and stands behind it",
                    event.name,
                    before.name
                );
                pairs += 1;
            }
            if newest_sent.is_none_or(|(newest, _)| sent > newest) {
                newest_sent = Some((sent, event));
            }
        }
    }
    Ok(pairs)
}
