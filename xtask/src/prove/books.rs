//! Holds the books of the tills against what the server says: nothing lost, nothing doubled, nothing halved.

use super::client::{Client, cents_at, list, number_at, text_at};
use super::shop::Shop;
use super::tills::{Book, Sale};
use crate::failure::{During, Result};
use serde_json::{Value, json};
use std::collections::HashMap;

const VISITS: &str = "query($id: ID!, $after: String) { customer(id: $id) { totals { visits receipts net { amount } } \
    visits(first: 40, after: $after) { nodes { id purchases { net { amount } lines { name amount { amount } } } } \
    pageInfo { hasNextPage endCursor } } } }";

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Visits on the server.
    pub visits: usize,
    /// Of those, visits that nobody was told of: the answer was lost, and it was not sent again.
    pub unacknowledged: usize,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} visits are there, each once and whole; {} of them were never acknowledged and given up by their till",
            self.visits, self.unacknowledged
        )
    }
}

/// Holds the books against the server.
///
/// # Errors
/// A sale that was acknowledged and is not there, one that is there twice or in part, a visit that nobody sent, totals
/// that do not agree with the visits, an answer that was wrong in itself.
pub async fn check(shop: &Shop, client: &Client, book: &Book) -> Result<Found> {
    if let Some(wrong) = book.wrong.first() {
        fail!("{} wrong answers, the first: {wrong}", book.wrong.len());
    }
    let sent: HashMap<&str, &Sale> = book
        .sales
        .iter()
        .map(|sale| (sale.name.as_str(), sale))
        .collect();
    let mut seen: HashMap<String, u32> = HashMap::new();
    for customer in &shop.customers {
        check_customer(shop, client, customer, &sent, &mut seen).await?;
    }
    let missing: Vec<&str> = book
        .sales
        .iter()
        .filter(|sale| sale.answered.is_some() && !seen.contains_key(&sale.name))
        .map(|sale| sale.name.as_str())
        .collect();
    ensure!(
        missing.is_empty(),
        "{} acknowledged visits are not there, such as {:?}",
        missing.len(),
        missing.first()
    );
    let doubled: Vec<&String> = seen
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(name, _)| name)
        .collect();
    ensure!(
        doubled.is_empty(),
        "{} visits are there more than once, such as {:?}",
        doubled.len(),
        doubled.first()
    );
    Ok(Found {
        visits: seen.len(),
        unacknowledged: seen.len() - book.acknowledged(),
    })
}

async fn check_customer(
    shop: &Shop,
    client: &Client,
    id: &str,
    sent: &HashMap<&str, &Sale>,
    seen: &mut HashMap<String, u32>,
) -> Result<()> {
    let (mut visits, mut cents) = (0, 0);
    let mut after = Value::Null;
    loop {
        let data = client
            .ask(
                Some(&shop.token),
                VISITS,
                &json!({ "id": id, "after": after }),
            )
            .await?;
        let customer = data.pointer("/customer").during("a customer is gone")?;
        for visit in list(customer, "/visits/nodes") {
            let name = check_visit(visit, id, sent)?;
            *seen.entry(name).or_default() += 1;
            visits += 1;
            cents += cents_at(visit, "/purchases/0/net/amount")?;
        }
        if customer.pointer("/visits/pageInfo/hasNextPage") == Some(&Value::Bool(true)) {
            after = text_at(customer, "/visits/pageInfo/endCursor").into();
            continue;
        }
        let told = (
            number_at(customer, "/totals/visits")?,
            number_at(customer, "/totals/receipts")?,
            cents_at(customer, "/totals/net/amount")?,
        );
        ensure!(
            told == (visits, visits, cents),
            "the totals of {id} say {told:?}, and the visits make {:?}",
            (visits, visits, cents)
        );
        return Ok(());
    }
}

/// A visit is one of those that were sent, with all that was sent; gives its name.
fn check_visit(visit: &Value, customer: &str, sent: &HashMap<&str, &Sale>) -> Result<String> {
    let name = text_at(visit, "/purchases/0/lines/0/name");
    let sale = sent
        .get(name)
        .during(format!("a visit that nobody sent, or half of one: {visit}"))?;
    let lines: Vec<i64> = list(visit, "/purchases/0/lines")
        .iter()
        .map(|line| cents_at(line, "/amount/amount"))
        .collect::<Result<_>>()?;
    let whole = list(visit, "/purchases").len() == 1
        && sale.customer == customer
        && lines == sale.lines
        && cents_at(visit, "/purchases/0/net/amount")? == sale.lines.iter().sum::<i64>();
    ensure!(whole, "{name} was sent as {sale:?} and is {visit}");
    Ok(name.to_owned())
}
