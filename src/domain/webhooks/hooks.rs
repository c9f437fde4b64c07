//! Webhooks made, changed, switched off and on by an administrator, for clients.
//!
//! Called by `graphql/webhooks`; reading is in [`super::list`]. A webhook is never deleted: what it was told stays
//! readable for a while.

use super::WebhookSettings;
use super::kinds::{EventKind, known};
use super::list::{self, Webhook};
use super::queue;
use super::rights::stores;
use super::secrets::Fresh;
use crate::access::{Action, Ctx, Scopes, audit};
use crate::db::IdempotencyKey;
use crate::domain::organization::change::{Told, check_version, put};
use crate::domain::organization::clients;
use crate::error::{Code, Error, Result, UserErrors};
use entity::enums::WebhookDisabledReason;
use entity::ids::{ClientId, StoreId, WebhookId};
use entity::{store, webhook};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Webhooks of one client at most.
const MOST: u64 = 20;
/// Stores that one webhook is bound to at most.
const MOST_STORES: usize = 500;

/// A webhook to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Who is told.
    pub client: ClientId,
    /// Where to.
    pub url: String,
    /// Of what.
    pub kinds: Vec<EventKind>,
    /// Only of what happened in these stores; empty for all.
    pub stores: Vec<StoreId>,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
}

/// A change of a webhook; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// The version that the change is based on.
    pub version: i64,
    /// Where to.
    pub url: Option<String>,
    /// Of what, all of it.
    pub kinds: Option<Vec<EventKind>>,
    /// In which stores, all of them.
    pub stores: Option<Vec<StoreId>>,
}

/// Makes a webhook with its first secret, which is shown once. The same key sent again gives the webhook that was made
/// first, without a secret.
///
/// # Errors
/// User errors; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewWebhook) -> Result<(Webhook, Option<SecretString>)> {
    ctx.require(Action::ClientManage)?;
    let mut errors = UserErrors::new();
    check_url(ctx, &mut errors, &new.url);
    errors.check()?;
    let secret = &Fresh::new();
    let (hook, is_fresh) = ctx
        .db
        .write(|tx| async move {
            if let Some(key) = &new.key
                && let Some(done) = key.seen(&*tx).await?
            {
                return Ok((list::present(&*tx, ctx, done.into()).await?, false));
            }
            let scopes = scopes(&*tx, new.client, "clientId").await?;
            check_room(&*tx, new.client).await?;
            let kinds = check_kinds(scopes, &new.kinds)?;
            let stores = check_stores(&*tx, &new.stores).await?;
            let now = ctx.now();
            let row = webhook::ActiveModel {
                id: Set(WebhookId::new()),
                client_id: Set(new.client),
                url: Set(new.url.clone()),
                kinds: Set(kinds),
                store_ids: Set(stores),
                disabled_at: Set(None),
                disabled_reason: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            let secret = secret.store(&*tx, ctx, row.id).await?;
            if let Some(key) = &new.key {
                key.remember(&*tx, row.id.into(), now).await?;
            }
            let detail = json!({ "client": new.client, "kinds": row.kinds, "secret": secret.id });
            told(("webhook.created", "webhook.create"), row.id, detail)
                .write(&*tx, ctx)
                .await?;
            Ok((list::present(&*tx, ctx, row.id).await?, true))
        })
        .await?;
    Ok((hook, is_fresh.then(|| secret.text())))
}

/// Changes a webhook. What is in line already goes out as it is, to the new address.
///
/// # Errors
/// As [`create`]; [`Code::StaleVersion`].
pub async fn update(ctx: &Ctx, id: WebhookId, change: &WebhookChange) -> Result<Webhook> {
    ctx.require(Action::ClientManage)?;
    let mut errors = UserErrors::new();
    if let Some(url) = &change.url {
        check_url(ctx, &mut errors, url);
    }
    errors.check()?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id).await?;
            check_version(change.version, row.version)?;
            let kinds = match &change.kinds {
                Some(kinds) => {
                    let scopes = scopes(&*tx, row.client_id, "id").await?;
                    Some(check_kinds(scopes, kinds)?)
                }
                None => None,
            };
            let stores = match &change.stores {
                Some(stores) => Some(check_stores(&*tx, stores).await?),
                None => None,
            };
            let version = row.version;
            let mut fields = Vec::new();
            let mut active = row.into_active_model();
            put(&mut fields, "url", change.url.clone(), &mut active.url);
            put(&mut fields, "kinds", kinds, &mut active.kinds);
            put(&mut fields, "storeIds", stores, &mut active.store_ids);
            if !fields.is_empty() {
                active.version = Set(version + 1);
                active.updated_at = Set(ctx.now());
                active.update(&*tx).await?;
                told(
                    ("webhook.updated", "webhook.update"),
                    id,
                    json!({ "fields": fields }),
                )
                .write(&*tx, ctx)
                .await?;
            }
            list::present(&*tx, ctx, id).await
        })
        .await
}

/// Switches a webhook off: what is in line for it is called off.
///
/// # Errors
/// As [`update`].
pub async fn disable(ctx: &Ctx, id: WebhookId) -> Result<Webhook> {
    switch(ctx, id, false).await
}

/// Switches a webhook on again: it is told of what happens from now on.
///
/// # Errors
/// As [`update`].
pub async fn enable(ctx: &Ctx, id: WebhookId) -> Result<Webhook> {
    switch(ctx, id, true).await
}

