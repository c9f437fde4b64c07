//! Groups (rule C11): clubs that customers join and leave, with a keeper.
//!
//! Called by `graphql/groups` and, for merges, by `identity`. Whoever may read customers sees all groups, and of their
//! members those customers whom they see anyway. A group may be one store's or the whole company's: managers make and
//! change the groups of their own stores, and a keeper changes the group that they keep. Who is in a group is written by
//! whoever may write the customer. Nothing is ever deleted: a group is put away, and a membership ends.

mod change;
pub mod list;
pub mod members;
pub mod merging;

pub use change::{GroupChange, NewGroup, archive, change, create};

use crate::access::{Action, Ctx};
use crate::error::Result;
use entity::customer_group::{Column, Entity, Model};
use entity::ids::GroupId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// Groups in all at most.
pub const MOST: u64 = 1000;
/// Groups in which one customer is at most.
pub const MOST_OF_ONE: u64 = 100;

/// Groups by their ids; what does not exist is left out.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn by_ids(ctx: &Ctx, ids: &[GroupId]) -> Result<Vec<Model>> {
    ctx.require(Action::GroupRead)?;
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?)
}
