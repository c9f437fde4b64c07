//! Reading staff: lists, single accounts, and the names of colleagues.
//!
//! Called by `graphql/organization`, its loader and the commands for staff. Who manages stores sees those who
//! hold a role in them; everybody sees the names of the colleagues whom they meet in what they may read.

use super::stores::contains;
use super::{by_name, grants};
use crate::access::sight::Reach;
use crate::access::{Action, Ctx, Grant, Viewer};
use crate::db::{Page, PageRequest, Sort};
use crate::error::Result;
use entity::enums::Role;
use entity::ids::{StaffId, StoreId};
use entity::values::Email;
use entity::{staff, staff_grant};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};

/// A member of staff as the viewer sees them.
#[derive(Clone, Debug)]
pub struct StaffMember {
    /// The account. Its hash of the password goes nowhere.
    pub row: staff::Model,
    /// Their roles.
    pub grants: Vec<Grant>,
    /// May the viewer see the address and the roles? Else only the name.
    pub in_full: bool,
}

/// Which staff a list has; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct StaffFilter {
    /// Part of the name; letters A to Z match in either case.
    pub query: Option<String>,
    /// Exactly this address.
    pub email: Option<String>,
    /// Who holds this role.
    pub role: Option<Role>,
    /// Who holds a role in this very store.
    pub store: Option<StoreId>,
    /// Who can, or cannot, sign in.
    pub enabled: Option<bool>,
}

fn holders() -> SelectStatement {
    Query::select()
        .column(staff_grant::Column::StaffId)
        .from(staff_grant::Entity)
        .to_owned()
}

fn id() -> Expr {
    Expr::col((staff::Entity, staff::Column::Id))
}

/// Those whom the viewer may read: everybody, or who holds a role in the viewer's regions and stores.
fn in_reach(ctx: &Ctx) -> Condition {
    let reach = Reach::of(&ctx.viewer, Action::StaffRead);
    let Reach::Places { regions, .. } = &reach else {
        return Condition::all();
    };
    let mut held = reach.covers(Expr::col((
        staff_grant::Entity,
        staff_grant::Column::StoreId,
    )));
    if !regions.is_empty() {
        held = Condition::any()
            .add(held)
            .add(staff_grant::Column::RegionId.is_in(regions.iter().map(|id| id.0)));
    }
    Condition::all().add(id().in_subquery(holders().cond_where(held).to_owned()))
}

fn condition(ctx: &Ctx, filter: &StaffFilter) -> Condition {
    let mut all = in_reach(ctx);
    if let Some(query) = filter
        .query
        .as_deref()
        .filter(|query| !query.trim().is_empty())
    {
        all = all.add(contains(ctx, "staff", &["name"], query));
    }
    if let Some(email) = &filter.email {
        // What is no address is nobody's.
        let email =
            Email::parse(email).map_or_else(|_| String::new(), |email| email.normal().to_owned());
        all = all.add(staff::Column::Email.eq(email));
    }
    if filter.role.is_some() || filter.store.is_some() {
        let mut held = Condition::all();
        if let Some(role) = filter.role {
            held = held.add(staff_grant::Column::Role.eq(role));
        }
        if let Some(store) = filter.store {
            held = held.add(staff_grant::Column::StoreId.eq(store.0));
        }
        all = all.add(id().in_subquery(holders().cond_where(held).to_owned()));
    }
    all.add_option(filter.enabled.map(|enabled| {
        if enabled {
            staff::Column::DisabledAt.is_null()
        } else {
            staff::Column::DisabledAt.is_not_null()
        }
    }))
}

