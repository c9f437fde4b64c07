//! What a change of a file does to its completeness: fields that were written are confirmed, and the score is counted
//! anew.
//!
//! Called through [`super::super::lock::Happened`] by every service that changes a file, under the customer's lock, so
//! that nobody changes a file and forgets its score.

use super::fields::{self, FieldSet};
use super::merging::forget;
use super::rules;
use crate::access::Ctx;
use crate::db::{Batch, Sql, Table};
use crate::error::{Error, Result};
use entity::enums::{ContactKind, CustomerKind, FileField};
use entity::ids::CustomerId;
use sea_orm::ConnectionTrait;

pub(super) static CONFIRMATION: Table = Table {
    name: "field_confirmation",
    columns: &[
        ("customer_id", "uuid"),
        ("field", "text"),
        ("confirmed_at", "timestamptz"),
        ("confirmed_by", "uuid"),
    ],
    conflict: "on conflict (customer_id, field) do update set confirmed_at = excluded.confirmed_at, \
        confirmed_by = excluded.confirmed_by",
};

/// What a change has done to the fields that completeness looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::domain::customers) enum Touched {
    /// Nothing: a note, a label, where the file is kept.
    Nothing,
    /// These were written, and so confirmed. A field that was cleared is among them.
    Written(Vec<FileField>),
    /// Something was removed from these. What is left of them was confirmed when it was.
    Removed(Vec<FileField>),
    /// The file was made: all that is in it was said just now.
    Made,
}

impl Touched {
    /// A contact point of this kind was written, or was tried and is theirs.
    pub fn reached_by(kind: ContactKind) -> Self {
        Self::Written(fields::reached_by(kind).into_iter().collect())
    }

    /// A contact point of this kind was removed, and with it what was stated about it.
    pub fn reached_no_more_by(kind: ContactKind) -> Self {
        let reached = fields::reached_by(kind).into_iter();
        Self::Removed(reached.chain([FileField::Consent]).collect())
    }
}

/// A file as it is now.
pub(super) struct Present {
    pub kind: CustomerKind,
    pub known: FieldSet,
    /// The stored score, and the version of the rules by which it was counted.
    pub stored: (Option<i32>, i64),
}

/// Reads a file of the customer.
pub(super) async fn present(tx: &impl ConnectionTrait, id: CustomerId) -> Result<Present> {
    let mut sql = Sql::for_connection(tx);
    sql.push("select kind, completeness, completeness_rules, ")
        .push(&fields::known())
        .push(" as known from customer where id = ")
        .bind(id);
    let row = tx
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a locked customer is gone"))?;
    Ok(Present {
        kind: row.try_get("", "kind")?,
        known: FieldSet::told(row.try_get("", "known")?),
        stored: (
            row.try_get("", "completeness")?,
            row.try_get("", "completeness_rules")?,
        ),
    })
}

/// Confirms what was written, forgets when what is gone was confirmed, and stores the score.
///
/// # Errors
/// Those of the database.
pub(in crate::domain::customers) async fn touched(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: CustomerId,
    touched: &Touched,
) -> Result<()> {
    if *touched == Touched::Nothing {
        return Ok(());
    }
    let rules = rules::present(tx).await?;
    let Present {
        kind,
        known,
        stored,
    } = present(tx, id).await?;
    let score = rules.score(kind, known);
    if stored != (Some(score), rules.version) {
        let mut sql = Sql::for_connection(tx);
        sql.push("update customer set completeness = ")
            .bind(score)
            .push(", completeness_rules = ")
            .bind(rules.version)
            .push(" where id = ")
            .bind(id);
        tx.execute_raw(sql.build()).await?;
    }
    let mut fields = match touched {
        Touched::Nothing => Vec::new(),
        Touched::Written(fields) | Touched::Removed(fields) => fields.clone(),
        Touched::Made => known.fields().collect(),
    };
    // An employer and a position are one field, and one confirmation.
    fields.sort_unstable();
    fields.dedup();
    let (there, gone): (Vec<_>, Vec<_>) = fields.into_iter().partition(|field| known.has(*field));
    if !matches!(touched, Touched::Removed(_)) {
        let mut batch = Batch::new();
        batch.insert(
            &CONFIRMATION,
            there.into_iter().map(|field| {
                vec![
                    id.into(),
                    field.into(),
                    ctx.now().into(),
                    ctx.viewer.staff_id().into(),
                ]
            }),
        );
        batch.write(tx).await?;
    }
    forget(tx, id, gone).await
}
