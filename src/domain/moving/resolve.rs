//! Looks for what open references want, at the end of every import.
//!
//! A page of references is one transaction, so that it may be killed at any moment; the next import looks again.

use super::open::{self, Found};
use super::referrals::Chains;
use super::{cards, open::close};
use crate::access::{Action, Ctx, audit, sight};
use crate::db::{Batch, Engine, Tx, among, prefer_indexes};
use crate::domain::catalog::arrivals;
use crate::domain::customers::completeness::uncounted;
use crate::domain::customers::fill::{self as files, Reference};
use crate::domain::customers::keepers;
use crate::domain::organization;
use crate::error::Result;
use crate::events::{self, NewEvent};
use entity::customer_reference;
use entity::enums::OpenReferenceKind::{
    self, Card, Category, GiftFrom, HomeStore, Keeper, ReferredBy,
};
use entity::ids::{CategoryId, CustomerId, OpenReferenceId, ProductId, StaffId, StoreId};
use entity::{customer, product, staff};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// References looked at in one transaction.
const PAGE: u64 = 500;

/// Why a keeper is not appointed.
pub(super) const UNFIT: &str =
    "this member of staff is switched off, or has no role that looks after customers";
const CIRCLE: &str =
    "it would close a circle: that customer was referred by this one, directly or through others";
const TAKEN: &str = "something else stands there by now, and stays";
const PUT_AWAY: &str = "the customer's file was put away";
const MERGED: &str = "the customer's file was merged into another one";

/// Another system's number of a customer.
const BY_NUMBER: (&str, &str) = (
    "r.customer_id",
    "join customer_reference r on r.source = o.source and r.external_id = o.wanted",
);

/// What a kind of references is looked for by: the target's column, and the join.
const SEARCHES: [(&[OpenReferenceKind], (&str, &str)); 5] = [
    (&[Card], BY_NUMBER),
    (&[ReferredBy, GiftFrom], BY_NUMBER),
    (
        &[HomeStore],
        (
            "s.id",
            "join store s on s.code = o.wanted and s.archived_at is null",
        ),
    ),
    (&[Keeper], ("s.id", "join staff s on s.email = o.wanted")),
    (
        &[Category],
        (
            "c.id",
            "join category c on c.code = o.wanted and c.archived_at is null",
        ),
    ),
];

/// Resolves whatever can be.
pub(super) async fn all(ctx: &Ctx) -> Result<()> {
    for (kinds, search) in SEARCHES {
        let mut after: Option<OpenReferenceId> = None;
        loop {
            let found = open::found(ctx.db.read(), kinds, search, after, PAGE).await?;
            let Some(last) = found.last() else { break };
            after = Some(last.id);
            page(ctx, kinds, search, found).await?;
        }
    }
    Ok(())
}

async fn page(
    ctx: &Ctx,
    kinds: &[OpenReferenceKind],
    search: (&str, &str),
    found: Vec<Found>,
) -> Result<()> {
    let company = &*organization::settings(ctx).await?;
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return Ok(());
    };
    let (first, last) = (first.id, last.id);
    ctx.db
        .write(|tx| async move {
            prefer_indexes(&*tx).await?;
            // Read again: another import may have resolved some since.
            let before = Uuid::from_u128(first.0.as_u128().saturating_sub(1));
            let mut found =
                open::found(&*tx, kinds, search, Some(OpenReferenceId(before)), PAGE).await?;
            found.retain(|reference| reference.id <= last);
            match kinds {
                [Card] => cards::admit_waiting(&*tx, ctx, company, found)
                    .await
                    .map(|_| ()),
                [Category] => products(&tx, ctx, found).await,
                _ => customers(&tx, ctx, found).await,
            }
        })
        .await
}

fn subject(reference: &Found) -> Option<Uuid> {
    Uuid::parse_str(&reference.subject).ok()
}

