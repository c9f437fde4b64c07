//! Clients: third-party programs such as storefronts, tills and connectors, made, changed and switched off by an
//! administrator.
//!
//! Called by `graphql/clients`; reading is in [`super::client_list`], secrets are in [`super::client_secrets`], and how
//! a client gets tokens in [`super::client_tokens`]. A client is never deleted: what it did stays its own.

use super::change::{Told, check_version, put};
use super::client_list::{self, Client};
use super::client_secrets::Fresh;
use super::{parse_name, revocation};
use crate::access::{Action, ClientScope, Ctx, Place, Scopes};
use crate::db::IdempotencyKey;
use crate::error::{Code, Error, Result, UserErrors};
use entity::ids::{ClientId, ClientPlaceId, RegionId, StoreId};
use entity::{client, client_place, region, store};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Regions, or stores, of one client at most.
const MOST_PLACES: usize = 500;
/// Points of cost that a budget gives at most, a second and in all.
const MOST_POINTS: i32 = 1_000_000_000;

/// Where a client may do what its scopes allow, as it is told.
#[derive(Clone, Debug, Default)]
pub struct NewPlaces {
    /// Everywhere.
    pub whole_company: bool,
    /// In all stores of these regions, those opened later included.
    pub regions: Vec<RegionId>,
    /// In these stores.
    pub stores: Vec<StoreId>,
}

/// What a client's operations may cost, when it is not what everybody's may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostBudget {
    /// Points that come back each second.
    pub points_per_second: i32,
    /// Points that can be saved up.
    pub bucket_points: i32,
}

/// A client to be made.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ClientScope>,
    /// Where.
    pub places: NewPlaces,
    /// What its operations may cost.
    pub budget: Option<CostBudget>,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
}

/// A change of a client; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct ClientChange {
    /// The version that the change is based on.
    pub version: i64,
    /// What people call it.
    pub name: Option<String>,
    /// What it may do, all of it.
    pub scopes: Option<Vec<ClientScope>>,
    /// Where, all of it.
    pub places: Option<NewPlaces>,
    /// What its operations may cost; `Some(None)` for what everybody's may.
    pub budget: Option<Option<CostBudget>>,
}

/// Makes a client with its first secret, which is shown once and kept nowhere. The same key sent again gives the client
/// that was made first, without a secret.
///
/// # Errors
/// User errors; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewClient) -> Result<(Client, Option<SecretString>)> {
    ctx.require(Action::ClientManage)?;
    let mut errors = UserErrors::new();
    let name = parse_name(&mut errors, "name", &new.name);
    check_budget(&mut errors, new.budget);
    errors.check()?;
    let Some(name) = &name else {
        return Err(Error::internal("a parsed client is not whole"));
    };
    let scopes: Scopes = new.scopes.iter().copied().collect();
    let secret = &Fresh::new();
    let made = ctx
        .db
        .write(|tx| async move {
            if let Some(key) = &new.key
                && let Some(done) = key.seen(&*tx).await?
            {
                return Ok((client_list::present(&*tx, ctx, done.into()).await?, false));
            }
            let places = check_places(&*tx, &new.places).await?;
            check_scopes(scopes, &places)?;
            let now = ctx.now();
            let row = client::ActiveModel {
                id: Set(ClientId::new()),
                name: Set(name.clone()),
                scopes: Set(scopes.to_string()),
                points_per_second: Set(new.budget.map(|budget| budget.points_per_second)),
                bucket_points: Set(new.budget.map(|budget| budget.bucket_points)),
                disabled_at: Set(None),
                last_used_at: Set(None),
                version: Set(1),
                created_by: Set(ctx.viewer.staff_id()),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            replace_places(&*tx, row.id, &places).await?;
            let secret = secret.store(&*tx, ctx, row.id).await?;
            if let Some(key) = &new.key {
                key.remember(&*tx, row.id.into(), now).await?;
            }
            let detail =
                json!({ "scopes": words(scopes), "places": places.len(), "secret": secret.id });
            told(("client.created", "client.create"), row.id, detail)
                .write(&*tx, ctx)
                .await?;
            Ok((client_list::present(&*tx, ctx, row.id).await?, true))
        })
        .await?;
    let (client, is_fresh) = made;
    Ok((client, is_fresh.then(|| secret.text())))
}

