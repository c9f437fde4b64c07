//! References that are open: a row names a customer, a member of staff, a store, a category, a programme or a tier that
//! is not there yet.
//!
//! They are kept in the transaction that takes the row in, looked for by `resolve`, and can be read by whoever
//! may manage customers: [`page`], [`count`]. Ids and numbers only, never a person's name or address, but for the
//! address under which a member of staff signs in.

use crate::access::{Action, Ctx};
use crate::db::{Batch, Sql, Table, literal_limit};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::enums::OpenReferenceKind;
use entity::ids::{CustomerId, OpenReferenceId};
use entity::open_reference::{Column, Entity, Model};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use uuid::Uuid;

static OPEN: Table = Table {
    name: "open_reference",
    columns: &[
        ("id", "uuid"),
        ("kind", "text"),
        ("source", "text"),
        ("subject", "text"),
        ("wanted", "text"),
        ("instead_of", "uuid"),
        ("detail", "jsonb"),
        ("reason", "text"),
        ("file", "text"),
        ("line", "bigint"),
        ("created_at", "timestamptz"),
    ],
    conflict: "on conflict (kind, subject) do update set reason = excluded.reason",
};

/// Where a reference comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    /// The other system.
    pub source: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// The line in it.
    pub line: u64,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// A reference that opens, with what is told of it while nothing is known.
pub(super) fn new(
    origin: Origin<'_>,
    kind: OpenReferenceKind,
    subject: impl ToString,
    wanted: &str,
) -> Model {
    let reason = match kind {
        OpenReferenceKind::ReferredBy | OpenReferenceKind::GiftFrom => {
            "no file has brought this customer yet"
        }
        OpenReferenceKind::Keeper => "nobody with this address works here yet",
        OpenReferenceKind::HomeStore => "no store has this code yet",
        OpenReferenceKind::Category => "no category has this code yet",
        OpenReferenceKind::Card => "no file has brought the holder yet",
    };
    Model {
        id: OpenReferenceId::new(),
        kind,
        source: origin.source.to_owned(),
        subject: subject.to_string(),
        wanted: wanted.to_owned(),
        instead_of: None,
        detail: None,
        reason: reason.to_owned(),
        file: origin.file.to_owned(),
        line: i64::try_from(origin.line).unwrap_or(i64::MAX),
        created_at: origin.at,
    }
}

/// Adds references to a batch. One that is there already takes the reason only.
pub(super) fn gather<'a>(batch: &mut Batch, rows: impl IntoIterator<Item = &'a Model>) {
    batch.insert(
        &OPEN,
        rows.into_iter().map(|row| {
            vec![
                row.id.into(),
                row.kind.as_str().into(),
                row.source.clone().into(),
                row.subject.clone().into(),
                row.wanted.clone().into(),
                row.instead_of.into(),
                row.detail.clone().into(),
                row.reason.clone().into(),
                row.file.clone().into(),
                row.line.into(),
                row.created_at.into(),
            ]
        }),
    );
}

/// The open references of these subjects.
pub(super) async fn of_subjects(
    connection: &impl ConnectionTrait,
    subjects: Vec<String>,
) -> Result<HashMap<(OpenReferenceKind, String), Model>> {
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::for_connection(connection);
    sql.push("select * from open_reference where kind")
        .bind_any_text(KINDS.iter().map(|kind| kind.as_str().to_owned()).collect())
        .push(" and subject")
        .bind_any_text(subjects);
    let rows = Model::find_by_statement(sql.build())
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.kind, row.subject.clone()), row))
        .collect())
}

const KINDS: [OpenReferenceKind; 6] = [
    OpenReferenceKind::ReferredBy,
    OpenReferenceKind::GiftFrom,
    OpenReferenceKind::Keeper,
    OpenReferenceKind::HomeStore,
    OpenReferenceKind::Category,
    OpenReferenceKind::Card,
];

