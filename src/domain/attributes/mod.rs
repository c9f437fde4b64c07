//! Attributes that a shop defines for its customers (rule C4): a broker's risk preference, the size of a ring.
//!
//! Called by `customers`, which keeps what they say of each customer, and by `graphql/attributes`. Headquarters define them,
//! whoever may read customers reads the definitions. A definition is never deleted, only put away; its key and its kind are
//! for good, and what was noted stands when its bounds change.

mod definition;
pub mod value;

pub use definition::{AttributeChange, NewAttribute, archive, change, create};

use crate::access::{Action, Ctx};
use crate::domain::organization;
use crate::error::{Error, Result};
use entity::attribute::{Column, Entity, Model};
use entity::enums::AttributeKind;
use entity::ids::AttributeId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

/// Attributes at most, those that were put away among them: they are listed whole.
pub const MOST: u64 = 200;

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What programs call it, and what is kept.
    pub key: String,
    /// What people call it.
    pub name: String,
}

/// A definition with its choices.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The row.
    pub row: Model,
    /// What can be chosen, in order.
    pub choices: Vec<Choice>,
}

impl Definition {
    /// Reads a row.
    ///
    /// # Errors
    /// [`Error::Internal`] when its choices are none, which only a defect or a foreign hand does.
    pub fn of(row: Model) -> Result<Self> {
        let choices = serde_json::from_value(row.choices.clone())
            .map_err(|error| Error::internal(format!("choices of an attribute: {error}")))?;
        Ok(Self { row, choices })
    }

    /// What its values are.
    pub fn kind(&self) -> AttributeKind {
        self.row.kind
    }

    /// The choice with this key.
    pub fn choice(&self, key: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.key == key)
    }
}

/// All attributes in the order of their names, those in use or those that were put away.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn all(ctx: &Ctx, archived: bool) -> Result<Vec<Definition>> {
    ctx.require(Action::AttributeRead)?;
    let company = organization::settings(ctx).await?;
    let mut rows = Entity::find()
        .filter(if archived {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        })
        .all(ctx.db.read())
        .await?;
    rows.sort_by_cached_key(|row| (company.collation.key(&row.name).into_bytes(), row.id));
    rows.into_iter().map(Definition::of).collect()
}

/// Attributes by their ids; what does not exist is left out.
///
/// # Errors
/// As [`all`].
pub async fn by_ids(ctx: &Ctx, ids: &[AttributeId]) -> Result<Vec<Definition>> {
    ctx.require(Action::AttributeRead)?;
    defined(ctx.db.read(), ids).await
}

/// As [`by_ids`], for those who have asked the policy.
///
/// # Errors
/// Those of the database.
pub async fn defined(
    connection: &impl ConnectionTrait,
    ids: &[AttributeId],
) -> Result<Vec<Definition>> {
    let rows = Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(connection)
        .await?;
    rows.into_iter().map(Definition::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A definition with two choices.
    pub(super) fn definition(
        kind: AttributeKind,
        minimum: Option<&str>,
        maximum: Option<&str>,
    ) -> Definition {
        let choice = |key: &str, name: &str| Choice {
            key: key.to_owned(),
            name: name.to_owned(),
        };
        let choices = vec![choice("low", "Low"), choice("high", "High")];
        let at = crate::testing::noon();
        Definition {
            row: Model {
                id: AttributeId::new(),
                key: "colour".to_owned(),
                name: "Colour".to_owned(),
                description: None,
                kind,
                choices: serde_json::json!(choices),
                unit: None,
                minimum: minimum.map(str::to_owned),
                maximum: maximum.map(str::to_owned),
                archived_at: None,
                version: 1,
                created_at: at,
                updated_at: at,
            },
            choices,
        }
    }
}
