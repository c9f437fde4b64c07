//! Sign-ins that have begun and wait for the browser to come back, kept in the database so that it may come back to any
//! node.

use super::{hash, random};
use crate::access::Ctx;
use crate::db::Sql;
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use entity::company_sign_in;
use entity::values::WebAddress;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use secrecy::{ExposeSecret, SecretString};

/// How long somebody may take at the provider.
pub(super) const LIFE: TimeDelta = TimeDelta::minutes(10);

/// What is made for one sign-in.
#[derive(Debug)]
pub(super) struct Pending {
    pub state: SecretString,
    pub nonce: SecretString,
    pub verifier: SecretString,
    browser: Vec<u8>,
    return_to: String,
}

/// What is known of it when the browser comes back.
#[derive(Debug)]
pub(super) struct Begun {
    pub nonce: SecretString,
    pub verifier: SecretString,
    pub return_to: String,
}

impl Pending {
    pub fn new(browser: &SecretString, return_to: &WebAddress) -> Self {
        Self {
            state: random(),
            nonce: random(),
            verifier: random(),
            browser: hash(browser.expose_secret()),
            return_to: return_to.normal().to_owned(),
        }
    }

    pub async fn store(&self, ctx: &Ctx) -> Result<()> {
        let now = ctx.now();
        let row = &company_sign_in::ActiveModel {
            state_hash: Set(hash(self.state.expose_secret())),
            browser_hash: Set(self.browser.clone()),
            nonce: Set(self.nonce.expose_secret().to_owned()),
            verifier: Set(self.verifier.expose_secret().to_owned()),
            return_to: Set(self.return_to.clone()),
            created_at: Set(now),
            expires_at: Set(now + LIFE),
        };
        ctx.db
            .write(|tx| async move {
                company_sign_in::Entity::insert(row.clone())
                    .exec_without_returning(&*tx)
                    .await?;
                Ok(())
            })
            .await
    }
}

/// Takes what was begun with this state out of the database: of two who come at once one finds it. None when there is
/// nothing, when it is too late, or when another browser has begun it.
pub(super) async fn take(ctx: &Ctx, state: &str, browser: &SecretString) -> Result<Option<Begun>> {
    let (state, browser) = (&hash(state), hash(browser.expose_secret()));
    let taken = ctx
        .db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("delete from company_sign_in where state_hash = ")
                .bind(state.clone())
                .push(" returning browser_hash, nonce, verifier, return_to, expires_at");
            Ok(tx.query_one_raw(sql.build()).await?)
        })
        .await?;
    let Some(row) = taken else { return Ok(None) };
    let began: Vec<u8> = row.try_get("", "browser_hash")?;
    let end: DateTime<Utc> = row.try_get("", "expires_at")?;
    if began != browser || end <= ctx.now() {
        return Ok(None);
    }
    let secret =
        |column| Ok::<_, sea_orm::DbErr>(SecretString::from(row.try_get::<String>("", column)?));
    Ok(Some(Begun {
        nonce: secret("nonce")?,
        verifier: secret("verifier")?,
        return_to: row.try_get("", "return_to")?,
    }))
}