async fn switch(ctx: &Ctx, id: WebhookId, on: bool) -> Result<Webhook> {
    ctx.require(Action::ClientManage)?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id).await?;
            if row.disabled_at.is_none() != on {
                let reason = (!on).then_some(WebhookDisabledReason::ByHand);
                set(&*tx, ctx, row, reason).await?;
                let words = if on {
                    ("webhook.enabled", "webhook.enable")
                } else {
                    ("webhook.disabled", "webhook.disable")
                };
                told(words, id, json!({})).write(&*tx, ctx).await?;
            }
            list::present(&*tx, ctx, id).await
        })
        .await
}

/// Switches a webhook off whose address has answered that it is gone for good.
pub(super) async fn gone(tx: &impl ConnectionTrait, ctx: &Ctx, id: WebhookId) -> Result<()> {
    let row = locked(tx, id).await?;
    if row.disabled_at.is_some() {
        return Ok(());
    }
    set(tx, ctx, row, Some(WebhookDisabledReason::Gone)).await?;
    let entry = audit::Entry::new(ctx, "webhook.gone").detail(json!({ "webhook": id }));
    audit::write(tx, &[entry]).await
}

async fn set(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    row: webhook::Model,
    off: Option<WebhookDisabledReason>,
) -> Result<()> {
    let (id, version, now) = (row.id, row.version, ctx.now());
    let mut active = row.into_active_model();
    active.disabled_at = Set(off.is_some().then_some(now));
    active.disabled_reason = Set(off);
    active.version = Set(version + 1);
    active.updated_at = Set(now);
    active.update(tx).await?;
    if off.is_some() {
        queue::cancel_all(tx, now, id).await?;
    }
    Ok(())
}

/// Locks a webhook against other changes.
pub(super) async fn locked(tx: &impl ConnectionTrait, id: WebhookId) -> Result<webhook::Model> {
    webhook::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "webhook"))
}

/// What a change of a webhook leaves behind.
pub(super) fn told(words: (&'static str, &'static str), id: WebhookId, detail: Value) -> Told {
    Told {
        words,
        what: "webhook",
        id: id.into(),
        store: None,
        detail,
    }
}

fn check_url(ctx: &Ctx, errors: &mut UserErrors, url: &str) {
    let targets = ctx.memory.of::<WebhookSettings>().targets;
    if let Err(fault) = targets.read(url) {
        errors.push(Code::Invalid, "url", fault.to_string());
    }
}

/// The scopes of a client, which is locked: two webhooks that are made at once are counted one after the other.
async fn scopes(tx: &impl ConnectionTrait, id: ClientId, field: &str) -> Result<Scopes> {
    match clients::locked(tx, id).await {
        Ok(row) => Ok(Scopes::known(&row.scopes)),
        Err(Error::User(_)) => Err(Error::not_found(field, "client")),
        Err(error) => Err(error),
    }
}

async fn check_room(tx: &impl ConnectionTrait, client: ClientId) -> Result<()> {
    let made = webhook::Entity::find()
        .filter(webhook::Column::ClientId.eq(client.0))
        .count(tx)
        .await?;
    if made < MOST {
        return Ok(());
    }
    Err(Error::user(
        Code::TooMany,
        "clientId",
        format!("a client has at most {MOST} webhooks; change one that it has"),
    ))
}

/// The kinds as they are kept, when the client may be told of each.
fn check_kinds(scopes: Scopes, kinds: &[EventKind]) -> Result<String> {
    let mut errors = UserErrors::new();
    if kinds.is_empty() {
        errors.push(Code::Required, "kinds", "say of what it is to be told");
    }
    for (n, kind) in kinds.iter().enumerate() {
        if !kind.is_within(scopes) {
            let message = format!(
                "the client may not be told of {}: it needs {}",
                kind.word(),
                kind.scopes()
            );
            errors.push(Code::NotAllowed, &format!("kinds.{n}"), message);
        }
    }
    errors.check()?;
    let mut words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let mut known = HashSet::new();
    words.retain(|word| known.insert(*word));
    Ok(words.join(" "))
}

/// The stores as they are kept, when each is there.
async fn check_stores(tx: &impl ConnectionTrait, given: &[StoreId]) -> Result<Value> {
    let mut errors = UserErrors::new();
    if given.len() > MOST_STORES {
        errors.push(
            Code::TooMany,
            "storeIds",
            format!("at most {MOST_STORES} can be given; give none for all"),
        );
    }
    errors.check()?;
    let found: HashSet<StoreId> = store::Entity::find()
        .select_only()
        .column(store::Column::Id)
        .filter(store::Column::Id.is_in(given.iter().map(|id| id.0)))
        .into_tuple()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let mut errors = UserErrors::new();
    for (n, id) in given.iter().enumerate() {
        if !found.contains(id) {
            errors.push(Code::NotFound, &format!("storeIds.{n}"), "no such store");
        }
    }
    errors.check()?;
    let mut stores = given.to_vec();
    let mut known = HashSet::new();
    stores.retain(|id| known.insert(*id));
    Ok(json!(stores))
}

impl Webhook {
    /// Of what it is told.
    pub fn kinds(&self) -> Vec<EventKind> {
        known(&self.row.kinds)
    }

    /// The stores that it is bound to; none for all.
    pub fn stores(&self) -> Vec<StoreId> {
        stores(&self.row)
    }
}
