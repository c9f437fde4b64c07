//! The visits' part of a merge: they move with their receipts and with what was told of them before, and back.
//!
//! Called by `identity` under the locks of both customers, which adds the totals up anew behind it.

use crate::db::Sql;
use crate::domain::customers::journal::Journal;
use crate::error::Result;
use entity::ids::CustomerId;
use sea_orm::ConnectionTrait;

/// Moves the merged customer's visits to the kept one.
///
/// # Errors
/// Those of the database.
pub async fn join(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    journal.note_all(tx, "visit", "").await?;
    receipts(tx, journal, journal.kept).await?;
    journal.carry_noted(tx, "visit").await?;
    journal.carry(tx, "announced_visit", "").await?;
    journal.carry(tx, "arrival", "").await
}

/// Gives the moved visits back. A visit that was recorded since the merge stays with the kept customer, unless it gives
/// back something that was bought on a visit that goes back, and nothing else that the kept customer bought: without it
/// more would be left of that line than there is.
///
/// # Errors
/// Those of the database.
pub async fn part(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("insert into customer_merge_move (merge_id, of_table, row_id) select distinct ")
        .bind(journal.merge)
        .push(
            ", 'visit', back.visit_id from purchase bought
            join purchase_line line on line.purchase_id = bought.id
            join purchase_line given on given.returns_line_id = line.id
            join purchase back on back.id = given.purchase_id
            where bought.visit_id in ",
        );
    journal.noted(&mut sql, "visit");
    sql.push(" and back.customer_id = ")
        .bind(journal.kept)
        .push(" and back.visit_id not in ");
    journal.noted(&mut sql, "visit");
    sql.push(
        " and not exists (select 1 from purchase_line other
            join purchase_line undone on undone.id = other.returns_line_id
            join purchase own on own.id = undone.purchase_id
            where other.purchase_id = back.id and own.visit_id not in ",
    );
    journal.noted(&mut sql, "visit");
    sql.push(")");
    tx.execute_raw(sql.build()).await?;
    receipts(tx, journal, journal.merged).await?;
    journal.give_back(tx, "visit").await?;
    journal.give_back(tx, "arrival").await?;
    journal.give_back(tx, "announced_visit").await?;
    tied(tx, journal).await
}

/// What was told of a visit goes with it: a visit that was recorded since the merge stays or goes by its own rule.
async fn tied(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    for (table, owner) in [
        (
            "arrival",
            "(select o.customer_id from visit o where o.id = arrival.visit_id)",
        ),
        (
            "announced_visit",
            "(select o.customer_id from arrival o where o.announced_visit_id = announced_visit.id)",
        ),
    ] {
        let mut sql = Sql::for_connection(tx);
        sql.push(&format!(
            "update {table} set customer_id = {owner} where customer_id in "
        ))
        .bind_list([journal.kept, journal.merged])
        .push(&format!(" and customer_id <> {owner}"));
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

/// The receipts of the noted visits are this customer's.
async fn receipts(tx: &impl ConnectionTrait, journal: &Journal, to: CustomerId) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update purchase set customer_id = ")
        .bind(to)
        .push(" where visit_id in ");
    journal.noted(&mut sql, "visit");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}
