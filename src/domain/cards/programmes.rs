//! Programmes and their ladders: made and changed by administrators.

use super::ladder::{self, Ladder, Rung};
use crate::access::{Action, Ctx, audit};
use crate::db::among;
use crate::domain::organization::{company, fixed};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use crate::events::{self, NewEvent};
use chrono::{DateTime, Utc};
use entity::ids::{ProgrammeId, TierId};
use entity::values::{CardPrefix, clean_line};
use entity::{membership, programme, tier};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

/// A programme to be made.
#[derive(Clone, Debug)]
pub struct NewProgramme {
    /// Short name, unique: letters, digits and dashes.
    pub code: String,
    /// The name.
    pub name: String,
    /// First digits of its card numbers; the usual ones when absent.
    pub card_prefix: Option<String>,
    /// How long a card is valid, in months; for good when absent.
    pub card_valid_months: Option<i32>,
    /// The ladder, lowest tier first.
    pub tiers: Vec<Rung>,
}

/// What is to be changed of a programme.
#[derive(Clone, Debug)]
pub struct ProgrammeChange {
    /// The programme.
    pub id: ProgrammeId,
    /// The version that the caller has read.
    pub version: i64,
    /// A new name.
    pub name: Option<String>,
    /// A new validity of cards issued from now on: `Some(None)` makes them valid for good.
    pub card_valid_months: Option<Option<i32>>,
    /// A new ladder, lowest tier first; tiers that are left out must have no members.
    pub tiers: Option<Vec<Rung>>,
}

fn check_months(months: Option<i32>, errors: &mut UserErrors) {
    if months.is_some_and(|months| !(1..=1200).contains(&months)) {
        errors.push(
            Code::OutOfRange,
            "cardValidMonths",
            "a card is valid for 1 to 1200 months, or for good",
        );
    }
}

fn clean_rungs(rungs: Vec<Rung>, errors: &mut UserErrors) -> Vec<Rung> {
    let cleaned: Vec<Rung> = rungs
        .into_iter()
        .enumerate()
        .map(|(n, rung)| {
            let name = errors.take(
                &format!("tiers.{n}.name"),
                text_code,
                clean_line(&rung.name, 60),
            );
            Rung {
                name: name.unwrap_or_default(),
                ..rung
            }
        })
        .collect();
    ladder::check(&cleaned, errors);
    cleaned
}

