//! Who of the staff may keep customers: for imports, which name them by the address under which they sign in.

use crate::access::{Action, policy};
use crate::db::Sql;
use crate::error::Result;
use entity::enums::Role;
use entity::ids::StaffId;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, Iterable};
use std::collections::HashMap;

/// Staff by their addresses in normal form, each with whether they may keep customers: they can sign in, in a role that
/// looks after customers. Whoever does not work here is left out.
///
/// # Errors
/// Those of the database.
pub async fn by_address(
    connection: &impl ConnectionTrait,
    addresses: Vec<String>,
) -> Result<HashMap<String, (StaffId, bool)>> {
    let roles = Role::iter().filter(|role| policy::allows(Action::ContactRead, *role));
    let mut sql = Sql::for_connection(connection);
    sql.push(
        "select email, id, (case when disabled_at is null and exists (select 1 from staff_grant \
         where staff_grant.staff_id = staff.id and staff_grant.role in ",
    )
    .bind_list(roles.map(|role| Value::from(role.as_str())))
    .push(") then 1 else 0 end) as fit from staff where email")
    .bind_any_text(addresses);
    let rows = connection.query_all_raw(sql.build()).await?;
    rows.iter()
        .map(|row| {
            let is_fit: i32 = row.try_get("", "fit")?;
            Ok((
                row.try_get("", "email")?,
                (row.try_get("", "id")?, is_fit == 1),
            ))
        })
        .collect()
}
