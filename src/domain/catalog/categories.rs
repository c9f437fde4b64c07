//! Categories: a tree, small by nature.

use super::{Names, parse_names};
use crate::access::{Action, Ctx};
use crate::domain::organization::change::{Told, alone, check_free, check_version, put};
use crate::domain::organization::{self, parse_code};
use crate::error::{Code, Error, Result, UserErrors};
use entity::category::{ActiveModel, Column, Entity, Model};
use entity::ids::CategoryId;
use entity::values::{LanguageTag, LocalizedText};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// Categories at most: they are listed whole.
pub const MOST: usize = 1000;
/// Levels of the tree at most.
pub const DEEPEST: usize = 8;

/// A category to be made.
#[derive(Clone, Debug)]
pub struct NewCategory {
    /// The company's own short name for it, unique.
    pub code: String,
    /// The name in several languages.
    pub names: Names,
    /// The category that it is a part of.
    pub parent: Option<CategoryId>,
}

/// A change of a category; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct CategoryChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The company's own short name for it, unique.
    pub code: Option<String>,
    /// The name, in all its languages.
    pub names: Option<Names>,
    /// The category that it is a part of; inside `None` moves it to the top.
    pub parent: Option<Option<CategoryId>>,
}

/// All categories in the order of their names in the company's own language.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn all(ctx: &Ctx) -> Result<Vec<Model>> {
    ctx.require(Action::CatalogRead)?;
    let rows = Entity::find().all(ctx.db.read()).await?;
    in_order(ctx, rows).await
}

async fn in_order(ctx: &Ctx, mut rows: Vec<Model>) -> Result<Vec<Model>> {
    let company = organization::settings(ctx).await?;
    let own = own_language(&company.locale)?;
    rows.sort_by_cached_key(|row| {
        let name = names(row).map(|names| names.in_language(&own, &own).to_owned());
        (
            company
                .collation
                .key(&name.unwrap_or_default())
                .into_bytes(),
            row.id,
        )
    });
    Ok(rows)
}

/// The name of a category as it is kept.
///
/// # Errors
/// [`Error::Internal`] when it is none, which only a defect or a foreign hand does.
pub fn names(row: &Model) -> Result<LocalizedText> {
    serde_json::from_value(row.names.clone())
        .map_err(|error| Error::internal(format!("names of a category: {error}")))
}

/// The company's own language.
///
/// # Errors
/// [`Error::Internal`] when the locale is none.
pub fn own_language(locale: &str) -> Result<LanguageTag> {
    LanguageTag::parse(locale).map_err(|error| Error::internal(format!("the locale {error}")))
}

/// Categories by their ids; what does not exist is left out.
///
/// # Errors
/// As [`all`].
pub async fn by_ids(ctx: &Ctx, ids: &[CategoryId]) -> Result<Vec<Model>> {
    ctx.require(Action::CatalogRead)?;
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?)
}

