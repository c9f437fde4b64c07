//! Which account a person has, and what their groups make of it.
//!
//! An account is found by what the provider calls the person, never again by the address once it is linked. It is linked
//! at the first sign-in, by an address that the provider has verified; or made then, where the operator wants that and a
//! group stands for a role. Groups decide over the roles of accounts that were made so, until somebody gives them roles
//! by hand; they never touch the roles of any other account.

use super::ProviderSettings;
use super::claims::Person;
use crate::access::{Action, Ctx, Grant, Place, audit};
use crate::db::Sql;
use crate::domain::organization::change::Told;
use crate::domain::organization::revocation::{self, Change};
use crate::domain::organization::staff as accounts;
use crate::domain::organization::{NAME_CHARS, grants};
use crate::error::Result;
use entity::ids::StaffId;
use entity::values::{Email, PlaceCode, clean_line};
use entity::{company, region, staff, staff_identity, store};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use serde_json::json;

/// Why somebody does not come in whom the provider vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no account, and none is made.
    NoAccount,
    /// The account could only be found by an address that nobody has verified.
    EmailNotVerified,
    /// The account is switched off.
    Disabled,
    /// The account with this address is another person's at the provider.
    OtherIdentity,
    /// No group of theirs stands for a role.
    NoGroup,
    /// Without the role that their groups take away, nobody could administer.
    LastAdministrator,
}

impl Refusal {
    /// The word of the audit entry.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoAccount => "NO_ACCOUNT",
            Self::EmailNotVerified => "EMAIL_NOT_VERIFIED",
            Self::Disabled => "DISABLED",
            Self::OtherIdentity => "OTHER_IDENTITY",
            Self::NoGroup => "NO_GROUP",
            Self::LastAdministrator => "LAST_ADMINISTRATOR",
        }
    }
}

/// Whether somebody comes in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Admission {
    /// With this account.
    In(StaffId),
    /// Not.
    Out {
        /// The account, where there is one.
        staff: Option<StaffId>,
        /// Why.
        refusal: Refusal,
    },
}

fn out(staff: impl Into<Option<StaffId>>, refusal: Refusal) -> Admission {
    let staff = staff.into();
    Admission::Out { staff, refusal }
}

/// Finds, links or makes the account and gives it the roles of the groups. `ctx` is the program's own; the caller applies
/// the changes of access after the commit.
pub(super) async fn admit(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    settings: &ProviderSettings,
    person: &Person,
) -> Result<(Admission, Vec<Change>)> {
    let find = || {
        staff_identity::Entity::find_by_id((
            settings.issuer.as_str().to_owned(),
            person.subject.clone(),
        ))
    };
    let mut known = find().one(tx).await?;
    if known.as_ref().is_none_or(|known| known.groups_decide) {
        // Changes of accounts wait for each other here. Whoever waited looks again.
        company::Entity::find()
            .lock(LockType::NoKeyUpdate)
            .one(tx)
            .await?;
        known = find().one(tx).await?;
    }
    match known {
        Some(known) => come_back(tx, ctx, settings, person, known).await,
        None => Ok((come_first(tx, ctx, settings, person).await?, Vec::new())),
    }
}

/// Somebody comes whose account is linked.
async fn come_back(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    settings: &ProviderSettings,
    person: &Person,
    known: staff_identity::Model,
) -> Result<(Admission, Vec<Change>)> {
    let (id, groups_decide) = (known.staff_id, known.groups_decide);
    let row = staff::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .filter(|row| row.disabled_at.is_none());
    let Some(row) = row else {
        return Ok((out(id, Refusal::Disabled), Vec::new()));
    };
    let mut known = known.into_active_model();
    known.last_used_at = Set(ctx.now());
    known.update(tx).await?;
    if !groups_decide || settings.groups.is_empty() {
        return Ok((Admission::In(id), Vec::new()));
    }
    let after = grants_of(tx, settings, person).await?;
    let before = grants::load(tx, &[id])
        .await?
        .remove(&id)
        .unwrap_or_default();
    if grants::same(&before, &after) {
        let admission = if after.is_empty() {
            out(id, Refusal::NoGroup)
        } else {
            Admission::In(id)
        };
        return Ok((admission, Vec::new()));
    }
    let loses = accounts::administers(&before) && !accounts::administers(&after);
    if loses && !accounts::is_administered(tx, Some(id)).await? {
        return Ok((out(id, Refusal::LastAdministrator), Vec::new()));
    }
    grants::replace(tx, id, &after, ctx.now()).await?;
    let revoked = vec![Change::grants_changed(id)];
    revocation::record(tx, ctx, &revoked).await?;
    let version = row.version;
    let mut changed = row.into_active_model();
    changed.version = Set(version + 1);
    changed.updated_at = Set(ctx.now());
    changed.update(tx).await?;
    told(
        ("staff.updated", "staff.update"),
        id,
        json!({
            "fields": ["grants"], "way": "COMPANY",
            "roles_before": accounts::roles(&before), "roles": accounts::roles(&after),
        }),
    )
    .write(tx, ctx)
    .await?;
    let admission = if after.is_empty() {
        out(id, Refusal::NoGroup)
    } else {
        Admission::In(id)
    };
    Ok((admission, revoked))
}

