//! Opening a session, and the refresh tokens that keep it open.
//!
//! Called by [`super::sessions`] and [`super::company_sign_in`]: whichever way somebody has come, the session is the
//! same.

use super::sessions::SignedIn;
use super::{SignInSettings, tokens};
use crate::access::{Ctx, audit};
use crate::error::Result;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::enums::ActorKind;
use entity::ids::{SessionId, StaffId};
use entity::{refresh_token, session};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

/// How somebody has shown who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// With a password.
    Password,
    /// Through the company's provider.
    Company,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Self::Password => "PASSWORD",
            Self::Company => "COMPANY",
        }
    }
}

/// SHA-256 is enough for 256 random bits: there is nothing to guess.
pub(super) fn token_hash(token: &SecretString) -> Vec<u8> {
    Sha256::digest(token.expose_secret()).to_vec()
}

/// A refresh token that is about to be handed out.
pub(super) struct Fresh {
    token: SecretString,
    idle_end: DateTime<Utc>,
}

impl Fresh {
    pub fn new(ctx: &Ctx) -> Self {
        let random: [u8; 32] = rand::random();
        Self {
            // The prefix lets scanners for leaked secrets know what they have found.
            token: SecretString::from(format!("rgr_{}", URL_SAFE_NO_PAD.encode(random))),
            idle_end: ctx.now() + ctx.memory.of::<SignInSettings>().session_idle,
        }
    }

    /// Opens a session whose first refresh token this is. The caller has locked the account and seen that it may sign in.
    pub async fn open(
        &self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        staff: StaffId,
        way: Way,
    ) -> Result<session::Model> {
        let rules = ctx.memory.of::<SignInSettings>();
        let opened = session::ActiveModel {
            id: Set(SessionId::new()),
            staff_id: Set(staff),
            created_at: Set(ctx.now()),
            last_used_at: Set(ctx.now()),
            expires_at: Set(ctx.now() + rules.session_longest),
            ended_at: Set(None),
            ended_reason: Set(None),
            address: Set(ctx.origin.address.map(|address| address.to_string())),
            user_agent: Set(ctx.origin.user_agent.clone()),
        }
        .insert(tx)
        .await?;
        self.store(tx, ctx, &opened).await?;
        let mut entry = audit::Entry::new(ctx, "session.sign_in");
        entry.actor_kind = ActorKind::Staff;
        entry.actor_id = Some(staff.into());
        entry.detail = json!({ "session": opened.id, "way": way.word() });
        audit::write(tx, &[entry]).await?;
        Ok(opened)
    }

    pub async fn store(
        &self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        session: &session::Model,
    ) -> Result<()> {
        let row = refresh_token::ActiveModel {
            hash: Set(token_hash(&self.token)),
            session_id: Set(session.id),
            issued_at: Set(ctx.now()),
            expires_at: Set(self.idle_end.min(session.expires_at)),
            used_at: Set(None),
        };
        refresh_token::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    pub async fn hand_out(
        &self,
        ctx: &Ctx,
        staff: StaffId,
        session: SessionId,
        latest: DateTime<Utc>,
    ) -> Result<SignedIn> {
        let (access_token, expires_at) = tokens::issue(ctx, staff, session, latest).await?;
        Ok(SignedIn {
            access_token,
            refresh_token: self.token.clone(),
            expires_at,
            refresh_expires_at: self.idle_end.min(latest),
            session,
            staff,
        })
    }
}
