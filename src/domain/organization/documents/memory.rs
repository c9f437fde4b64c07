//! What a node remembers of registered documents, so that not every request asks the database.
//!
//! Called for each request that needs one. A document that ran here is remembered, and asked for again when that is older than
//! [`GOOD_FOR`]: so a removed one stops on every node within that time, without anybody telling them, and a node that cannot ask
//! runs nothing. To poll a number of the whole set instead would spare that one small read, but would need a row that every
//! registration writes, a task beside the requests, and a rule for when that task is late. That a hash is *not* registered is
//! remembered for as long, so a newly registered document runs within that time too.
//!
//! Whoever sends hashes of their own invention fills neither memory (both are bounded) nor the database's connections: unknown
//! hashes are looked up a few at a time, and what ran here before does not stand in that line.

use crate::access::Ctx;
use crate::error::{Error, Result};
use entity::document::{Column, Entity};
use entity::values::DocumentHash;
use moka::sync::Cache;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore};

/// How long what was read is believed.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// Bytes of documents remembered.
const ROOM: u64 = 8 * 1024 * 1024;
/// Unknown hashes remembered.
const UNKNOWN: u64 = 50_000;
/// Unknown hashes looked up at once.
const AT_ONCE: usize = 4;

/// A document that is registered, or was a moment ago.
#[derive(Debug)]
struct Known {
    text: Arc<str>,
    /// When the database was last asked for it. Held while it is asked, so that it is asked once.
    read: Mutex<Instant>,
}

/// The memory of one running program.
#[derive(Debug)]
struct Documents {
    known: Cache<DocumentHash, Arc<Known>>,
    unknown: Cache<DocumentHash, ()>,
    lookups: Semaphore,
}

impl Default for Documents {
    fn default() -> Self {
        let size = |_: &DocumentHash, known: &Arc<Known>| {
            u32::try_from(known.text.len() + 256).unwrap_or(u32::MAX)
        };
        Self {
            known: Cache::builder().weigher(size).max_capacity(ROOM).build(),
            unknown: Cache::builder()
                .max_capacity(UNKNOWN)
                .time_to_live(GOOD_FOR)
                .build(),
            lookups: Semaphore::new(AT_ONCE),
        }
    }
}

/// The text of a registered document; none when no client has registered one of this hash. Asks nobody's leave: a document is
/// no secret, and whoever runs it needs their own.
///
/// # Errors
/// Those of the database.
pub async fn text(ctx: &Ctx, hash: DocumentHash) -> Result<Option<Arc<str>>> {
    let documents = ctx.memory.of::<Documents>();
    if let Some(known) = documents.known.get(&hash) {
        return again(ctx, &documents, hash, &known).await;
    }
    if documents.unknown.contains_key(&hash) {
        return Ok(None);
    }
    let _turn = documents
        .lookups
        .acquire()
        .await
        .map_err(|_| Error::internal("the line of lookups is closed"))?;
    // Whoever stood before in the line may have asked for the same.
    if let Some(known) = documents.known.get(&hash) {
        return Ok(Some(known.text.clone()));
    }
    if documents.unknown.contains_key(&hash) {
        return Ok(None);
    }
    let asked = Instant::now();
    let Some(text) = read(ctx, hash, Column::Text).await? else {
        documents.unknown.insert(hash, ());
        return Ok(None);
    };
    let text: Arc<str> = text.into();
    let known = Known {
        text: text.clone(),
        read: Mutex::new(asked),
    };
    documents.known.insert(hash, Arc::new(known));
    Ok(Some(text))
}

/// As [`text`], for a document that ran here before.
async fn again(
    ctx: &Ctx,
    documents: &Documents,
    hash: DocumentHash,
    known: &Known,
) -> Result<Option<Arc<str>>> {
    let mut last = known.read.lock().await;
    if last.elapsed() < GOOD_FOR {
        return Ok(Some(known.text.clone()));
    }
    let asked = Instant::now();
    // The text cannot be another one under this hash: it is enough that there is one.
    if read(ctx, hash, Column::Client).await?.is_none() {
        documents.known.invalidate(&hash);
        documents.unknown.insert(hash, ());
        return Ok(None);
    }
    *last = asked;
    Ok(Some(known.text.clone()))
}

async fn read(ctx: &Ctx, hash: DocumentHash, column: Column) -> Result<Option<String>> {
    Ok(Entity::find()
        .select_only()
        .column(column)
        .filter(Column::Hash.eq(hash.bytes().to_vec()))
        .into_tuple()
        .one(ctx.db.read())
        .await?)
}
