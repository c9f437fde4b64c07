//! Under which name the company's provider knows a member of staff.
use crate::ids::StaffId;
use sea_orm::entity::prelude::*;

/// Under which name the company's provider knows a member of staff.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_identity")]
pub struct Model {
    /// The provider, by the address of its issuer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issuer: String,
    /// What the provider calls the person; never given to another one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Whose account it is; an account has one identity with a provider.
    pub staff_id: StaffId,
    /// The provider's groups decide over the roles, at each sign-in, until somebody gives roles by hand.
    pub groups_decide: bool,
    /// When it was linked.
    pub created_at: DateTimeUtc,
    /// When the person last came by it.
    pub last_used_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