/// Somebody comes for the first time: their account is linked, or made.
async fn come_first(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    settings: &ProviderSettings,
    person: &Person,
) -> Result<Admission> {
    let Some(email) = person.email.as_ref().filter(|_| person.is_verified) else {
        return Ok(out(None, Refusal::EmailNotVerified));
    };
    let row = staff::Entity::find()
        .filter(staff::Column::Email.eq(email.normal()))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    let Some(row) = row else {
        return create(tx, ctx, settings, person, email).await;
    };
    if row.disabled_at.is_some() {
        return Ok(out(row.id, Refusal::Disabled));
    }
    // An address that was given to somebody else at the provider does not carry the account along.
    let other = staff_identity::Entity::find()
        .filter(staff_identity::Column::StaffId.eq(row.id.0))
        .filter(staff_identity::Column::Issuer.eq(settings.issuer.as_str()))
        .one(tx)
        .await?;
    if other.is_some() {
        return Ok(out(row.id, Refusal::OtherIdentity));
    }
    link(tx, ctx, settings, person, row.id, false).await?;
    Ok(Admission::In(row.id))
}

async fn create(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    settings: &ProviderSettings,
    person: &Person,
    email: &Email,
) -> Result<Admission> {
    if !settings.create_staff {
        return Ok(out(None, Refusal::NoAccount));
    }
    let held = grants_of(tx, settings, person).await?;
    if held.is_empty() {
        return Ok(out(None, Refusal::NoGroup));
    }
    let name = person.name.as_deref();
    let name = name.and_then(|name| clean_line(name, NAME_CHARS).ok());
    let now = ctx.now();
    let row = staff::ActiveModel {
        id: Set(StaffId::new()),
        email: Set(email.normal().to_owned()),
        name: Set(name.unwrap_or_else(|| email.normal().to_owned())),
        password_hash: Set(None),
        password_changed_at: Set(None),
        demo: Set(false),
        disabled_at: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
    .insert(tx)
    .await?;
    grants::replace(tx, row.id, &held, now).await?;
    told(
        ("staff.created", "staff.create"),
        row.id,
        json!({ "roles": accounts::roles(&held), "way": "COMPANY" }),
    )
    .write(tx, ctx)
    .await?;
    link(tx, ctx, settings, person, row.id, true).await?;
    Ok(Admission::In(row.id))
}

async fn link(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    settings: &ProviderSettings,
    person: &Person,
    staff: StaffId,
    groups_decide: bool,
) -> Result<()> {
    let row = staff_identity::ActiveModel {
        issuer: Set(settings.issuer.as_str().to_owned()),
        subject: Set(person.subject.clone()),
        staff_id: Set(staff),
        groups_decide: Set(groups_decide),
        created_at: Set(ctx.now()),
        last_used_at: Set(ctx.now()),
    };
    staff_identity::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    let mut entry = audit::Entry::new(ctx, "staff.identity_link");
    entry.detail = json!({ "staff": staff, "groups_decide": groups_decide });
    audit::write(tx, &[entry]).await
}

/// What the person's groups stand for. A place that there is not gives nothing, and is told to the operator.
async fn grants_of(
    tx: &impl ConnectionTrait,
    settings: &ProviderSettings,
    person: &Person,
) -> Result<Vec<Grant>> {
    let mut held = Vec::new();
    for mapping in &settings.groups {
        if !person.groups.contains(&mapping.group) {
            continue;
        }
        let place = match &mapping.place {
            PlaceCode::Company => Some(Place::Company),
            PlaceCode::Region(code) => region::Entity::find()
                .filter(region::Column::Code.eq(code))
                .one(tx)
                .await?
                .map(|region| Place::Region(region.id)),
            PlaceCode::Store(code) => store::Entity::find()
                .filter(store::Column::Code.eq(code))
                .one(tx)
                .await?
                .map(|store| Place::Store(store.id)),
        };
        let Some(place) = place else {
            tracing::warn!(%mapping, "REGULARS_OIDC_GROUPS names a store or region that there is not");
            continue;
        };
        let grant = Grant {
            role: mapping.role,
            place,
        };
        if !held.contains(&grant) {
            held.push(grant);
        }
    }
    Ok(held)
}

/// Somebody gives roles by hand: from now on groups no longer decide over them.
pub(in crate::domain::organization) async fn decided_by_hand(
    tx: &impl ConnectionTrait,
    staff: StaffId,
) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update staff_identity set groups_decide = ")
        .bind(false)
        .push(" where staff_id = ")
        .bind(staff);
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Forgets who an account is at any provider: the next sign-in with its address links it anew. Gives whether there was
/// anything to forget.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn unlink(ctx: &Ctx, staff: StaffId) -> Result<bool> {
    ctx.require(Action::StaffManage)?;
    ctx.db
        .write(|tx| async move {
            let gone = staff_identity::Entity::delete_many()
                .filter(staff_identity::Column::StaffId.eq(staff.0))
                .exec(&*tx)
                .await?;
            if gone.rows_affected == 0 {
                return Ok(false);
            }
            let mut entry = audit::Entry::new(ctx, "staff.identity_unlink");
            entry.detail = json!({ "staff": staff });
            audit::write(&*tx, &[entry]).await?;
            Ok(true)
        })
        .await
}

fn told(words: (&'static str, &'static str), staff: StaffId, detail: serde_json::Value) -> Told {
    Told {
        words,
        what: "staff",
        id: staff.into(),
        store: None,
        detail,
    }
}
