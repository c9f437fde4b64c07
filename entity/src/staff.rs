//! A member of staff: one account a person (rule R2).
use crate::ids::StaffId;
use sea_orm::entity::prelude::*;

/// A member of staff: one account a person (rule R2).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    /// The address they sign in with, in normal form, unique.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Argon2id in PHC form; none until a password is set.
    pub password_hash: Option<String>,
    /// When the password was last set.
    pub password_changed_at: Option<DateTimeUtc>,
    /// An account of the demonstration; `serve` refuses to start while one can sign in.
    pub demo: bool,
    /// When it was switched off.
    pub disabled_at: Option<DateTimeUtc>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
