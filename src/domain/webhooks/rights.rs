//! What a webhook may be told: what its client may see, as it stands now.

use super::kinds::{EventKind, known};
use crate::access::sight::{self, Reach};
use crate::access::{Action, ClientViewer, Ctx, Origin, Scopes, Viewer};
use crate::db::{Db, among};
use crate::domain::organization::client_list;
use crate::error::Result;
use entity::ids::{ClientId, CustomerId, StoreId};
use entity::{client, customer, store, webhook};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What of an event decides who is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub kind: EventKind,
    pub customer: Option<CustomerId>,
    pub store: Option<StoreId>,
}

/// What a webhook is for.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    kinds: Vec<EventKind>,
    stores: HashSet<StoreId>,
}

impl Wishes {
    pub fn of(hook: &webhook::Model) -> Self {
        Self {
            kinds: known(&hook.kinds),
            stores: stores(hook).into_iter().collect(),
        }
    }
}

/// The stores that a webhook is bound to; none when it is bound to none.
pub(super) fn stores(hook: &webhook::Model) -> Vec<StoreId> {
    serde_json::from_value(hook.store_ids.clone()).unwrap_or_default()
}

/// Of some clients those that are on, as viewers.
pub(super) async fn viewers(
    db: &Db,
    clients: &[ClientId],
) -> Result<HashMap<ClientId, Arc<ClientViewer>>> {
    let rows = client::Entity::find()
        .filter(client::Column::Id.is_in(clients.iter().map(|id| id.0)))
        .filter(client::Column::DisabledAt.is_null())
        .all(db.read())
        .await?;
    let mut places = client_list::places(db.read(), clients).await?;
    let viewer = |row: client::Model| {
        let places = places.remove(&row.id).unwrap_or_default();
        let viewer = ClientViewer::new(row.id, Scopes::known(&row.scopes), places);
        (row.id, Arc::new(viewer))
    };
    Ok(rows.into_iter().map(viewer).collect())
}

/// Which of some facts a client is told, by their places in the list: those that it may see and, when wishes are given,
/// that are wanted. Two statements at most, however many they are.
pub(super) async fn told(
    ctx: &Ctx,
    viewer: &Arc<ClientViewer>,
    wishes: Option<&Wishes>,
    facts: &[Fact],
) -> Result<Vec<usize>> {
    let wanted = |fact: &Fact| wishes.is_none_or(|wishes| wishes.kinds.contains(&fact.kind));
    let facts: Vec<(usize, Fact)> = facts
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, fact)| wanted(fact) && fact.kind.is_within(viewer.scopes))
        .collect();
    let Some((_, first)) = facts.first() else {
        return Ok(Vec::new());
    };
    let ctx = ctx.for_request(Viewer::Client(Arc::clone(viewer)), Origin::internal());
    let customers = facts.iter().filter_map(|(_, fact)| fact.customer);
    let homes = homes(&ctx, first.kind.action(), customers.collect()).await?;
    let places = facts.iter().filter(|(_, fact)| is_of_a_place(fact));
    let places = places.filter_map(|(_, fact)| fact.store).collect();
    let reached = reached(&ctx, first.kind.action(), places).await?;
    let is_told = |fact: &Fact| {
        let home = match fact.customer {
            Some(customer) => match homes.get(&customer) {
                Some(home) => *home,
                None => return false,
            },
            None => None,
        };
        if is_of_a_place(fact) && !fact.store.is_some_and(|store| reached.contains(&store)) {
            return false;
        }
        let store = fact.store.or(home);
        wishes.is_none_or(|wishes| {
            wishes.stores.is_empty() || store.is_some_and(|store| wishes.stores.contains(&store))
        })
    };
    Ok(facts
        .iter()
        .filter(|(_, fact)| is_told(fact))
        .map(|(at, _)| *at)
        .collect())
}

/// Is it about something that belongs to a store, and to no customer? Stores themselves everybody sees who sees any.
fn is_of_a_place(fact: &Fact) -> bool {
    fact.customer.is_none()
        && fact.store.is_some()
        && fact.kind.action() != Action::OrganizationRead
}

/// Of some customers those in the client's places, with their home stores. Files that were merged or erased are among
/// them: that is what is told. A client's places hold for all that it may do, so any action will do.
async fn homes(
    ctx: &Ctx,
    action: Action,
    customers: HashSet<CustomerId>,
) -> Result<HashMap<CustomerId, Option<StoreId>>> {
    if customers.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(CustomerId, Option<StoreId>)> = customer::Entity::find()
        .select_only()
        .column(customer::Column::Id)
        .column(customer::Column::HomeStoreId)
        .filter(among(ctx.db.engine(), customer::Column::Id, customers))
        .filter(sight::in_reach(ctx, action)?)
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    Ok(rows.into_iter().collect())
}

/// Of some stores those in the client's places.
async fn reached(ctx: &Ctx, action: Action, stores: HashSet<StoreId>) -> Result<HashSet<StoreId>> {
    if stores.is_empty() {
        return Ok(HashSet::new());
    }
    let reach = Reach::of(&ctx.viewer, action);
    let rows: Vec<StoreId> = store::Entity::find()
        .select_only()
        .column(store::Column::Id)
        .filter(among(ctx.db.engine(), store::Column::Id, stores))
        .filter(reach.covers(Expr::col((store::Entity, store::Column::Id))))
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    Ok(rows.into_iter().collect())
}
