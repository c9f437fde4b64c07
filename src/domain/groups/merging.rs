//! The part of groups in a merge: memberships move, those that ended too. Where both are in the same group, the kept
//! customer's membership goes on, and the other one stays with the merged file, where nobody sees or counts it.
//!
//! Called by `identity` under the locks of both customers.

use crate::domain::customers::journal::Journal;
use crate::error::Result;
use sea_orm::ConnectionTrait;

/// Moves the memberships of the merged customer.
///
/// # Errors
/// Those of the database.
pub async fn join(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let unlike =
        " and not (t.left_at is null and exists (select 1 from group_member k where k.customer_id = $kept
        and k.group_id = t.group_id and k.left_at is null))";
    journal.carry(tx, "group_member", unlike).await
}

/// Gives back what [`join`] has moved. Whoever has left a group since goes back as one who has left it.
///
/// # Errors
/// Those of the database.
pub async fn part(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    journal.give_back(tx, "group_member").await
}