/// Changes a client. New scopes and places hold on every node within two seconds, for tokens that it has, too.
///
/// # Errors
/// As [`create`]; [`Code::StaleVersion`].
pub async fn update(ctx: &Ctx, id: ClientId, change: &ClientChange) -> Result<Client> {
    ctx.require(Action::ClientManage)?;
    let mut errors = UserErrors::new();
    let name = &change
        .name
        .as_ref()
        .and_then(|name| parse_name(&mut errors, "name", name));
    check_budget(&mut errors, change.budget.flatten());
    errors.check()?;
    let (client, has_changed) = ctx
        .db
        .write(|tx| async move {
            let row = locked(&*tx, id).await?;
            check_version(change.version, row.version)?;
            let before = client_list::places(&*tx, &[id])
                .await?
                .remove(&id)
                .unwrap_or_default();
            let scopes_before = Scopes::known(&row.scopes);
            let places = match &change.places {
                Some(places) => check_places(&*tx, places).await?,
                None => before.clone(),
            };
            let scopes = match &change.scopes {
                Some(scopes) => scopes.iter().copied().collect(),
                None => scopes_before,
            };
            check_scopes(scopes, &places)?;
            let version = row.version;
            let mut fields = Vec::new();
            let mut active = row.into_active_model();
            put(&mut fields, "name", name.clone(), &mut active.name);
            if scopes != scopes_before {
                active.scopes = Set(scopes.to_string());
                fields.push("scopes");
            }
            if places.iter().collect::<HashSet<_>>() != before.iter().collect() {
                replace_places(&*tx, id, &places).await?;
                fields.push("places");
            }
            if let Some(budget) = change.budget {
                let points = Some(budget.map(|budget| budget.points_per_second));
                put(
                    &mut fields,
                    "costBudget",
                    points,
                    &mut active.points_per_second,
                );
                let points = Some(budget.map(|budget| budget.bucket_points));
                put(&mut fields, "costBudget", points, &mut active.bucket_points);
                fields.dedup();
            }
            if fields.is_empty() {
                return Ok((client_list::present(&*tx, ctx, id).await?, false));
            }
            active.version = Set(version + 1);
            active.updated_at = Set(ctx.now());
            active.update(&*tx).await?;
            revocation::record_client(&*tx, ctx, id).await?;
            let detail = json!({
                "fields": fields, "scopes_before": words(scopes_before), "scopes": words(scopes),
            });
            told(("client.updated", "client.update"), id, detail)
                .write(&*tx, ctx)
                .await?;
            Ok((client_list::present(&*tx, ctx, id).await?, true))
        })
        .await?;
    if has_changed {
        revocation::apply_client(ctx, id);
    }
    Ok(client)
}

/// Switches a client off: its tokens are good no more, on this node at once, on the others within two seconds.
///
/// # Errors
/// As [`update`].
pub async fn disable(ctx: &Ctx, id: ClientId) -> Result<Client> {
    switch(ctx, id, false).await
}

/// Switches a client on again. Those of its secrets that have not ended meanwhile are good again.
///
/// # Errors
/// As [`update`].
pub async fn enable(ctx: &Ctx, id: ClientId) -> Result<Client> {
    switch(ctx, id, true).await
}

async fn switch(ctx: &Ctx, id: ClientId, on: bool) -> Result<Client> {
    ctx.require(Action::ClientManage)?;
    let client = ctx
        .db
        .write(|tx| async move {
            let row = locked(&*tx, id).await?;
            if row.disabled_at.is_none() == on {
                return client_list::present(&*tx, ctx, id).await;
            }
            let version = row.version;
            let mut active = row.into_active_model();
            active.disabled_at = Set((!on).then(|| ctx.now()));
            active.version = Set(version + 1);
            active.updated_at = Set(ctx.now());
            active.update(&*tx).await?;
            revocation::record_client(&*tx, ctx, id).await?;
            let told_as = if on {
                ("client.enabled", "client.enable")
            } else {
                ("client.disabled", "client.disable")
            };
            told(told_as, id, json!({})).write(&*tx, ctx).await?;
            client_list::present(&*tx, ctx, id).await
        })
        .await?;
    revocation::apply_client(ctx, id);
    Ok(client)
}

