//! Adding up a customer's visits anew, from the visits themselves: where some of them have become another customer's.
//!
//! Called by merges and their undoing, under the locks of both customers. What is counted here is what [`super::booking`]
//! counts visit by visit; a test holds both to it.

use super::booking::{LARGEST_MINOR, TOTALS, Totals};
use crate::db::{Batch, Sql};
use crate::error::{Error, Result};
use entity::ids::CustomerId;
use sea_orm::ConnectionTrait;

/// Adds up and writes the customer's totals; none when they are beyond what can be kept, and then nothing is written.
///
/// # Errors
/// Those of the database.
pub async fn recount(tx: &impl ConnectionTrait, customer: CustomerId) -> Result<Option<Totals>> {
    let mut sql = Sql::for_connection(tx);
    sql.push(
        "select count(*) as visits, min(business_date) as first_on, max(business_date) as last_on, max(at) as last_at,
            max(case when outcome = 'PURCHASE' then business_date end) as bought_on
            from visit where customer_id = ",
    )
    .bind(customer);
    let gone = || Error::internal("a count gave no row");
    let visits = tx.query_one_raw(sql.build()).await?.ok_or_else(gone)?;
    let mut sql = Sql::for_connection(tx);
    sql.push(
        "select count(*) as receipts, cast(coalesce(sum(p.bought_minor), 0) as bigint) as bought,
            cast(coalesce(sum(p.returned_minor), 0) as bigint) as returned
            from visit v join purchase p on p.visit_id = v.id where v.customer_id = ",
    )
    .bind(customer);
    let sums = tx.query_one_raw(sql.build()).await?.ok_or_else(gone)?;
    let totals = Totals {
        visits: visits.try_get("", "visits")?,
        receipts: sums.try_get("", "receipts")?,
        bought_minor: sums.try_get("", "bought")?,
        returned_minor: sums.try_get("", "returned")?,
        first_visit_on: visits.try_get("", "first_on")?,
        last_visit_on: visits.try_get("", "last_on")?,
        last_visit_at: visits.try_get("", "last_at")?,
        last_purchase_on: visits.try_get("", "bought_on")?,
    };
    if totals.bought_minor > LARGEST_MINOR || totals.returned_minor > LARGEST_MINOR {
        return Ok(None);
    }
    let mut batch = Batch::new();
    batch.insert(&TOTALS, [totals.row(customer)]);
    batch.write(tx).await?;
    Ok(Some(totals))
}
