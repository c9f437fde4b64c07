//! The secret key, and what it opens.

use super::report::Report;
use crate::access::{Ctx, Secrets};
use crate::app::StartError;
use crate::config::{Configuration, secret_key};
use crate::db::Db;
use crate::domain::organization::keys;
use entity::signing_key;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use std::path::Path;

/// The configured secret, if it can be used.
pub(super) fn secret(report: &mut Report, configuration: &Configuration) -> Option<Secrets> {
    // The key is there: the generator is never asked.
    match secret_key(configuration, || [0; 32]) {
        Ok(key) => {
            report.ok("secret key", &format!("from {}", key.origin));
            Some(Secrets::derive(key.bytes.expose_secret()))
        }
        Err(error) => {
            report.fail("secret key", &error.to_string());
            None
        }
    }
}

/// The file of the secret key is not there: a loss where something was sealed with it, otherwise nothing yet.
pub(super) async fn missing_secret(
    report: &mut Report,
    db: &Db,
    file: &Path,
) -> Result<(), StartError> {
    let is_needed = signing_key::Entity::find().one(db.read()).await?.is_some();
    let file = file.display();
    if is_needed {
        report.fail(
            "secret key",
            &format!(
                "{file} is gone, and the signing keys in the database cannot be opened without it: bring it back from a \
                 backup"
            ),
        );
    } else {
        report.warn(
            "secret key",
            &format!("there is none yet: the first `regulars serve` makes {file}"),
        );
    }
    Ok(())
}

/// Tokens are signed with keys that only the right secret opens.
pub(super) async fn signing_keys(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    if signing_key::Entity::find()
        .one(ctx.db.read())
        .await?
        .is_none()
    {
        report.warn(
            "signing keys",
            "there are none yet: the first `regulars serve` makes one",
        );
        return Ok(());
    }
    // Reads the keys only: whether one is to be made is asked by the server.
    match keys::opens(ctx).await {
        Ok(()) => report.ok("signing keys", "are opened by the secret key"),
        Err(error) => report.fail("signing keys", &StartError::from(error).to_string()),
    }
    Ok(())
}