/// The parts of categories, in the order of their names.
///
/// # Errors
/// As [`all`].
pub async fn parts_of(ctx: &Ctx, ids: &[CategoryId]) -> Result<Vec<Model>> {
    ctx.require(Action::CatalogRead)?;
    let rows = Entity::find()
        .filter(Column::ParentId.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?;
    in_order(ctx, rows).await
}

/// Makes a category.
///
/// # Errors
/// User errors, such as a code that is in use; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewCategory) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    let mut errors = UserErrors::new();
    let code = parse_code(&mut errors, "code", &new.code);
    let names = parse_names(&mut errors, &new.names);
    errors.check()?;
    let (Some(code), Some(names)) = (&code, &names) else {
        return Err(Error::internal("a parsed category is not whole"));
    };
    ctx.db
        .write(|tx| async move {
            let tree = Tree::lock(&*tx).await?;
            if tree.parents.len() >= MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "",
                    format!("there are {MOST} categories already; use one of them"),
                ));
            }
            check_free::<Entity>(&*tx, Column::Code, code, "code").await?;
            tree.check_place(None, new.parent)?;
            let now = ctx.now();
            let row = ActiveModel {
                id: Set(CategoryId::new()),
                parent_id: Set(new.parent),
                code: Set(code.clone()),
                names: Set(json!(names)),
                archived_at: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            told(("category.created", "category.create"), &row, &[])
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Changes a category, or moves it within the tree with all its parts.
///
/// # Errors
/// As [`create`].
pub async fn update(ctx: &Ctx, id: CategoryId, change: &CategoryChange) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    let mut errors = UserErrors::new();
    let code = change
        .code
        .as_ref()
        .and_then(|code| parse_code(&mut errors, "code", code));
    let names = change
        .names
        .as_ref()
        .and_then(|names| parse_names(&mut errors, names));
    errors.check()?;
    let (code, names) = (&code, &names);
    ctx.db
        .write(|tx| async move {
            // The tree before the row: everyone locks in this order.
            let tree = match change.parent {
                Some(_) => Some(Tree::lock(&*tx).await?),
                None => None,
            };
            let row = locked(&*tx, id, change.version).await?;
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            if put(&mut fields, "code", code.clone(), &mut active.code) {
                check_free::<Entity>(&*tx, Column::Code, active.code.as_ref(), "code").await?;
            }
            let names = names.as_ref().map(|names| json!(names));
            put(&mut fields, "names", names, &mut active.names);
            if put(&mut fields, "parent", change.parent, &mut active.parent_id)
                && let Some(tree) = &tree
            {
                tree.check_place(Some(id), *active.parent_id.as_ref())?;
            }
            if fields.is_empty() {
                return Ok(row);
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            told(("category.updated", "category.update"), &row, &fields)
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Puts a category away, or takes it out again. Its parts and products stay as they are; no product is put into it.
///
/// # Errors
/// User errors, such as a stale version; as [`Ctx::require`]; those of the database.
pub async fn archive(ctx: &Ctx, id: CategoryId, version: i64, archived: bool) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id, version).await?;
            if row.archived_at.is_some() == archived {
                return Ok(row);
            }
            let mut active = row.clone().into_active_model();
            active.archived_at = Set(archived.then(|| ctx.now()));
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = if archived {
                ("category.archived", "category.archive")
            } else {
                ("category.restored", "category.restore")
            };
            told(words, &row, &[]).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

/// A category into which a product can be put.
pub(super) async fn check_open(
    tx: &impl ConnectionTrait,
    id: CategoryId,
    field: &str,
) -> Result<()> {
    match Entity::find_by_id(id).one(tx).await? {
        None => Err(Error::not_found(field, "category")),
        Some(row) if row.archived_at.is_some() => Err(Error::user(
            Code::WrongState,
            field,
            "the category was put away; take it out again, or choose another",
        )),
        Some(_) => Ok(()),
    }
}

/// How many categories there are.
///
/// # Errors
/// As [`all`].
pub async fn count(ctx: &Ctx) -> Result<u64> {
    ctx.require(Action::CatalogRead)?;
    Ok(Entity::find().count(ctx.db.read()).await?)
}

/// Who is a part of whom, locked: two moves at once could close a circle that neither of them sees.
struct Tree {
    parents: HashMap<CategoryId, Option<CategoryId>>,
}

/// The key of the advisory lock that whoever changes the tree has to themselves.
const LOCK: i64 = i64::from_be_bytes(*b"category");

impl Tree {
    async fn lock(tx: &impl ConnectionTrait) -> Result<Self> {
        alone(tx, LOCK).await?;
        let rows: Vec<(CategoryId, Option<CategoryId>)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::ParentId])
            .into_tuple()
            .all(tx)
            .await?;
        Ok(Self {
            parents: rows.into_iter().collect(),
        })
    }

    /// Levels from the top down to this one, 1 at the top.
    fn level(&self, mut id: CategoryId) -> usize {
        let mut seen = HashSet::from([id]);
        while let Some(Some(parent)) = self.parents.get(&id) {
            if !seen.insert(*parent) {
                break;
            }
            id = *parent;
        }
        seen.len()
    }

    /// Is `id` the other one, or a part of it on whatever level?
    fn is_within(&self, mut id: CategoryId, other: CategoryId) -> bool {
        for _ in 0..=self.parents.len() {
            if id == other {
                return true;
            }
            match self.parents.get(&id) {
                Some(Some(parent)) => id = *parent,
                _ => return false,
            }
        }
        true
    }

    /// Levels that a category has below it.
    fn height(&self, id: CategoryId) -> usize {
        let within = self
            .parents
            .keys()
            .filter(|part| self.is_within(**part, id));
        let deepest = within.map(|part| self.level(*part)).max();
        deepest.unwrap_or_default().saturating_sub(self.level(id))
    }

    /// May the category, or a new one, be a part of this parent?
    fn check_place(&self, id: Option<CategoryId>, parent: Option<CategoryId>) -> Result<()> {
        let Some(parent) = parent else { return Ok(()) };
        if !self.parents.contains_key(&parent) {
            return Err(Error::not_found("parentId", "category"));
        }
        if id.is_some_and(|id| self.is_within(parent, id)) {
            return Err(Error::user(
                Code::Invalid,
                "parentId",
                "a category cannot be a part of itself or of its own parts",
            ));
        }
        let below = id.map_or(0, |id| self.height(id));
        if self.level(parent) + 1 + below > DEEPEST {
            return Err(Error::user(
                Code::OutOfRange,
                "parentId",
                format!(
                    "the tree would have more than {DEEPEST} levels; choose a category nearer to the top"
                ),
            ));
        }
        Ok(())
    }
}

async fn locked(tx: &impl ConnectionTrait, id: CategoryId, version: i64) -> Result<Model> {
    let row = Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "category"))?;
    check_version(version, row.version)?;
    Ok(row)
}

fn told(words: (&'static str, &'static str), row: &Model, fields: &[&str]) -> Told {
    Told {
        words,
        what: "category",
        id: row.id.into(),
        store: None,
        detail: json!({ "fields": fields }),
    }
}
