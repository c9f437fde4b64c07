//! Making, changing and putting away groups.
//!
//! Called through [`super`]. Managers may for groups of their own stores, whoever works for the whole company for all of
//! them; the keeper of a group may change its name, its description and its keeper, but not whose store it is.

use super::MOST;
use crate::access::sight::Reach;
use crate::access::{Action, Ctx, policy};
use crate::domain::organization::change::{Told, alone, check_version, put};
use crate::domain::organization::{self, fixed};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use entity::customer_group::{Column, Entity, Model};
use entity::enums::Role;
use entity::ids::{GroupId, StaffId, StoreId};
use entity::values::text::clean_optional_text;
use entity::values::{Collation, clean_line};
use entity::{staff, staff_grant, store};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    Iterable, PaginatorTrait, QueryFilter, QuerySelect, TryIntoModel,
};
use serde_json::json;

/// Characters of a name at most.
const NAME_CHARS: usize = 200;
/// Characters of a description at most.
const DESCRIPTION_CHARS: usize = 1000;
/// The key of the advisory lock that whoever gives a group a name has to themselves: names and number are counted.
const LOCK: i64 = i64::from_be_bytes(*b"group\0\0\0");

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who looks after it.
    pub keeper: Option<StaffId>,
    /// The store whose club it is; none where it is the whole company's.
    pub store: Option<StoreId>,
}

/// A change of a group; what is left out stays, inside `None` clears.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// Who looks after it.
    pub keeper: Option<Option<StaffId>>,
    /// The store whose club it is.
    pub store: Option<Option<StoreId>>,
}

fn parse_name(errors: &mut UserErrors, text: &str) -> Option<String> {
    errors.take("name", text_code, clean_line(text, NAME_CHARS))
}

fn parse_description(errors: &mut UserErrors, text: Option<&str>) -> Option<String> {
    errors
        .take(
            "description",
            text_code,
            clean_optional_text(text?, DESCRIPTION_CHARS),
        )
        .flatten()
}

