//! What the file refers to: who referred whom, whose gift brought them, which store is their home, who keeps
//! them. Each must exist, be in sight, and make sense.
//!
//! Called by [`super::create`], [`super::change`] and [`super::keeper`] with the transaction that writes, or
//! with the reading connection when the input is refused already and all its errors are gathered.

use crate::access::sight::{self, Reach};
use crate::access::{Action, Ctx, Place, Viewer, policy};
use crate::db::Sql;
use crate::error::{Code, Result, UserErrors};
use entity::customer::{self, ActiveModel};
use entity::enums::Role;
use entity::ids::{CustomerId, StaffId, StoreId};
use entity::{staff, staff_grant, store};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, EntityTrait, Iterable, QueryFilter,
    QuerySelect,
};

/// Checks what the columns to be written refer to; `own` is the customer's id when they exist already.
///
/// # Errors
/// Those of the database; what the caller can put right goes to `errors`.
pub(super) async fn check(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    row: &ActiveModel,
    own: Option<CustomerId>,
    errors: &mut UserErrors,
) -> Result<()> {
    for (column, field) in [
        (&row.referred_by_id, "referredById"),
        (&row.gift_from_id, "giftFromId"),
    ] {
        let ActiveValue::Set(Some(other)) = column else {
            continue;
        };
        if Some(*other) == own {
            errors.push(
                Code::Invalid,
                field,
                format!("{field} is the customer themself; name another customer"),
            );
        } else if !in_sight(connection, ctx, *other).await? {
            errors.push(Code::NotFound, field, "no such customer");
        } else if let Some(own) = own
            && field == "referredById"
            && closes_circle(connection, own, *other).await?
        {
            errors.push(
                Code::Invalid,
                field,
                "referredById would close a circle: that customer was referred by this one, directly or through others",
            );
        }
    }
    if let ActiveValue::Set(home) = row.home_store_id {
        home_store(connection, ctx, home, own.is_some(), errors).await?;
    }
    Ok(())
}

async fn in_sight(connection: &impl ConnectionTrait, ctx: &Ctx, id: CustomerId) -> Result<bool> {
    let found = customer::Entity::find_by_id(id)
        .select_only()
        .column(customer::Column::Id)
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .into_tuple::<CustomerId>()
        .one(connection)
        .await?;
    Ok(found.is_some())
}

/// Was `referrer` referred by `own`, directly or through others?
///
/// # Errors
/// Those of the database.
pub(super) async fn closes_circle(
    connection: &impl ConnectionTrait,
    own: CustomerId,
    referrer: CustomerId,
) -> Result<bool> {
    let mut sql = Sql::for_connection(connection);
    // Two changes at the same time could close a circle that neither sees: they go one after the other.
    // SQLite has one writer anyway.
    if sql.engine() == crate::db::Engine::Postgres {
        let mut lock = Sql::for_connection(connection);
        lock.push("select pg_advisory_xact_lock(hashtextextended('customer.referred_by', 0))");
        connection.execute_raw(lock.build()).await?;
    }
    // `union` drops what was seen, so the walk ends even if there were a circle.
    sql.push("with recursive chain (id) as (select referred_by_id from customer where id = ")
        .bind(referrer)
        .push(" union select customer.referred_by_id from customer join chain on customer.id = chain.id)")
        .push(" select 1 from chain where id = ")
        .bind(own)
        .push(" limit 1");
    Ok(connection.query_one_raw(sql.build()).await?.is_some())
}

async fn home_store(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    home: Option<StoreId>,
    exists: bool,
    errors: &mut UserErrors,
) -> Result<()> {
    let field = "homeStoreId";
    let reach = Reach::of(&ctx.viewer, Action::CustomerWrite);
    let Some(home) = home else {
        // Somebody bound to places would lose the customer out of sight.
        if exists && reach != Reach::Company {
            errors.push(
                Code::NotAllowed,
                field,
                "homeStoreId cannot be taken away by somebody who works for certain stores only",
            );
        }
        return Ok(());
    };
    let known = store::Entity::find_by_id(home).one(connection).await?;
    match known {
        None => errors.push(Code::NotFound, field, "no such store"),
        Some(store) if store.archived_at.is_some() => {
            errors.push(
                Code::WrongState,
                field,
                "homeStoreId is a store that has closed",
            );
        }
        Some(_) => {
            let covered = store::Entity::find_by_id(home)
                .filter(reach.covers(Expr::col((store::Entity, store::Column::Id))))
                .one(connection)
                .await?;
            if covered.is_none() {
                errors.push(
                    Code::NotAllowed,
                    field,
                    "homeStoreId is not one of your stores",
                );
            }
        }
    }
    Ok(())
}