/// Forgets references that are resolved.
pub(super) async fn close(
    tx: &impl ConnectionTrait,
    resolved: impl IntoIterator<Item = OpenReferenceId>,
) -> Result<()> {
    let ids: Vec<OpenReferenceId> = resolved.into_iter().collect();
    if !ids.is_empty() {
        let among = crate::db::among(crate::db::Engine::of(tx), Column::Id, ids);
        Entity::delete_many().filter(among).exec(tx).await?;
    }
    Ok(())
}

/// Notes why references stay open.
pub(super) async fn explain(
    tx: &impl ConnectionTrait,
    reasons: &[(OpenReferenceId, &str)],
) -> Result<()> {
    for (id, reason) in reasons {
        let mut sql = Sql::for_connection(tx);
        sql.push("update open_reference set reason = ")
            .bind(*reason)
            .push(" where id = ")
            .bind(*id);
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

/// A reference with what it may be resolved to.
#[derive(Debug, FromQueryResult)]
pub(super) struct Found {
    /// The reference.
    pub id: OpenReferenceId,
    /// What it tells.
    pub kind: OpenReferenceKind,
    /// What refers.
    pub subject: String,
    /// What is there by now.
    pub target: Uuid,
    /// A guess in whose place it comes.
    pub instead_of: Option<Uuid>,
    /// A card that waits.
    pub detail: Option<serde_json::Value>,
    /// The other system.
    pub source: String,
    /// Why it was open so far.
    pub reason: String,
}

/// The next references of these kinds whose target, told by this text of a join, is there by now.
pub(super) async fn found(
    connection: &impl ConnectionTrait,
    kinds: &[OpenReferenceKind],
    (target, join): (&str, &str),
    after: Option<OpenReferenceId>,
    most: u64,
) -> Result<Vec<Found>> {
    let mut sql = Sql::for_connection(connection);
    sql.push("select o.id, o.kind, o.subject, o.instead_of, o.detail, o.source, o.reason, ")
        .push(target)
        .push(" as target from open_reference o ")
        .push(join)
        .push(" where o.kind in ")
        .bind_list(kinds.iter().map(|kind| Value::from(kind.as_str())));
    if let Some(after) = after {
        sql.push(" and o.id > ").bind(after);
    }
    sql.push(" order by o.id");
    let statement = literal_limit(sql.build(), most);
    Ok(Found::find_by_statement(statement).all(connection).await?)
}

/// How many references are open.
///
/// # Errors
/// Those of the database.
pub async fn count(ctx: &Ctx) -> Result<u64> {
    ctx.require(Action::CustomerManage)?;
    Ok(Entity::find().count(ctx.db.read()).await?)
}

/// The open references after one, in the order in which they came; of one file, of all when none is named.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    file: Option<&str>,
    after: Option<OpenReferenceId>,
    most: u64,
) -> Result<Vec<Model>> {
    ctx.require(Action::CustomerManage)?;
    let mut select = Entity::find().order_by_asc(Column::Id).limit(most);
    if let Some(file) = file {
        select = select.filter(Column::File.eq(file));
    }
    if let Some(after) = after {
        select = select.filter(Column::Id.gt(after));
    }
    Ok(select.all(ctx.db.read()).await?)
}

/// Forgets what is open of customers who are erased, and what wants them by the names that other systems have for them,
/// each given with its system.
///
/// # Errors
/// Those of the database.
pub async fn forget(
    tx: &impl ConnectionTrait,
    customers: &[CustomerId],
    names: &[(String, String)],
) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("delete from open_reference where kind in ('REFERRED_BY', 'GIFT_FROM', 'KEEPER', 'HOME_STORE') and subject")
        .bind_any_text(customers.iter().map(ToString::to_string).collect());
    tx.execute_raw(sql.build()).await?;
    for (source, name) in names {
        let mut sql = Sql::for_connection(tx);
        sql.push("delete from open_reference where kind in ('REFERRED_BY', 'GIFT_FROM', 'CARD') and source = ")
            .bind(source.clone())
            .push(" and wanted = ")
            .bind(name.clone());
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}