/// A page of staff in the order of their names, as the company's locale has it.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn list(
    ctx: &Ctx,
    filter: &StaffFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<StaffMember>> {
    ctx.require(Action::StaffRead)?;
    let named: Vec<(StaffId, String)> = staff::Entity::find()
        .filter(condition(ctx, filter))
        .select_only()
        .columns([staff::Column::Id, staff::Column::Name])
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    let page = by_name::page(named, &super::settings(ctx).await?.collation, sort, page)?;
    let rows = staff::Entity::find()
        .filter(staff::Column::Id.is_in(page.items.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?;
    let mut rows: HashMap<StaffId, staff::Model> =
        rows.into_iter().map(|row| (row.id, row)).collect();
    let mut held = grants::load(ctx.db.read(), &page.items).await?;
    Ok(page.keep(|id| {
        Some(StaffMember {
            row: rows.remove(&id)?,
            grants: held.remove(&id).unwrap_or_default(),
            in_full: true,
        })
    }))
}

/// How many the list has.
///
/// # Errors
/// As [`list`].
pub async fn count(ctx: &Ctx, filter: &StaffFilter) -> Result<u64> {
    ctx.require(Action::StaffRead)?;
    Ok(staff::Entity::find()
        .filter(condition(ctx, filter))
        .count(ctx.db.read())
        .await?)
}

/// One account, if the viewer may read it in full: their own, or one in reach.
///
/// # Errors
/// [`crate::error::Error::Unauthenticated`]; those of the database.
pub async fn by_id(ctx: &Ctx, id: StaffId) -> Result<Option<StaffMember>> {
    let found = colleagues(ctx, &[id]).await?.remove(&id);
    Ok(found.filter(|member| member.in_full))
}

/// Colleagues by their ids: their names, and the rest where the viewer may see it. For what refers to staff.
///
/// # Errors
/// As [`by_id`].
pub async fn colleagues(ctx: &Ctx, ids: &[StaffId]) -> Result<HashMap<StaffId, StaffMember>> {
    // A program of a third party is no colleague: the people of the house are nobody to it, wherever they stand.
    if matches!(ctx.viewer, Viewer::Client(_)) {
        return Ok(HashMap::new());
    }
    ctx.require(Action::OrganizationRead)?;
    let among = || staff::Column::Id.is_in(ids.iter().map(|id| id.0));
    let rows = staff::Entity::find()
        .filter(among())
        .all(ctx.db.read())
        .await?;
    let mut readable: HashSet<StaffId> = ctx.viewer.staff_id().into_iter().collect();
    if ctx.viewer.may(Action::StaffRead) {
        if Reach::of(&ctx.viewer, Action::StaffRead) == Reach::Company {
            readable.extend(ids);
        } else {
            let rows = staff::Entity::find()
                .filter(among())
                .filter(in_reach(ctx))
                .all(ctx.db.read())
                .await?;
            readable.extend(rows.iter().map(|row| row.id));
        }
    }
    let mut held = grants::load(ctx.db.read(), ids).await?;
    let members = rows.into_iter().map(|row| {
        let member = StaffMember {
            grants: held.remove(&row.id).unwrap_or_default(),
            in_full: readable.contains(&row.id),
            row,
        };
        (member.row.id, member)
    });
    Ok(members.collect())
}

/// The account with this address, for commands.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn by_email(ctx: &Ctx, email: &Email) -> Result<Option<StaffMember>> {
    ctx.require(Action::StaffManage)?;
    let found = staff::Entity::find()
        .filter(staff::Column::Email.eq(email.normal()))
        .one(ctx.db.read())
        .await?;
    match found {
        Some(row) => Ok(colleagues(ctx, &[row.id]).await?.remove(&row.id)),
        None => Ok(None),
    }
}

/// All accounts in the order of their names, for commands.
///
/// # Errors
/// As [`by_email`].
pub async fn all(ctx: &Ctx) -> Result<Vec<StaffMember>> {
    ctx.require(Action::StaffManage)?;
    let mut rows = staff::Entity::find().all(ctx.db.read()).await?;
    let company = super::settings(ctx).await?;
    rows.sort_by_cached_key(|row| (company.collation.key(&row.name), row.id));
    let mut members = Vec::with_capacity(rows.len());
    // Some thousands of ids at a time: both engines bind at most some 32,000 values.
    for chunk in rows.chunks(5000) {
        let ids: Vec<StaffId> = chunk.iter().map(|row| row.id).collect();
        let mut held = grants::load(ctx.db.read(), &ids).await?;
        members.extend(chunk.iter().map(|row| StaffMember {
            grants: held.remove(&row.id).unwrap_or_default(),
            row: row.clone(),
            in_full: true,
        }));
    }
    Ok(members)
}