/// Makes a group.
///
/// # Errors
/// User errors: a store that is not the viewer's, a keeper who may not see customers, a name that is taken; as
/// [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewGroup) -> Result<Model> {
    ctx.require(Action::GroupManage)?;
    let company = &*organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let name = parse_name(&mut errors, &new.name);
    let description = &parse_description(&mut errors, new.description.as_deref());
    errors.check()?;
    let name = &name.ok_or_else(|| Error::internal("no name and no error"))?;
    ctx.db
        .write(|tx| async move {
            fixed::hold_locale(&*tx, ctx, company.locale.as_str()).await?;
            alone(&*tx, LOCK).await?;
            if Entity::find().count(&*tx).await? >= MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "",
                    format!("there are {MOST} groups already; use one of them"),
                ));
            }
            check_store(&*tx, ctx, new.store).await?;
            check_keeper(&*tx, new.keeper).await?;
            let now = ctx.now();
            let row = Model {
                id: GroupId::new(),
                name: name.clone(),
                name_key: name_key(&company.collation, name),
                description: description.clone(),
                keeper_id: new.keeper,
                store_id: new.store,
                archived_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            check_name(&*tx, &row).await?;
            let row = row.into_active_model().reset_all().insert(&*tx).await?;
            told(("group.created", "group.create"), &row, &[])
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

fn name_key(collation: &Collation, name: &str) -> Vec<u8> {
    collation.key(name).into_bytes()
}

/// Changes a group.
///
/// # Errors
/// As [`create`]; [`Code::NotAllowed`] for somebody who sees the group and neither manages nor keeps it.
pub async fn change(ctx: &Ctx, id: GroupId, change: &GroupChange) -> Result<Model> {
    ctx.require(Action::GroupRead)?;
    let company = &*organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let name = &change
        .name
        .as_ref()
        .and_then(|name| parse_name(&mut errors, name));
    let description = &change
        .description
        .as_ref()
        .map(|text| parse_description(&mut errors, text.as_deref()));
    errors.check()?;
    ctx.db
        .write(|tx| async move {
            // Names before the row: everyone locks in this order.
            if change.name.is_some() || change.store.is_some() {
                alone(&*tx, LOCK).await?;
            }
            let row = locked(&*tx, id).await?;
            let manages = manages(&*tx, ctx, row.store_id).await?;
            let keeps = row.keeper_id.is_some() && row.keeper_id == ctx.viewer.staff_id();
            if !manages && !keeps {
                return Err(not_theirs());
            }
            check_version(change.version, row.version)?;
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            if put(&mut fields, "name", name.clone(), &mut active.name) {
                active.name_key = Set(name_key(&company.collation, active.name.as_ref()));
            }
            let given = description.clone();
            put(&mut fields, "description", given, &mut active.description);
            if put(&mut fields, "keeper", change.keeper, &mut active.keeper_id) {
                check_keeper(&*tx, *active.keeper_id.as_ref()).await?;
            }
            if put(&mut fields, "store", change.store, &mut active.store_id) {
                if !manages {
                    return Err(Error::user(
                        Code::NotAllowed,
                        "storeId",
                        "whose store a group is, is said by those who manage groups",
                    ));
                }
                check_store(&*tx, ctx, *active.store_id.as_ref()).await?;
            }
            if fields.is_empty() {
                return Ok(row);
            }
            check_name(&*tx, &active.clone().try_into_model()?).await?;
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            told(("group.changed", "group.change"), &row, &fields)
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Puts a group away, or takes it out again. Its members stay in it; nobody joins one that was put away.
///
/// # Errors
/// User errors, such as a stale version or a group of somebody else's store; as [`Ctx::require`]; those of the database.
pub async fn archive(ctx: &Ctx, id: GroupId, version: i64, archived: bool) -> Result<Model> {
    ctx.require(Action::GroupManage)?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id).await?;
            if !manages(&*tx, ctx, row.store_id).await? {
                return Err(not_theirs());
            }
            check_version(version, row.version)?;
            if row.archived_at.is_some() == archived {
                return Ok(row);
            }
            let mut active = row.clone().into_active_model();
            active.archived_at = Set(archived.then(|| ctx.now()));
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = if archived {
                ("group.archived", "group.archive")
            } else {
                ("group.unarchived", "group.unarchive")
            };
            told(words, &row, &[]).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

fn not_theirs() -> Error {
    Error::user(
        Code::NotAllowed,
        "id",
        "this group is not of your stores, and you do not keep it; ask its keeper or headquarters",
    )
}

async fn locked(tx: &impl ConnectionTrait, id: GroupId) -> Result<Model> {
    Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "group"))
}

/// May the viewer manage the groups of this store, or those of the whole company?
async fn manages(tx: &impl ConnectionTrait, ctx: &Ctx, store: Option<StoreId>) -> Result<bool> {
    let reach = Reach::of(&ctx.viewer, Action::GroupManage);
    if reach == Reach::Company {
        return Ok(true);
    }
    let Some(store) = store else { return Ok(false) };
    let theirs = store::Entity::find_by_id(store)
        .filter(reach.covers(Expr::col((store::Entity, store::Column::Id))));
    Ok(theirs.one(tx).await?.is_some())
}

async fn check_store(tx: &impl ConnectionTrait, ctx: &Ctx, store: Option<StoreId>) -> Result<()> {
    let field = "storeId";
    if let Some(id) = store {
        let found = store::Entity::find_by_id(id).one(tx).await?;
        let found = found.ok_or_else(|| Error::not_found(field, "store"))?;
        if found.archived_at.is_some() {
            return Err(Error::user(
                Code::WrongState,
                field,
                "the store has closed for good; choose another",
            ));
        }
    }
    if manages(tx, ctx, store).await? {
        return Ok(());
    }
    Err(Error::user(
        Code::NotAllowed,
        field,
        "you manage the groups of your own stores; name one of them as storeId",
    ))
}

/// A keeper can sign in and may see customers somewhere.
async fn check_keeper(tx: &impl ConnectionTrait, keeper: Option<StaffId>) -> Result<()> {
    let Some(keeper) = keeper else { return Ok(()) };
    let field = "keeperId";
    let known = staff::Entity::find_by_id(keeper)
        .filter(staff::Column::DisabledAt.is_null())
        .one(tx)
        .await?;
    if known.is_none() {
        return Err(Error::not_found(field, "member of staff"));
    }
    let roles = Role::iter().filter(|role| policy::allows(Action::GroupRead, *role));
    let grant = staff_grant::Entity::find()
        .filter(staff_grant::Column::StaffId.eq(keeper))
        .filter(staff_grant::Column::Role.is_in(roles));
    if grant.one(tx).await?.is_none() {
        return Err(Error::user(
            Code::NotAllowed,
            field,
            "keeperId is a member of staff who sees no customers; choose another",
        ));
    }
    Ok(())
}

/// No two groups of one store, or of the whole company, have a name that reads alike.
async fn check_name(tx: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let mut alike = Entity::find()
        .filter(Column::NameKey.eq(row.name_key.clone()))
        .filter(Column::Id.ne(row.id));
    alike = match row.store_id {
        Some(store) => alike.filter(Column::StoreId.eq(store)),
        None => alike.filter(Column::StoreId.is_null()),
    };
    match alike.one(tx).await? {
        None => Ok(()),
        Some(other) => Err(Error::user(
            Code::Taken,
            "name",
            if other.archived_at.is_some() {
                "a group of this name was put away; take it out again, or choose another name"
            } else {
                "there is a group of this name already; use it, or choose another name"
            },
        )),
    }
}

fn told(words: (&'static str, &'static str), row: &Model, fields: &[&str]) -> Told {
    Told {
        words,
        what: "group",
        id: row.id.into(),
        store: row.store_id,
        detail: json!({ "fields": fields }),
    }
}