/// Locks a client against other changes.
pub(in crate::domain) async fn locked(
    tx: &impl ConnectionTrait,
    id: ClientId,
) -> Result<client::Model> {
    client::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "client"))
}

/// What a change of a client leaves behind.
pub(super) fn told(words: (&'static str, &'static str), id: ClientId, detail: Value) -> Told {
    Told {
        words,
        what: "client",
        id: id.into(),
        store: None,
        detail,
    }
}

fn words(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(ClientScope::word).collect()
}

fn check_budget(errors: &mut UserErrors, budget: Option<CostBudget>) {
    let Some(budget) = budget else { return };
    for (field, points) in [
        ("costBudget.pointsPerSecond", budget.points_per_second),
        ("costBudget.bucketPoints", budget.bucket_points),
    ] {
        if !(1..=MOST_POINTS).contains(&points) {
            errors.push(
                Code::OutOfRange,
                field,
                format!("a budget has 1 to {MOST_POINTS} points; switch the client off to stop it"),
            );
        }
    }
}

/// A scope about what all stores share is given to clients of the whole company only.
fn check_scopes(scopes: Scopes, places: &[Place]) -> Result<()> {
    let too_wide = scopes.iter().find(|scope| scope.is_company_wide());
    match too_wide {
        Some(scope) if !places.contains(&Place::Company) => Err(Error::user(
            Code::NotAllowed,
            "scopes",
            format!(
                "{} is about what all stores share; give the client the whole company as its place, or leave the scope out",
                scope.word()
            ),
        )),
        _ => Ok(()),
    }
}

/// Checks that the places are there, and takes doubles out.
async fn check_places(tx: &impl ConnectionTrait, new: &NewPlaces) -> Result<Vec<Place>> {
    let mut errors = UserErrors::new();
    if new.whole_company && !(new.regions.is_empty() && new.stores.is_empty()) {
        errors.push(
            Code::Invalid,
            "places",
            "the whole company has all regions and stores in it; give either it or some of them",
        );
    }
    for (field, count) in [
        ("places.regionIds", new.regions.len()),
        ("places.storeIds", new.stores.len()),
    ] {
        if count > MOST_PLACES {
            errors.push(
                Code::TooMany,
                field,
                format!("at most {MOST_PLACES} can be given; give regions or the whole company"),
            );
        }
    }
    errors.check()?;
    let mut errors = UserErrors::new();
    let regions: HashSet<RegionId> = region::Entity::find()
        .select_only()
        .column(region::Column::Id)
        .filter(region::Column::Id.is_in(new.regions.iter().map(|id| id.0)))
        .into_tuple()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let stores: HashSet<StoreId> = store::Entity::find()
        .select_only()
        .column(store::Column::Id)
        .filter(store::Column::Id.is_in(new.stores.iter().map(|id| id.0)))
        .into_tuple()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let mut places = Vec::new();
    if new.whole_company {
        places.push(Place::Company);
    }
    for (n, id) in new.regions.iter().enumerate() {
        if !regions.contains(id) {
            let field = format!("places.regionIds.{n}");
            errors.push(Code::NotFound, &field, "no such region");
        }
        places.push(Place::Region(*id));
    }
    for (n, id) in new.stores.iter().enumerate() {
        if !stores.contains(id) {
            let field = format!("places.storeIds.{n}");
            errors.push(Code::NotFound, &field, "no such store");
        }
        places.push(Place::Store(*id));
    }
    errors.check()?;
    let mut known = HashSet::new();
    places.retain(|place| known.insert(*place));
    Ok(places)
}

async fn replace_places(
    tx: &impl ConnectionTrait,
    client: ClientId,
    places: &[Place],
) -> Result<()> {
    client_place::Entity::delete_many()
        .filter(client_place::Column::ClientId.eq(client.0))
        .exec(tx)
        .await?;
    if places.is_empty() {
        return Ok(());
    }
    let rows = places.iter().map(|place| {
        let (region, store) = place.columns();
        client_place::ActiveModel {
            id: Set(ClientPlaceId::new()),
            client_id: Set(client),
            region_id: Set(region),
            store_id: Set(store),
        }
    });
    client_place::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
