//! The files of transfers, in pieces within the database.
//!
//! Part 0 of a transfer is its upload, part `n` what its attempt `n` has written: an attempt that was thought dead
//! never writes into the file of the next one.

use crate::access::Ctx;
use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use entity::ids::TransferId;
use sea_orm::ConnectionTrait;
use std::time::Duration;

/// Bytes of a piece: large enough that a file is few rows, small enough that a node holds many at once.
pub(super) const PIECE: usize = 256 << 10;
/// The upload.
pub(super) const UPLOAD: i32 = 0;
/// Pieces deleted in one transaction.
const BATCH: u64 = 64;
/// Between two batches, so that writers of the embedded engine, which has one at a time, are not starved.
const BREATH: Duration = Duration::from_millis(20);

/// Pieces of a file with their places.
pub(super) type Pieces = Vec<(i32, Vec<u8>)>;

/// Cuts what is written into pieces.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    buffer: Vec<u8>,
    written: i32,
    bytes: u64,
}

impl Cutter {
    /// Takes bytes up.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// Bytes that wait to be cut.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes taken up so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The pieces that are full, with their places; the rest too at the end.
    pub fn cut(&mut self, is_end: bool) -> Pieces {
        let full = self.buffer.len() - self.buffer.len() % PIECE;
        let upto = if is_end { self.buffer.len() } else { full };
        let rest = self.buffer.split_off(upto);
        let whole = std::mem::replace(&mut self.buffer, rest);
        whole
            .chunks(PIECE)
            .map(|piece| {
                let place = self.written;
                self.written = self.written.saturating_add(1);
                (place, piece.to_vec())
            })
            .collect()
    }
}

/// Writes pieces within a transaction.
pub(super) async fn write(
    tx: &Tx,
    transfer: TransferId,
    part: i32,
    pieces: &[(i32, Vec<u8>)],
) -> Result<()> {
    for (place, body) in pieces {
        let mut sql = Sql::for_connection(&**tx);
        sql.push("insert into transfer_chunk (transfer_id, part, seq, body) values (")
            .bind(transfer)
            .push(", ")
            .bind(part)
            .push(", ")
            .bind(*place)
            .push(", ")
            .bind(body.clone())
            .push(")");
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

/// A piece; none behind the last one.
pub(super) async fn read(
    ctx: &Ctx,
    transfer: TransferId,
    part: i32,
    place: i32,
) -> Result<Option<Vec<u8>>> {
    let mut sql = ctx.db.sql();
    sql.push("select body from transfer_chunk where transfer_id = ")
        .bind(transfer)
        .push(" and part = ")
        .bind(part)
        .push(" and seq = ")
        .bind(place);
    let row = ctx.db.read().query_one_raw(sql.build()).await?;
    row.map(|row| row.try_get("", "body").map_err(Error::from))
        .transpose()
}

/// Deletes all files of a transfer but one, a little at once.
pub(super) async fn clear(ctx: &Ctx, transfer: TransferId, keep: Option<i32>) -> Result<()> {
    loop {
        let deleted = ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("delete from transfer_chunk where (transfer_id, part, seq) in (select transfer_id, part, seq from transfer_chunk where transfer_id = ")
                    .bind(transfer)
                    .push(" and part <> ")
                    .bind(keep.unwrap_or(-1))
                    .push(&format!(" limit {BATCH})"));
                Ok(tx.execute_raw(sql.build()).await?.rows_affected())
            })
            .await?;
        if deleted < BATCH {
            return Ok(());
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Bytes of all files that are kept.
pub(super) async fn stored(connection: &impl ConnectionTrait) -> Result<u64> {
    let mut sql = Sql::for_connection(connection);
    sql.push("select cast(coalesce(sum(stored_bytes), 0) as bigint) as bytes from transfer");
    let row = connection
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a sum gave no row"))?;
    Ok(u64::try_from(row.try_get::<i64>("", "bytes")?).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_full_but_for_the_last_one() {
        let mut cutter = Cutter::default();
        assert_eq!(cutter.cut(false), []);
        cutter.push(&vec![1; PIECE - 1]);
        assert_eq!(cutter.cut(false), []);
        cutter.push(&vec![2; PIECE + 2]);
        let pieces = cutter.cut(false);
        assert_eq!(pieces.len(), 2);
        assert_eq!((pieces[0].0, pieces[0].1.len()), (0, PIECE));
        assert_eq!((pieces[1].0, pieces[1].1.len()), (1, PIECE));
        assert_eq!(cutter.cut(true), [(2, vec![2])]);
        assert_eq!(cutter.cut(true), []);
        assert_eq!(cutter.bytes(), 2 * PIECE as u64 + 1);
    }
}
