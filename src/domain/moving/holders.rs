//! Who another system's numbers are, read for a batch.

use crate::access::Ctx;
use crate::db::Sql;
use crate::domain::visits::erased_among;
use crate::error::Result;
use entity::ids::CustomerId;
use sea_orm::ConnectionTrait;
use std::collections::{BTreeSet, HashMap};

/// A customer whom the other system names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Which one.
    pub id: CustomerId,
    /// The version in which the system's file of customers left theirs; none while only receipts have brought them.
    pub version: Option<i64>,
    /// They were erased: nothing is brought back of them.
    pub is_erased: bool,
}

/// The customers of these numbers, those who were erased since among them; whom nobody has brought is left out.
pub(super) async fn of_numbers(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    numbers: BTreeSet<String>,
) -> Result<HashMap<String, Holder>> {
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::for_connection(connection);
    sql.push("select external_id, customer_id, version from customer_reference where source = ")
        .bind(source)
        .push(" and external_id")
        .bind_any_text(numbers.iter().cloned().collect());
    let mut holders = HashMap::new();
    for row in connection.query_all_raw(sql.build()).await? {
        let holder = Holder {
            id: row.try_get("", "customer_id")?,
            version: row.try_get("", "version")?,
            is_erased: false,
        };
        holders.insert(row.try_get("", "external_id")?, holder);
    }
    let strangers = numbers
        .iter()
        .filter(|number| !holders.contains_key(*number));
    let strangers: Vec<&str> = strangers.map(String::as_str).collect();
    let erased = erased_among(connection, ctx, source, &strangers).await?;
    holders.extend(erased.into_iter().map(|(number, id)| {
        let holder = Holder {
            id,
            version: None,
            is_erased: true,
        };
        (number, holder)
    }));
    Ok(holders)
}

/// Why a row about somebody who was erased is left out.
pub(super) const ERASED: &str = "the customer was erased; leave the row out of the file";
