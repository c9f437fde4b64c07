//! A reference of another system's file to something that is not there yet. Holds ids and numbers only.

use crate::{enums::OpenReferenceKind, ids::OpenReferenceId};
use sea_orm::entity::prelude::*;

/// A reference of another system's file to something that is not there yet.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "open_reference")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OpenReferenceId,
    /// What it would tell.
    pub kind: OpenReferenceKind,
    /// The other system.
    pub source: String,
    /// What refers: the id of a customer or product, the number of a card.
    pub subject: String,
    /// What it refers to, by the other system's number, a code or an address of staff.
    pub wanted: String,
    /// A guess in whose place it comes; something else there was entered by a person, and stays.
    pub instead_of: Option<Uuid>,
    /// A card that waits, as the file describes it.
    pub detail: Option<Json>,
    /// Why it is open, in words.
    pub reason: String,
    /// The file's name.
    pub file: String,
    /// The line in it.
    pub line: i64,
    /// When it came.
    pub created_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
