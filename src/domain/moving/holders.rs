//! Who another system's numbers are, read for a batch.

use crate::db::Sql;
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
}

/// The customers of these numbers; whom nobody has brought is left out.
pub(super) async fn of_numbers<'a>(
    connection: &impl ConnectionTrait,
    source: &str,
    numbers: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, Holder>> {
    let numbers: BTreeSet<String> = numbers.into_iter().map(str::to_owned).collect();
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::for_connection(connection);
    sql.push("select external_id, customer_id, version from customer_reference where source = ")
        .bind(source)
        .push(" and external_id")
        .bind_any_text(numbers.into_iter().collect());
    let rows = connection.query_all_raw(sql.build()).await?;
    rows.iter()
        .map(|row| {
            let holder = Holder {
                id: row.try_get("", "customer_id")?,
                version: row.try_get("", "version")?,
            };
            Ok((row.try_get("", "external_id")?, holder))
        })
        .collect()
}
