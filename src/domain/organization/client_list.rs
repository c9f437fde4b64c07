//! Reading clients: lists, single ones, and a client's own entry.
//!
//! Called by `graphql/clients` and its viewer. Administrators read them all; a client reads itself. The hash of a
//! secret goes nowhere.

use crate::access::{Action, Ctx, Place, Viewer};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::ids::{ClientId, ClientSecretId};
use entity::{client, client_place, client_secret};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    Select,
};
use std::collections::HashMap;

/// A client with what hangs on it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client itself.
    pub row: client::Model,
    /// Where it may do what its scopes allow.
    pub places: Vec<Place>,
    /// Its secrets that are good now, the newest first.
    pub secrets: Vec<Secret>,
}

/// A secret as it may be shown: without its hash.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The key.
    pub id: ClientSecretId,
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When a token was last got by it, to the hour.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Which clients a list has; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// Those that are on (true), or switched off (false).
    pub enabled: Option<bool>,
}

fn select(ctx: &Ctx, filter: &ClientFilter) -> Result<Select<client::Entity>> {
    ctx.require(Action::ClientRead)?;
    let select = client::Entity::find();
    Ok(match filter.enabled {
        Some(true) => select.filter(client::Column::DisabledAt.is_null()),
        Some(false) => select.filter(client::Column::DisabledAt.is_not_null()),
        None => select,
    })
}

/// A page of clients, by when they were made.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &ClientFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<Client>> {
    let page: Page<client::Model> = Keyset::new(
        client::Column::CreatedAt.into_expr(),
        client::Column::Id.into_expr(),
        sort,
    )
    .page(ctx.db.read(), select(ctx, filter)?, page)
    .await?;
    let ids: Vec<ClientId> = page.items.iter().map(|row| row.id).collect();
    let mut parts = Parts::read(ctx.db.read(), ctx, &ids).await?;
    Ok(page.map(|row| parts.whole(row)))
}

/// How many clients.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &ClientFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Clients by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[ClientId]) -> Result<Vec<Client>> {
    ctx.require(Action::ClientRead)?;
    read(ctx.db.read(), ctx, ids).await
}

/// The viewer's own entry, when it is a client.
///
/// # Errors
/// Those of the database.
pub async fn own(ctx: &Ctx) -> Result<Option<Client>> {
    let Viewer::Client(viewer) = &ctx.viewer else {
        return Ok(None);
    };
    Ok(read(ctx.db.read(), ctx, &[viewer.id]).await?.pop())
}

/// One client as it stands within a transaction.
///
/// # Errors
/// A user error at `id` when there is none; those of the database.
pub(super) async fn present(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    id: ClientId,
) -> Result<Client> {
    let found = read(connection, ctx, &[id]).await?.pop();
    found.ok_or_else(|| Error::not_found("id", "client"))
}

async fn read(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    ids: &[ClientId],
) -> Result<Vec<Client>> {
    let rows = client::Entity::find()
        .filter(client::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(connection)
        .await?;
    let mut parts = Parts::read(connection, ctx, ids).await?;
    Ok(rows.into_iter().map(|row| parts.whole(row)).collect())
}

/// The places of some clients, in a fixed order.
pub(in crate::domain) async fn places(
    connection: &impl ConnectionTrait,
    clients: &[ClientId],
) -> Result<HashMap<ClientId, Vec<Place>>> {
    let rows = client_place::Entity::find()
        .filter(client_place::Column::ClientId.is_in(clients.iter().map(|id| id.0)))
        .order_by_asc(client_place::Column::Id)
        .all(connection)
        .await?;
    let mut places: HashMap<ClientId, Vec<Place>> = HashMap::new();
    for row in rows {
        let place = Place::of_columns(row.region_id, row.store_id);
        places.entry(row.client_id).or_default().push(place);
    }
    Ok(places)
}

/// The condition that a secret has not ended.
pub(super) fn is_good(now: DateTime<Utc>) -> Condition {
    Condition::any()
        .add(client_secret::Column::ExpiresAt.is_null())
        .add(client_secret::Column::ExpiresAt.gt(now))
}

/// What hangs on some clients: one statement a table, however many they are.
struct Parts {
    places: HashMap<ClientId, Vec<Place>>,
    secrets: HashMap<ClientId, Vec<Secret>>,
}

impl Parts {
    async fn read(
        connection: &impl ConnectionTrait,
        ctx: &Ctx,
        clients: &[ClientId],
    ) -> Result<Self> {
        let rows = client_secret::Entity::find()
            .filter(client_secret::Column::ClientId.is_in(clients.iter().map(|id| id.0)))
            .filter(is_good(ctx.now()))
            .order_by_desc(client_secret::Column::Id)
            .all(connection)
            .await?;
        let mut secrets: HashMap<ClientId, Vec<Secret>> = HashMap::new();
        for row in rows {
            secrets.entry(row.client_id).or_default().push(Secret {
                id: row.id,
                hint: row.hint,
                created_at: row.created_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
            });
        }
        Ok(Self {
            places: places(connection, clients).await?,
            secrets,
        })
    }

    fn whole(&mut self, row: client::Model) -> Client {
        Client {
            places: self.places.remove(&row.id).unwrap_or_default(),
            secrets: self.secrets.remove(&row.id).unwrap_or_default(),
            row,
        }
    }
}
