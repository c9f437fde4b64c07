//! A customer as lists show them: the few columns that nearly every answer needs. The rest of the file is read
//! only when asked for (see [`super::reads`]).

use crate::access::sight::{Standing, Stands};
use chrono::{DateTime, Utc};
use entity::customer::{self, Column};
use entity::enums::{CustomerKind, Importance};
use entity::ids::{CustomerId, StaffId, StoreId};
use sea_orm::{DerivePartialModel, EntityTrait, QuerySelect, Select};

/// The narrow row of a customer.
#[derive(Clone, Debug, PartialEq, DerivePartialModel)]
#[sea_orm(entity = "customer::Entity", from_query_result)]
pub struct CustomerRow {
    /// The key.
    pub id: CustomerId,
    /// Person or trade.
    pub kind: CustomerKind,
    /// The full name.
    pub full_name: String,
    /// Collation key of the name; for cursors only.
    pub name_key: Vec<u8>,
    /// Key customers are on a list of their own.
    pub importance: Importance,
    /// Their home store.
    pub home_store_id: Option<StoreId>,
    /// Who keeps them.
    pub keeper_id: Option<StaffId>,
    /// When the file was put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Grows by one with every change of the file's fields.
    pub version: i64,
    /// When the file was made.
    pub created_at: DateTime<Utc>,
    /// When the file's fields were last changed.
    pub updated_at: DateTime<Utc>,
    /// How complete the file is; for cursors only.
    pub completeness: Option<i32>,
}

impl Stands for CustomerRow {
    fn standing(&self) -> Standing {
        Standing {
            id: self.id,
            home_store_id: self.home_store_id,
            keeper_id: self.keeper_id,
        }
    }
}

impl From<customer::Model> for CustomerRow {
    fn from(model: customer::Model) -> Self {
        Self {
            id: model.id,
            kind: model.kind,
            full_name: model.full_name,
            name_key: model.name_key,
            importance: model.importance,
            home_store_id: model.home_store_id,
            keeper_id: model.keeper_id,
            archived_at: model.archived_at,
            version: model.version,
            created_at: model.created_at,
            updated_at: model.updated_at,
            completeness: model.completeness,
        }
    }
}

/// The row's columns.
pub const ROW_COLUMNS: [Column; 12] = [
    Column::Id,
    Column::Kind,
    Column::FullName,
    Column::NameKey,
    Column::Importance,
    Column::HomeStoreId,
    Column::KeeperId,
    Column::ArchivedAt,
    Column::Version,
    Column::CreatedAt,
    Column::UpdatedAt,
    Column::Completeness,
];

/// Selects the row's columns and no others.
pub(super) fn narrow() -> Select<customer::Entity> {
    customer::Entity::find().select_only().columns(ROW_COLUMNS)
}
