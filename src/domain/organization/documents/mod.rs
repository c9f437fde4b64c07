//! Documents that clients have registered: what may run where only known documents may.
//!
//! Registered, listed and removed by the command `documents`; asked for by `http` through [`text`], for each request that names
//! a document by its hash, and for every request where only registered documents run. Whether a document is fit to run is for
//! whoever registers it to find out: the trade knows no GraphQL. The same document may be registered by several clients, and it
//! goes when the last of them lets go of it.

mod memory;

use super::parse_code;
use crate::access::{Action, Ctx, audit};
use crate::error::{Code, Error, Result, UserErrors};
use chrono::{DateTime, Utc};
use entity::document::{ActiveModel, Column, Entity};
use entity::values::DocumentHash;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use std::collections::HashSet;

pub use memory::text;

/// Rows written or asked for in one statement.
const CHUNK: usize = 500;
/// Documents read at once with their text.
const PAGE: u64 = 100;
/// Hashes named in one entry of the audit log.
const NAMED: usize = 100;

/// A document to be registered. It has been found fit to run.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The document, to the byte.
    pub text: String,
    /// The names of its operations.
    pub operations: Vec<String>,
}

/// A registered document, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// By which it is known.
    pub hash: DocumentHash,
    /// The client that it came with.
    pub client: String,
    /// The names of its operations.
    pub operations: Vec<String>,
    /// When it was registered.
    pub registered_at: DateTime<Utc>,
    /// Who ran the command.
    pub registered_by: String,
}

/// Registers documents of a client, all or none; what it has already stays as it is. Gives the hashes that are new.
///
/// # Errors
/// A user error for a name of a client that is none; as [`Ctx::require`]; those of the database.
pub async fn register(
    ctx: &Ctx,
    client: &str,
    by: &str,
    documents: &[NewDocument],
) -> Result<HashSet<DocumentHash>> {
    ctx.require(Action::OrganizationManage)?;
    let client = &parse_client(client)?;
    let mut named = HashSet::new();
    // The same document may stand in two files.
    let documents: &Vec<(DocumentHash, &NewDocument)> = &documents
        .iter()
        .map(|document| (DocumentHash::of(&document.text), document))
        .filter(|(hash, _)| named.insert(*hash))
        .collect();
    ctx.db
        .write(|tx| async move {
            let known = known(&*tx, client).await?;
            let fresh: Vec<_> = documents
                .iter()
                .filter(|(hash, _)| !known.contains(hash))
                .collect();
            let now = ctx.now();
            for chunk in fresh.chunks(CHUNK) {
                let rows = chunk.iter().map(|(hash, document)| ActiveModel {
                    hash: Set(hash.bytes().to_vec()),
                    client: Set(client.clone()),
                    operations: Set(json!(document.operations)),
                    text: Set(document.text.clone()),
                    registered_at: Set(now),
                    registered_by: Set(by.to_owned()),
                });
                Entity::insert_many(rows)
                    .exec_without_returning(&*tx)
                    .await?;
            }
            let fresh: Vec<DocumentHash> = fresh.into_iter().map(|(hash, _)| *hash).collect();
            note(&*tx, ctx, "document.register", Some(client), &fresh).await?;
            Ok(fresh.into_iter().collect())
        })
        .await
}

/// All registered documents, by client and then by the names of their operations.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn all(ctx: &Ctx) -> Result<Vec<Registered>> {
    ctx.require(Action::OrganizationManage)?;
    let mut all = listed(ctx.db.read(), Condition::all()).await?;
    all.sort_by(|one, other| {
        (&one.client, &one.operations, one.hash).cmp(&(
            &other.client,
            &other.operations,
            other.hash,
        ))
    });
    Ok(all)
}

/// Hands every registered document to `look`, a document of several clients once for each.
///
/// # Errors
/// As [`all`].
pub async fn each(ctx: &Ctx, mut look: impl FnMut(DocumentHash, &str)) -> Result<()> {
    ctx.require(Action::OrganizationManage)?;
    let mut pages = Entity::find().cursor_by((Column::Hash, Column::Client));
    pages.first(PAGE);
    loop {
        let rows = pages.all(ctx.db.read()).await?;
        for row in &rows {
            look(read_hash(&row.hash)?, &row.text);
        }
        let Some(last) = rows.last() else {
            return Ok(());
        };
        pages.after((last.hash.clone(), last.client.clone()));
    }
}

