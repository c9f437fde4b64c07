//! Ids of files that were merged into another one: such an id goes on as another name of the kept customer.
//!
//! Called where an id is read that somebody may have kept from before a merge: by the reads of this topic, by the recording of
//! visits and by imports. Knows nothing of sight: whoever follows an id asks for the kept customer in sight.

use crate::db::{Engine, Sql, among};
use crate::error::Result;
use entity::customer;
use entity::ids::CustomerId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;

/// Those of `ids` whose files were merged into another one, with the kept customer.
///
/// # Errors
/// Those of the database.
pub async fn kept_for(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<HashMap<CustomerId, CustomerId>> {
    let rows: Vec<(CustomerId, CustomerId)> = customer::Entity::find()
        .select_only()
        .columns([customer::Column::Id, customer::Column::MergedIntoId])
        .filter(among(Engine::of(connection), customer::Column::Id, ids))
        .filter(customer::Column::MergedIntoId.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Everyone with whom a customer ever shared a file, themself included, merges that were undone too: a receipt that was
/// recorded for one of them is the same receipt when it comes again for another.
///
/// # Errors
/// Those of the database.
pub async fn kin(connection: &impl ConnectionTrait, id: CustomerId) -> Result<Vec<CustomerId>> {
    let mut sql = Sql::for_connection(connection);
    // `union` drops what was seen, so the walk ends. An erasure leaves of a merge nothing but where the id leads.
    sql.push(
        "with recursive link (one, other) as (select kept_id, merged_id from customer_merge
            union select merged_into_id, id from customer where merged_into_id is not null),
        kin (id) as (select id from customer where id = ",
    )
    .bind(id)
    .push(
        " union select case when link.one = kin.id then link.other else link.one end
            from kin join link on kin.id in (link.one, link.other)) select id from kin",
    );
    let rows = connection.query_all_raw(sql.build()).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}
