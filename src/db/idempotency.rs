//! The memory of idempotency keys: by caller and mutation, the hash of the canonical input and the id of
//! what came of it, never the answer's text.

use super::Sql;
use crate::error::{Code, Error, Result};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A key as it came with a mutation.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    caller: String,
    mutation: &'static str,
    key: String,
    input_hash: Vec<u8>,
}

/// The longest key.
const LONGEST_KEY: usize = 128;

impl IdempotencyKey {
    /// Reads the key of an input. `canonical` is the input without the key, serialized with fields in a fixed
    /// order: the same input always gives the same text.
    ///
    /// # Errors
    /// A user error at `idempotencyKey` when it is empty, too long, or has characters outside visible ASCII.
    pub fn read(
        caller: String,
        mutation: &'static str,
        key: Option<&str>,
        canonical: &str,
    ) -> Result<Option<Self>> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty()
            || key.len() > LONGEST_KEY
            || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Error::user(
                Code::Invalid,
                "idempotencyKey",
                format!(
                    "an idempotency key has 1 to {LONGEST_KEY} visible ASCII characters; a UUID is a good one"
                ),
            ));
        }
        Ok(Some(Self {
            caller,
            mutation,
            key: key.to_owned(),
            input_hash: Sha256::digest(canonical).to_vec(),
        }))
    }

    /// Looks the key up inside the transaction that would do the work: the id of what it did before, if it
    /// did.
    ///
    /// # Errors
    /// A user error [`Code::IdempotencyMismatch`] when the key came with another input before.
    pub async fn seen(&self, tx: &impl ConnectionTrait) -> Result<Option<Uuid>> {
        let mut sql = Sql::for_connection(tx);
        sql.push("select input_hash, result_id from idempotency where caller = ")
            .bind(self.caller.clone());
        sql.push(" and mutation = ")
            .bind(self.mutation)
            .push(" and key = ")
            .bind(self.key.clone());
        let Some(row) = tx.query_one_raw(sql.build()).await? else {
            return Ok(None);
        };
        if row.try_get::<Vec<u8>>("", "input_hash")? != self.input_hash {
            return Err(Error::user(
                Code::IdempotencyMismatch,
                "idempotencyKey",
                "this idempotency key was used with another input; use a new key for a new change",
            ));
        }
        Ok(Some(row.try_get("", "result_id")?))
    }

    /// Remembers what came of it, in the same transaction as the work.
    ///
    /// # Errors
    /// A unique violation when another transaction did the same at the same time: the write helper runs the
    /// closure again, which then finds the other's row.
    pub async fn remember(
        &self,
        tx: &impl ConnectionTrait,
        result: Uuid,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut sql = Sql::for_connection(tx);
        sql.push("insert into idempotency (caller, mutation, key, input_hash, result_id, created_at) values ");
        sql.push("(")
            .bind(self.caller.clone())
            .push(", ")
            .bind(self.mutation)
            .push(", ")
            .bind(self.key.clone());
        sql.push(", ")
            .bind(self.input_hash.clone())
            .push(", ")
            .bind(result)
            .push(", ")
            .bind(now)
            .push(")");
        tx.execute_raw(sql.build()).await?;
        Ok(())
    }
}