/// Removes documents by their hashes, of one client or of all that have them; gives what was removed.
///
/// # Errors
/// A user error, and nothing is removed, when one of them is not registered; as [`all`].
pub async fn remove(
    ctx: &Ctx,
    hashes: &[DocumentHash],
    client: Option<&str>,
) -> Result<Vec<Registered>> {
    ctx.require(Action::OrganizationManage)?;
    let client = client.map(parse_client).transpose()?;
    let client = client.as_deref();
    ctx.db
        .write(|tx| async move {
            let mut removed = Vec::new();
            for chunk in hashes.chunks(CHUNK) {
                let these = condition(client).add(Column::Hash.is_in(chunk.iter().map(bytes)));
                removed.extend(listed(&*tx, these.clone()).await?);
                Entity::delete_many().filter(these).exec(&*tx).await?;
            }
            let found: HashSet<_> = removed.iter().map(|document| document.hash).collect();
            if let Some(unknown) = hashes.iter().find(|hash| !found.contains(hash)) {
                return Err(Error::user(
                    Code::NotFound,
                    "hash",
                    match client {
                        Some(client) => {
                            format!("the client {client} has no document {unknown} registered")
                        }
                        None => format!("no document {unknown} is registered"),
                    },
                ));
            }
            let found: Vec<_> = found.into_iter().collect();
            note(&*tx, ctx, "document.remove", client, &found).await?;
            Ok(removed)
        })
        .await
}

/// Removes all documents of a client; gives what was removed.
///
/// # Errors
/// A user error when it has none; as [`all`].
pub async fn remove_client(ctx: &Ctx, client: &str) -> Result<Vec<Registered>> {
    ctx.require(Action::OrganizationManage)?;
    let client = &parse_client(client)?;
    ctx.db
        .write(|tx| async move {
            let removed = listed(&*tx, condition(Some(client))).await?;
            if removed.is_empty() {
                return Err(Error::user(
                    Code::NotFound,
                    "client",
                    format!("the client {client} has no documents registered"),
                ));
            }
            Entity::delete_many()
                .filter(condition(Some(client)))
                .exec(&*tx)
                .await?;
            let hashes: Vec<_> = removed.iter().map(|document| document.hash).collect();
            note(&*tx, ctx, "document.remove", Some(client), &hashes).await?;
            Ok(removed)
        })
        .await
}

fn parse_client(name: &str) -> Result<String> {
    let mut errors = UserErrors::new();
    let client = parse_code(&mut errors, "client", name);
    errors.check()?;
    client.ok_or_else(|| Error::internal("a parsed client has no name"))
}

fn condition(client: Option<&str>) -> Condition {
    Condition::all().add_option(client.map(|client| Column::Client.eq(client)))
}

fn bytes(hash: &DocumentHash) -> Vec<u8> {
    hash.bytes().to_vec()
}

fn read_hash(bytes: &[u8]) -> Result<DocumentHash> {
    DocumentHash::try_from(bytes)
        .map_err(|_| Error::internal("the hash of a registered document has not 32 bytes"))
}

/// What a client has registered.
async fn known(tx: &impl ConnectionTrait, client: &str) -> Result<HashSet<DocumentHash>> {
    let hashes: Vec<Vec<u8>> = Entity::find()
        .select_only()
        .column(Column::Hash)
        .filter(condition(Some(client)))
        .into_tuple()
        .all(tx)
        .await?;
    hashes.iter().map(|hash| read_hash(hash)).collect()
}

/// A row without the text, which may be long.
#[derive(FromQueryResult)]
struct Row {
    hash: Vec<u8>,
    client: String,
    operations: serde_json::Value,
    registered_at: DateTime<Utc>,
    registered_by: String,
}

async fn listed(connection: &impl ConnectionTrait, these: Condition) -> Result<Vec<Registered>> {
    let rows: Vec<Row> = Entity::find()
        .select_only()
        .columns([
            Column::Hash,
            Column::Client,
            Column::Operations,
            Column::RegisteredAt,
            Column::RegisteredBy,
        ])
        .filter(these)
        .order_by_asc(Column::Hash)
        .into_model()
        .all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let names = row.operations.as_array().into_iter().flatten();
            Ok(Registered {
                hash: read_hash(&row.hash)?,
                client: row.client,
                operations: names
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
                registered_at: row.registered_at,
                registered_by: row.registered_by,
            })
        })
        .collect()
}

/// Writes down what was done, in entries of bounded length.
async fn note(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: &'static str,
    client: Option<&str>,
    hashes: &[DocumentHash],
) -> Result<()> {
    let entries: Vec<_> = hashes
        .chunks(NAMED)
        .map(|chunk| {
            let hashes: Vec<_> = chunk.iter().map(ToString::to_string).collect();
            audit::Entry::new(ctx, action).detail(json!({ "client": client, "documents": hashes }))
        })
        .collect();
    audit::write(tx, &entries).await
}
