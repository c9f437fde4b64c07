//! The journal of a merge: which rows it moved or changed and what stood there before, so that undoing it restores
//! exactly that and nothing else.
//!
//! Written by every topic for its own tables, under the locks of both customers. A row is noted before it is moved.

use crate::db::Sql;
use crate::error::{Error, Result};
use entity::customer_merge_move::{self, Column};
use entity::ids::{CustomerId, MergeId};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// One merge and the two whom it concerns.
#[derive(Clone, Copy, Debug)]
pub struct Journal {
    /// The merge.
    pub merge: MergeId,
    /// The customer whose file goes on.
    pub kept: CustomerId,
    /// The customer whose file becomes a part of it.
    pub merged: CustomerId,
}

fn told(error: &serde_json::Error) -> Error {
    Error::internal(format!("journal of a merge: {error}"))
}

impl Journal {
    /// Notes a row with what stands in it; noted twice, the first note counts.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note(
        &self,
        tx: &impl ConnectionTrait,
        of_table: &str,
        row: impl Into<Uuid>,
        before: &impl Serialize,
    ) -> Result<()> {
        let before = serde_json::to_value(before).map_err(|error| told(&error))?;
        let row = customer_merge_move::ActiveModel {
            merge_id: Set(self.merge),
            of_table: Set(of_table.to_owned()),
            row_id: Set(row.into()),
            before: Set((!before.is_null()).then_some(before)),
        };
        let once = sea_orm::sea_query::OnConflict::columns([
            Column::MergeId,
            Column::OfTable,
            Column::RowId,
        ])
        .do_nothing()
        .to_owned();
        customer_merge_move::Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Notes the merged customer's rows of a table that has `id` and `customer_id`, and moves them to the kept one;
    /// `except` is a further condition on `t`, in which `$kept` stands for the kept one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn carry(
        &self,
        tx: &impl ConnectionTrait,
        table: &'static str,
        except: &'static str,
    ) -> Result<()> {
        self.note_all(tx, table, except).await?;
        self.carry_noted(tx, table).await
    }

    /// Moves the noted rows of a table to the kept customer.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn carry_noted(&self, tx: &impl ConnectionTrait, table: &'static str) -> Result<()> {
        self.hand(tx, table, self.merged, self.kept).await
    }

    /// As [`Journal::carry`], without moving anything yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_all(
        &self,
        tx: &impl ConnectionTrait,
        table: &'static str,
        except: &'static str,
    ) -> Result<()> {
        let mut sql = Sql::for_connection(tx);
        sql.push("insert into customer_merge_move (merge_id, of_table, row_id) select ")
            .bind(self.merge)
            .push(&format!(
                ", '{table}', t.id from {table} t where t.customer_id = "
            ))
            .bind(self.merged);
        for (n, part) in except.split("$kept").enumerate() {
            if n > 0 {
                sql.bind(self.kept);
            }
            sql.push(part);
        }
        tx.execute_raw(sql.build()).await?;
        Ok(())
    }

    /// Gives the noted rows of a table back to the merged customer, as far as they are the kept one's still.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn give_back(&self, tx: &impl ConnectionTrait, table: &'static str) -> Result<()> {
        self.hand(tx, table, self.kept, self.merged).await
    }

    async fn hand(
        &self,
        tx: &impl ConnectionTrait,
        table: &'static str,
        from: CustomerId,
        to: CustomerId,
    ) -> Result<()> {
        let mut sql = Sql::for_connection(tx);
        sql.push(&format!("update {table} set customer_id = "))
            .bind(to)
            .push(" where customer_id = ")
            .bind(from)
            .push(" and id in ");
        self.noted(&mut sql, table);
        tx.execute_raw(sql.build()).await?;
        Ok(())
    }

    /// Adds the subquery of the keys of the noted rows of a table.
    pub fn noted(&self, sql: &mut Sql, of_table: &'static str) {
        sql.push(&format!(
            "(select row_id from customer_merge_move where of_table = '{of_table}' and merge_id = "
        ))
        .bind(self.merge)
        .push(")");
    }

    /// The noted rows of a table, with what stood in them.
    ///
    /// # Errors
    /// Those of the database; an internal error for a note that cannot be read.
    pub async fn notes<K: From<Uuid>, B: DeserializeOwned>(
        &self,
        tx: &impl ConnectionTrait,
        of_table: &str,
    ) -> Result<Vec<(K, B)>> {
        let rows = customer_merge_move::Entity::find()
            .filter(Column::MergeId.eq(self.merge))
            .filter(Column::OfTable.eq(of_table))
            .all(tx)
            .await?;
        rows.into_iter()
            .map(|row| {
                let before = row.before.unwrap_or_default();
                let before = serde_json::from_value(before).map_err(|error| told(&error))?;
                Ok((K::from(row.row_id), before))
            })
            .collect()
    }
}