/// Makes a programme with its ladder.
///
/// # Errors
/// User errors for a code that is taken, a name that is none, a ladder that does not rise.
pub async fn create(ctx: &Ctx, new: NewProgramme) -> Result<programme::Model> {
    ctx.require(Action::ProgrammeManage)?;
    let mut errors = UserErrors::new();
    let code = errors.take("code", text_code, clean_line(&new.code, 32));
    let well_formed = |code: &String| {
        code.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if code.as_ref().is_some_and(|code| !well_formed(code)) {
        errors.push(
            Code::Invalid,
            "code",
            "a code has letters, digits and dashes",
        );
    }
    let name = errors.take("name", text_code, clean_line(&new.name, 100));
    let prefix = match new.card_prefix.as_deref() {
        Some(text) => errors.take("cardPrefix", |_| Code::Invalid, CardPrefix::parse(text)),
        None => Some(CardPrefix::default()),
    };
    check_months(new.card_valid_months, &mut errors);
    let rungs = clean_rungs(new.tiers, &mut errors);
    errors.check()?;
    let (Some(code), Some(name), Some(prefix)) = (code, name, prefix) else {
        return Err(Error::internal("a checked programme lacks a value"));
    };
    let (code, name, prefix, rungs) = (&code, &name, &prefix, &rungs);
    let currency = company::settings(ctx).await?.currency;
    ctx.db
        .write(|tx| async move {
            fixed::hold_currency(&*tx, ctx, currency).await?;
            let taken = programme::Entity::find()
                .filter(programme::Column::Code.eq(code.as_str()))
                .count(&*tx)
                .await?;
            if taken > 0 {
                return Err(Error::user(
                    Code::Taken,
                    "code",
                    "another programme has this code",
                ));
            }
            let now = ctx.now();
            let made = programme::ActiveModel {
                id: Set(ProgrammeId::new()),
                code: Set(code.clone()),
                name: Set(name.clone()),
                card_prefix: Set(prefix.as_str().to_owned()),
                card_valid_months: Set(new.card_valid_months),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            write_ladder(&*tx, made.id, rungs, now).await?;
            note(&*tx, ctx, "programme.create", "programme.created", made.id).await?;
            Ok(made)
        })
        .await
}

/// Changes a programme. A new ladder does not rewrite the past: members keep their tier until a purchase or a
/// return moves it.
///
/// # Errors
/// User errors as for [`create`], for a stale version, and for a tier with members that is left out.
pub async fn change(ctx: &Ctx, change: ProgrammeChange) -> Result<programme::Model> {
    ctx.require(Action::ProgrammeManage)?;
    let mut errors = UserErrors::new();
    let name = change
        .name
        .as_deref()
        .and_then(|name| errors.take("name", text_code, clean_line(name, 100)));
    check_months(change.card_valid_months.flatten(), &mut errors);
    let rungs = change.tiers.map(|rungs| clean_rungs(rungs, &mut errors));
    errors.check()?;
    let (name, rungs) = (&name, &rungs);
    ctx.db
        .write(|tx| async move {
            let found = programme::Entity::find_by_id(change.id)
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?
                .ok_or_else(|| Error::not_found("id", "programme"))?;
            if found.version != change.version {
                return Err(Error::user(
                    Code::StaleVersion,
                    "version",
                    "the programme was changed meanwhile; read it again",
                ));
            }
            let now = ctx.now();
            if let Some(rungs) = rungs {
                write_ladder(&*tx, found.id, rungs, now).await?;
            }
            let mut row: programme::ActiveModel = found.clone().into();
            row.version = Set(found.version + 1);
            row.updated_at = Set(now);
            if let Some(name) = name {
                row.name = Set(name.clone());
            }
            if let Some(months) = change.card_valid_months {
                row.card_valid_months = Set(months);
            }
            let made = row.update(&*tx).await?;
            note(&*tx, ctx, "programme.change", "programme.changed", made.id).await?;
            Ok(made)
        })
        .await
}

async fn note(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: &'static str,
    kind: &'static str,
    id: ProgrammeId,
) -> Result<()> {
    audit::write(
        tx,
        &[audit::Entry::new(ctx, action).detail(json!({ "programme": id }))],
    )
    .await?;
    let event = NewEvent {
        kind,
        customer: None,
        store: None,
        subject: id.into(),
        payload: json!({ "programme": id }),
    };
    events::record(tx, ctx, &[event]).await
}

/// Brings the tiers of a programme to a checked ladder.
async fn write_ladder(
    tx: &impl ConnectionTrait,
    programme: ProgrammeId,
    rungs: &[Rung],
    now: DateTime<Utc>,
) -> Result<()> {
    let old = ladder(tx, programme).await?;
    let mut errors = UserErrors::new();
    for (n, rung) in rungs.iter().enumerate() {
        let known = rung.id.is_none_or(|id| old.tier(id).is_some());
        let repeated = rung.id.is_some() && rungs.iter().take(n).any(|other| other.id == rung.id);
        if !known || repeated {
            errors.push(
                Code::NotFound,
                &format!("tiers.{n}.id"),
                "no such tier in this programme",
            );
        }
    }
    for tier in old
        .tiers()
        .iter()
        .filter(|tier| !rungs.iter().any(|rung| rung.id == Some(tier.id)))
    {
        let held = Condition::any()
            .add(membership::Column::TierId.eq(tier.id))
            .add(membership::Column::GrantedTierId.eq(tier.id));
        if membership::Entity::find().filter(held).count(tx).await? > 0 {
            errors.push(
                Code::WrongState,
                "tiers",
                format!("{} has members and cannot be left out", tier.name),
            );
        }
    }
    errors.check()?;
    // Levels are unique among the tiers in use: all are taken off the ladder first, and put back in place.
    tier::Entity::update_many()
        .col_expr(tier::Column::RetiredAt, now.into())
        .filter(tier::Column::ProgrammeId.eq(programme))
        .filter(tier::Column::RetiredAt.is_null())
        .exec(tx)
        .await?;
    for (level, rung) in (1..).zip(rungs) {
        let row = tier::ActiveModel {
            id: Set(rung.id.unwrap_or_default()),
            programme_id: Set(programme),
            level: Set(level),
            name: Set(rung.name.clone()),
            spend_threshold_minor: Set(rung.spend_threshold_minor),
            discount_basis_points: Set(rung.discount_basis_points),
            retired_at: Set(None),
        };
        if rung.id.is_some() {
            row.update(tx).await?;
        } else {
            row.insert(tx).await?;
        }
    }
    Ok(())
}

/// The ladder of a programme, as it stands in this transaction.
///
/// # Errors
/// Those of the database.
pub async fn ladder(connection: &impl ConnectionTrait, programme: ProgrammeId) -> Result<Ladder> {
    Ok(Ladder::new(
        programme,
        ladder_rows(connection, [programme]).await?,
    ))
}

/// The tiers in use of several programmes.
///
/// # Errors
/// Those of the database.
pub async fn ladder_rows(
    connection: &impl ConnectionTrait,
    programmes: impl IntoIterator<Item = ProgrammeId>,
) -> Result<Vec<tier::Model>> {
    Ok(tier::Entity::find()
        .filter(tier::Column::ProgrammeId.is_in(programmes))
        .filter(tier::Column::RetiredAt.is_null())
        .order_by_asc(tier::Column::Level)
        .all(connection)
        .await?)
}

/// All programmes, by code: a handful by nature.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn all(ctx: &Ctx) -> Result<Vec<programme::Model>> {
    ctx.require(Action::ProgrammeRead)?;
    Ok(programme::Entity::find()
        .order_by_asc(programme::Column::Code)
        .all(ctx.db.read())
        .await?)
}

/// Programmes by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn by_ids(ctx: &Ctx, ids: &[ProgrammeId]) -> Result<Vec<programme::Model>> {
    ctx.require(Action::ProgrammeRead)?;
    Ok(programme::Entity::find()
        .filter(among(
            ctx.db.engine(),
            programme::Column::Id,
            ids.iter().copied(),
        ))
        .all(ctx.db.read())
        .await?)
}