/// Puts products into the categories that they waited for.
async fn products(tx: &Tx, ctx: &Ctx, found: Vec<Found>) -> Result<()> {
    let ids = found.iter().filter_map(subject).map(ProductId);
    let rows = product::Entity::find()
        .filter(among(Engine::of(&**tx), product::Column::Id, ids))
        .all(&**tx)
        .await?;
    let mut rows: HashMap<Uuid, product::Model> =
        rows.into_iter().map(|row| (row.id.0, row)).collect();
    let (mut closed, mut reasons) = (Vec::new(), Vec::new());
    let mut changed = Vec::new();
    for reference in &found {
        let Some(mut row) = subject(reference).and_then(|id| rows.remove(&id)) else {
            closed.push(reference.id);
            continue;
        };
        let target = CategoryId(reference.target);
        match row.category_id {
            None => {
                row.category_id = Some(target);
                row.version += 1;
                row.updated_at = ctx.now();
                changed.push(row);
                closed.push(reference.id);
            }
            Some(there) if there == target => closed.push(reference.id),
            Some(_) => reasons.push((reference, TAKEN)),
        }
    }
    close(&**tx, closed).await?;
    explain(tx, reasons).await?;
    if changed.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    arrivals::gather(&mut batch, &changed)?;
    let payload = json!({ "resolved": changed.len() });
    let entry = audit::Entry::new(ctx, "product.import").detail(payload.clone());
    audit::gather(&mut batch, &[entry]);
    batch.write(&**tx).await?;
    let event = NewEvent {
        kind: "products.imported",
        customer: None,
        store: None,
        subject: ProductId::new().into(),
        payload,
    };
    events::record(&**tx, ctx, &[event]).await
}

/// Notes why references stay open, where it was not noted before.
async fn explain(tx: &Tx, reasons: Vec<(&Found, &str)>) -> Result<()> {
    let news: Vec<(OpenReferenceId, &str)> = reasons
        .into_iter()
        .filter(|(reference, reason)| reference.reason != *reason)
        .map(|(reference, reason)| (reference.id, reason))
        .collect();
    open::explain(&**tx, &news).await
}

/// Fills in what customers' files waited for.
async fn customers(tx: &Tx, ctx: &Ctx, found: Vec<Found>) -> Result<()> {
    let engine = Engine::of(&**tx);
    let ids: Vec<CustomerId> = found.iter().filter_map(subject).map(CustomerId).collect();
    sight::lock_customers(&**tx, ctx, Action::CustomerManage, ids.clone()).await?;
    let rows = customer::Entity::find()
        .filter(among(engine, customer::Column::Id, ids))
        .all(&**tx)
        .await?;
    let before: HashMap<Uuid, customer::Model> =
        rows.into_iter().map(|row| (row.id.0, row)).collect();
    let referrers: Vec<CustomerId> = found
        .iter()
        .filter(|reference| reference.kind == ReferredBy)
        .map(|reference| CustomerId(reference.target))
        .collect();
    let mut chains = Chains::above(&**tx, &referrers).await?;
    let fit = fit(tx, &found).await?;
    let mut after = before.clone();
    let (mut closed, mut reasons) = (Vec::new(), Vec::new());
    for reference in &found {
        let Some(row) = subject(reference).and_then(|id| after.get_mut(&id)) else {
            closed.push(reference.id);
            continue;
        };
        let outcome = if row.archived_at.is_some() {
            Err(PUT_AWAY)
        } else if row.merged_into_id.is_some() {
            Err(MERGED)
        } else {
            settle(row, reference, &mut chains, &fit)
        };
        match outcome {
            Ok(()) => closed.push(reference.id),
            Err(reason) => reasons.push((reference, reason)),
        }
    }
    close(&**tx, closed).await?;
    explain(tx, reasons).await?;
    let mut changed: Vec<customer::Model> = after
        .into_values()
        .filter(|row| before.get(&row.id.0) != Some(row))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    changed.sort_unstable_by_key(|row| row.id);
    for row in &mut changed {
        row.version += 1;
        row.updated_at = ctx.now();
    }
    write(tx, ctx, &changed).await
}

