//! A piece of a file that is transferred.
use crate::ids::TransferId;
use sea_orm::entity::prelude::*;

/// A piece of a file that is transferred.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "transfer_chunk")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub transfer_id: TransferId,
    /// Which file: 0 is the upload, `n` what attempt `n` has written.
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: i32,
    /// Its place in the file, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    /// What it holds.
    pub body: Vec<u8>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