/// The home store of a customer for whom none was named: the writer's own, when they work in one store.
/// None for those who work for the whole company.
pub(super) fn own_store(ctx: &Ctx, errors: &mut UserErrors) -> Option<StoreId> {
    match Reach::of(&ctx.viewer, Action::CustomerWrite) {
        Reach::Company => None,
        Reach::Places { regions, stores } => match (regions.as_slice(), stores.as_slice()) {
            ([], [only]) => Some(*only),
            _ => errors.none(
                Code::Required,
                "homeStoreId",
                "homeStoreId must say which of your stores is the customer's home",
            ),
        },
    }
}

/// Checks that this member of staff can keep customers: signed on, in a role that looks after them, and within
/// the reach of whoever appoints them.
///
/// # Errors
/// Those of the database; what the caller can put right goes to `errors`.
pub(super) async fn keeper(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    keeper: StaffId,
    errors: &mut UserErrors,
) -> Result<()> {
    let field = "keeperId";
    let known = staff::Entity::find_by_id(keeper)
        .filter(staff::Column::DisabledAt.is_null())
        .one(connection)
        .await?;
    if known.is_none() {
        errors.push(Code::NotFound, field, "no such member of staff");
        return Ok(());
    }
    let roles = Role::iter().filter(|role| policy::allows(Action::ContactRead, *role));
    let mut grants = staff_grant::Entity::find()
        .filter(staff_grant::Column::StaffId.eq(keeper))
        .filter(staff_grant::Column::Role.is_in(roles));
    let reach = Reach::of(&ctx.viewer, Action::CustomerManage);
    if let Reach::Places { regions, .. } = &reach {
        let everywhere = Condition::all()
            .add(staff_grant::Column::RegionId.is_null())
            .add(staff_grant::Column::StoreId.is_null());
        let mut any = Condition::any()
            .add(everywhere)
            .add(reach.covers(Expr::col((
                staff_grant::Entity,
                staff_grant::Column::StoreId,
            ))));
        if !regions.is_empty() {
            any = any.add(staff_grant::Column::RegionId.is_in(regions.iter().map(|id| id.0)));
        }
        grants = grants.filter(any);
    }
    if grants.one(connection).await?.is_none() {
        errors.push(
            Code::NotAllowed,
            field,
            "keeperId is a member of staff who does not look after customers in your stores",
        );
    }
    Ok(())
}

/// The viewer with only those roles that show every customer of their places in full: without the associate's. A
/// client's scope is such a one.
pub(super) fn as_manager(viewer: &Viewer) -> Option<Viewer> {
    let staff = match viewer {
        Viewer::Staff(staff) => staff,
        Viewer::Client(_) => return viewer.may(Action::ContactRead).then(|| viewer.clone()),
        Viewer::Anonymous | Viewer::System => return None,
    };
    let grants: Vec<_> = staff
        .grants
        .iter()
        .filter(|grant| {
            grant.role != Role::Associate && policy::allows(Action::ContactRead, grant.role)
        })
        .cloned()
        .collect();
    (!grants.is_empty()).then(|| {
        Viewer::Staff(std::sync::Arc::new(crate::access::StaffViewer {
            id: staff.id,
            session: staff.session,
            grants,
        }))
    })
}

/// Does the viewer hold this role anywhere?
pub(super) fn holds(viewer: &Viewer, role: Role) -> bool {
    match viewer {
        Viewer::Staff(staff) => staff.grants.iter().any(|grant| grant.role == role),
        _ => false,
    }
}

/// Is the viewer bound to nothing in what this allows?
pub(super) fn everywhere(viewer: &Viewer, action: Action) -> bool {
    matches!(viewer, Viewer::System) || viewer.places(action).any(|place| place == Place::Company)
}
