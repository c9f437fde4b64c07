//! A file's rows, kept until it was read to its end: what is cut off in the middle leaves nothing behind.
//!
//! So many rows stay in memory; of longer files the rest waits on disk, in a file without a name.

use crate::db::{Sorted, Spool, SpoolRow};
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Rows held in memory.
const HELD: usize = 1 << 15;
/// Bytes of rows held in memory: those of customers are long.
const HELD_BYTES: usize = 16 << 20;

/// Rows in the order of the file, while they come.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    most: usize,
    count: i64,
    held: Vec<Vec<u8>>,
    bytes: usize,
    spool: Option<Spool>,
    rows: PhantomData<fn(T)>,
}

/// Rows in the order of the file, while they are taken.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    from: From,
    rows: PhantomData<fn() -> T>,
}

#[derive(Debug)]
enum From {
    Memory(std::vec::IntoIter<Vec<u8>>),
    Disk(Sorted),
}

impl<T: Serialize> Shelf<T> {
    /// An empty one.
    pub fn new() -> Self {
        Self::of(HELD)
    }

    fn of(most: usize) -> Self {
        Self {
            most,
            count: 0,
            held: Vec::new(),
            bytes: 0,
            spool: None,
            rows: PhantomData,
        }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Those of writing to disk.
    pub async fn add(&mut self, rows: &[T]) -> Result<()> {
        for row in rows {
            let body = postcard::to_allocvec(row)
                .map_err(|error| Error::internal(format!("a row cannot be kept: {error}")))?;
            self.bytes += body.len();
            self.held.push(body);
        }
        if self.held.len() > self.most || self.bytes > HELD_BYTES {
            self.put_aside().await?;
        }
        Ok(())
    }

    async fn put_aside(&mut self) -> Result<()> {
        let spool = match self.spool.take() {
            Some(spool) => spool,
            None => Spool::new().await?,
        };
        let mut rows = Vec::with_capacity(self.held.len());
        for body in self.held.drain(..) {
            rows.push(SpoolRow {
                group: String::new(),
                day: 0,
                place: self.count,
                body,
            });
            self.count += 1;
        }
        spool.put(rows).await?;
        self.bytes = 0;
        self.spool = Some(spool);
        Ok(())
    }

    /// No more come.
    ///
    /// # Errors
    /// Those of writing to disk.
    pub async fn finish(mut self) -> Result<InOrder<T>> {
        if self.spool.is_some() {
            self.put_aside().await?;
        }
        Ok(InOrder {
            from: match self.spool {
                Some(spool) => From::Disk(spool.sort(u32::MAX).await?),
                None => From::Memory(self.held.into_iter()),
            },
            rows: PhantomData,
        })
    }
}

impl<T: DeserializeOwned> InOrder<T> {
    /// The next rows, at most so many; none after the last.
    ///
    /// # Errors
    /// Those of reading from disk.
    pub async fn next(&mut self, most: u32) -> Result<Vec<T>> {
        let bodies = match &mut self.from {
            From::Memory(rows) => rows
                .take(usize::try_from(most).unwrap_or(usize::MAX))
                .collect(),
            From::Disk(sorted) => sorted.next(most).await?,
        };
        bodies
            .iter()
            .map(|body| postcard::from_bytes(body))
            .collect::<Result<_, _>>()
            .map_err(|error| Error::internal(format!("a row was kept and lost: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_few_long_rows_wait_on_disk_too() {
        let mut shelf = Shelf::new();
        for n in 0..20_u8 {
            shelf.add(&[vec![n; 1 << 20]]).await.unwrap();
            assert!(shelf.bytes <= HELD_BYTES, "{n}");
        }
        let mut rows = shelf.finish().await.unwrap();
        assert!(matches!(rows.from, From::Disk(_)));
        let all: Vec<Vec<u8>> = rows.next(100).await.unwrap();
        let first: Vec<u8> = all.iter().map(|row| row[0]).collect();
        assert_eq!(first, (0..20).collect::<Vec<u8>>());
    }

    #[tokio::test]
    async fn rows_come_back_in_the_order_in_which_they_came() {
        for most in [2, 1000] {
            let mut shelf = Shelf::of(most);
            for part in [&[3_u32, 1][..], &[], &[4, 1, 5, 9], &[2, 6]] {
                shelf.add(part).await.unwrap();
            }
            let mut rows = shelf.finish().await.unwrap();
            let mut all = Vec::new();
            loop {
                let next = rows.next(3).await.unwrap();
                if next.is_empty() {
                    break;
                }
                assert!(next.len() <= 3);
                all.extend(next);
            }
            assert_eq!(all, [3, 1, 4, 1, 5, 9, 2, 6], "{most}");
        }
    }
}