/// Writes files that were filled in. Whoever's file nobody has changed since an import left it is as untouched as before.
async fn write(tx: &Tx, ctx: &Ctx, changed: &[customer::Model]) -> Result<()> {
    let ids: Vec<CustomerId> = changed.iter().map(|row| row.id).collect();
    let references = customer_reference::Entity::find()
        .filter(among(
            Engine::of(&**tx),
            customer_reference::Column::CustomerId,
            ids.iter().copied(),
        ))
        .all(&**tx)
        .await?;
    let versions: HashMap<CustomerId, i64> =
        changed.iter().map(|row| (row.id, row.version)).collect();
    let mut batch = Batch::new();
    files::files(&mut batch, changed);
    let untouched = references.into_iter().filter_map(|row| {
        let version = versions.get(&row.customer_id).copied()?;
        (row.version == Some(version - 1)).then_some(Reference {
            source: row.source,
            number: row.external_id,
            id: row.customer_id,
            version,
            is_new: false,
        })
    });
    files::references(&mut batch, untouched);
    let payload = json!({ "resolved": ids.len() });
    let entry = audit::Entry::new(ctx, "customer.import")
        .about(ids)
        .detail(payload.clone());
    audit::gather(&mut batch, &[entry]);
    batch.write(&**tx).await?;
    uncounted(&**tx, changed.iter().map(|row| row.id)).await?;
    let event = NewEvent {
        kind: "customers.imported",
        customer: None,
        store: None,
        subject: CustomerId::new().into(),
        payload,
    };
    events::record(&**tx, ctx, &[event]).await
}

/// Who of the wanted keepers may keep customers.
async fn fit(tx: &Tx, found: &[Found]) -> Result<HashSet<StaffId>> {
    let wanted: Vec<Uuid> = found
        .iter()
        .filter(|reference| reference.kind == Keeper)
        .map(|reference| reference.target)
        .collect();
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let addresses: Vec<String> = staff::Entity::find()
        .filter(staff::Column::Id.is_in(wanted))
        .all(&**tx)
        .await?
        .into_iter()
        .map(|row| row.email)
        .collect();
    Ok(keepers::by_address(&**tx, addresses)
        .await?
        .into_values()
        .filter_map(|(id, is_fit)| is_fit.then_some(id))
        .collect())
}

/// Takes what a reference tells into a file; otherwise why not.
fn settle(
    row: &mut customer::Model,
    reference: &Found,
    chains: &mut Chains,
    fit: &HashSet<StaffId>,
) -> Result<(), &'static str> {
    let target = reference.target;
    match reference.kind {
        ReferredBy => match row.referred_by_id {
            Some(there) if there.0 == target => Ok(()),
            Some(_) => Err(TAKEN),
            None if !chains.add(row.id, CustomerId(target)) => Err(CIRCLE),
            None => {
                row.referred_by_id = Some(CustomerId(target));
                Ok(())
            }
        },
        GiftFrom => put(&mut row.gift_from_id, CustomerId(target), None),
        HomeStore => {
            let instead_of = reference.instead_of.map(StoreId);
            put(&mut row.home_store_id, StoreId(target), instead_of)
        }
        Keeper if !fit.contains(&StaffId(target)) => Err(UNFIT),
        Keeper => put(&mut row.keeper_id, StaffId(target), None),
        Category | Card => Ok(()),
    }
}

fn put<Id: PartialEq>(
    place: &mut Option<Id>,
    target: Id,
    instead_of: Option<Id>,
) -> Result<(), &'static str> {
    match place {
        Some(there) if *there == target => Ok(()),
        Some(_) if *place != instead_of => Err(TAKEN),
        _ => {
            *place = Some(target);
            Ok(())
        }
    }
}