/// Tiers by id, those taken off their ladder included: history refers to them.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn tiers_by_ids(ctx: &Ctx, ids: &[TierId]) -> Result<Vec<tier::Model>> {
    ctx.require(Action::ProgrammeRead)?;
    Ok(tier::Entity::find()
        .filter(among(
            ctx.db.engine(),
            tier::Column::Id,
            ids.iter().copied(),
        ))
        .all(ctx.db.read())
        .await?)
}

/// The tiers in use of programmes, lowest first.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn ladders(ctx: &Ctx, programmes: &[ProgrammeId]) -> Result<Vec<tier::Model>> {
    ctx.require(Action::ProgrammeRead)?;
    ladder_rows(ctx.db.read(), programmes.iter().copied()).await
}

/// The programme that is meant: the named one, or the only one there is.
///
/// # Errors
/// User errors at `programme` when there is no such programme, or none is named where there are several.
pub(super) async fn meant(
    connection: &impl ConnectionTrait,
    named: Option<ProgrammeId>,
) -> Result<programme::Model> {
    let mut select = programme::Entity::find().order_by_asc(programme::Column::Code);
    if let Some(id) = named {
        select = select.filter(programme::Column::Id.eq(id));
    }
    let mut found = select.all(connection).await?;
    match (found.len(), named) {
        (1, _) => found
            .pop()
            .ok_or_else(|| Error::internal("one programme was counted and none found")),
        (0, _) => Err(Error::not_found("programmeId", "programme")),
        _ => Err(Error::user(
            Code::Required,
            "programmeId",
            "there are several programmes; say which one",
        )),
    }
}
