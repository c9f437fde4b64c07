//! What every command stands in: the configuration, the open database with a schema that fits, the secrets.

use super::{StartError, db_settings, figures, schema};
use crate::access::budget::BudgetSettings;
use crate::access::{Ctx, Secrets};
use crate::channels::Targets;
use crate::config::{self, Configuration, Mode, check, secret_key, secret_to_be_made};
use crate::db::{Db, Engine};
use crate::domain::organization::company_sign_in::{CompanySignInSettings, ProviderSettings};
use crate::domain::organization::{SignInSettings, company};
use crate::domain::transfers::TransferSettings;
use crate::domain::webhooks::WebhookSettings;
use chrono::TimeDelta;
use entity::signing_key;
use entity::values::{Clock, WebAddress};
use metrics_exporter_prometheus::PrometheusHandle;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The oldest PostgreSQL that will do, as its `server_version_num`.
pub const OLDEST_POSTGRES: i32 = 150_000;

/// The house, open.
#[derive(Debug)]
pub struct House {
    /// How it is configured.
    pub configuration: Configuration,
    /// What it is opened for.
    pub mode: Mode,
    /// The context of the program itself, with the database, the clock and the secrets in it.
    pub ctx: Ctx,
    pub(super) figures: PrometheusHandle,
}

impl House {
    /// Opens the house: checks the settings, reads or makes the secret, opens the database, makes pending changes of
    /// the schema on the embedded engine, and refuses a schema that does not fit.
    ///
    /// # Errors
    /// Whatever stands in the way, with what to do.
    pub async fn open(
        configuration: Configuration,
        mode: Mode,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        check(&configuration, mode)?;
        let lost = secret_to_be_made(&configuration);
        if lost.is_none() {
            // What is wrong with a secret is told before the database is waited for.
            secret_key(&configuration, rand::random)?;
        }
        // Before the database: whatever counts asks for the recorder when it is made.
        let figures = figures::recorder()?;
        let database = &configuration.settings.database;
        let db = Db::connect(&db_settings(database)).await?;
        require_version(&db).await?;
        schema::prepare(database, &db).await?;
        if let Some(file) = &lost {
            refuse_a_second_secret(&db, file).await?;
        }
        let key = secret_key(&configuration, rand::random)?;
        let secrets = Arc::new(Secrets::derive(key.bytes.expose_secret()));
        let ctx = Ctx::system(db, clock, secrets);
        ctx.memory
            .put(sign_in_settings(&configuration.settings.security));
        ctx.memory
            .put(company_sign_in_settings(&configuration.settings));
        ctx.memory
            .put(transfer_settings(&configuration.settings.transfers));
        ctx.memory
            .put(budget_settings(&configuration.settings.limits));
        ctx.memory
            .put(webhook_settings(&configuration.settings.webhooks));
        company::ensure(&ctx, &company_defaults(&configuration.settings.company)).await?;
        Ok(Self {
            configuration,
            mode,
            ctx,
            figures,
        })
    }

    /// Closes the database.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn close(self) -> Result<(), StartError> {
        Ok(self.ctx.db.clone().close().await?)
    }
}

fn sign_in_settings(security: &config::Security) -> SignInSettings {
    let span = |time: Duration| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    SignInSettings {
        passwords: security.password_sign_in,
        token_life: span(security.access_token_lifetime),
        session_idle: span(security.refresh_token_lifetime),
        session_longest: span(security.session_lifetime),
        attempts_by_account: count(security.attempts_by_account),
        attempts_by_address: count(security.attempts_by_address),
        attempts_window: span(security.attempts_window),
        ..SignInSettings::default()
    }
}

fn budget_settings(limits: &config::Limits) -> BudgetSettings {
    let figure = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
    BudgetSettings {
        size: figure(limits.budget),
        per_second: figure(limits.budget_per_second),
    }
}

fn company_sign_in_settings(settings: &config::Settings) -> CompanySignInSettings {
    let oidc = &settings.oidc;
    let named = (&oidc.issuer, &oidc.client_id, &oidc.redirect_url);
    let (Some(issuer), Some(client_id), Some(redirect_url)) = named else {
        return CompanySignInSettings(None);
    };
    let mut return_urls = oidc.return_urls.clone();
    if return_urls.is_empty() {
        let origins = settings.server.cors_origins.iter();
        return_urls.extend(origins.filter_map(|origin| WebAddress::parse(origin).ok()));
    }
    CompanySignInSettings(Some(Arc::new(ProviderSettings {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        client_secret: oidc.client_secret.clone(),
        scopes: oidc.scopes.clone(),
        redirect_url: redirect_url.clone(),
        return_urls,
        verified_claim: oidc.verified_claim.clone(),
        groups_claim: oidc.groups_claim.clone(),
        groups: oidc.groups.clone(),
        create_staff: oidc.create_staff,
    })))
}

fn webhook_settings(webhooks: &config::Webhooks) -> WebhookSettings {
    let private = webhooks.private_targets;
    if private {
        tracing::warn!(
            "webhooks may go to this machine and to private networks (REGULARS_WEBHOOK_PRIVATE_TARGETS): whoever makes \
             webhooks can reach what only this network should; for development and tests only"
        );
    }
    WebhookSettings {
        targets: Targets { private },
    }
}

fn transfer_settings(transfers: &config::Transfers) -> TransferSettings {
    TransferSettings {
        upload_bytes: transfers.upload_bytes,
        total_bytes: transfers.total_bytes,
        ..TransferSettings::default()
    }
}

fn company_defaults(company: &config::Company) -> company::CompanyDefaults {
    company::CompanyDefaults {
        name: company.name.clone(),
        currency: company.currency.clone(),
        country: company.country.clone(),
        locale: company.locale.clone(),
        time_zone: company.time_zone.clone(),
    }
}

/// The version of the PostgreSQL server, as its `server_version_num`; none for the embedded engine.
///
/// # Errors
/// Those of the database.
pub async fn postgres_version(db: &Db) -> Result<Option<i32>, StartError> {
    if db.engine() == Engine::Sqlite {
        return Ok(None);
    }
    let ask = "select current_setting('server_version_num')::integer as version";
    let row = db
        .read()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, ask))
        .await?;
    Ok(match row {
        Some(row) => Some(row.try_get("", "version")?),
        None => None,
    })
}

/// A secret is made at the first start only: a later one would open nothing that the lost one has sealed.
async fn refuse_a_second_secret(db: &Db, file: &Path) -> Result<(), StartError> {
    if signing_key::Entity::find().one(db.read()).await?.is_none() {
        return Ok(());
    }
    Err(StartError::Refused(format!(
        "the secret key {} is gone, and the database has signing keys that only it opens: bring the file back from a \
         backup, or set REGULARS_SECRET_KEY to its content. If it is lost for good, empty the table signing_key and \
         start again: a new one is made, and everybody signs in once more",
        file.display()
    )))
}

async fn require_version(db: &Db) -> Result<(), StartError> {
    match postgres_version(db).await? {
        Some(version) if version < OLDEST_POSTGRES => Err(StartError::Refused(format!(
            "the PostgreSQL server is version {}; regulars needs 15 or newer",
            version / 10_000
        ))),
        _ => Ok(()),
    }
}
