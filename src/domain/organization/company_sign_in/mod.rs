//! Signing in through the company's OpenID Connect provider (authorization code with PKCE).
//!
//! Called by `app` for the endpoints of `http/oidc.rs` ([`begin`], [`finish`]) and by `graphql/organization`
//! ([`redeem`]). The browser goes to the provider and comes back with a code; the code becomes an ID token, the token an
//! account, and the page gets a ticket that it exchanges for a session like any other. Nothing of this is kept in the
//! memory of a node: any node can go on where another one began.
//!
//! Who comes back must be the browser that began: a cookie says so, whose hash is kept beside the state. Otherwise a
//! stranger could have somebody sign in as the stranger and write down there what is meant for nobody else.

pub(super) mod accounts;
mod claims;
mod pending;
mod provider;
mod settings;
mod tickets;
mod transport;

pub use accounts::unlink;
pub use settings::{CompanySignInSettings, ProviderSettings};
pub use tickets::redeem;

use self::accounts::{Admission, Refusal};
use self::pending::Pending;
use self::provider::ProviderError;
use super::attempts::AddressAttempts;
use super::revocation;
use crate::access::{Ctx, Viewer, audit};
use crate::error::{Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::values::WebAddress;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Longest time that all questions to the provider may take together.
const PATIENCE: Duration = Duration::from_secs(15);
/// Characters of a code, a state or an issuer that are looked at.
const LONGEST: usize = 4096;

/// Why there is nothing to return to; an answer of the endpoint's own.
#[derive(Debug)]
pub enum Problem {
    /// No provider is configured.
    Off,
    /// The page to return to is not among those that the operator allows.
    ReturnRefused,
    /// Nobody has begun this, or another browser has, or it took too long, or it is over.
    Ended,
    /// The service itself: too many attempts, or the database.
    Service(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

/// Where the browser goes to begin.
#[derive(Debug)]
pub struct Begun {
    /// The address.
    pub location: String,
    /// What the browser keeps; none when it goes nowhere.
    pub browser: Option<SecretString>,
}

/// With what a browser comes back.
#[derive(Debug, Default)]
pub struct Callback {
    /// The state that was handed to the provider.
    pub state: Option<String>,
    /// The provider's code.
    pub code: Option<SecretString>,
    /// The provider's error, when there is no code.
    pub error: Option<String>,
    /// Who says so (RFC 9207), where the provider tells.
    pub issuer: Option<String>,
    /// What the browser has kept.
    pub browser: Option<SecretString>,
}

/// What a page is told in place of a ticket. A closed set: nothing of the provider's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// The person or the provider said no.
    Denied,
    /// The provider cannot be asked.
    Unavailable,
    /// What the provider said does not hold.
    Invalid,
    /// The person is known to the provider, and may not come in.
    Refused(Refusal),
}

impl Told {
    fn word(self) -> &'static str {
        match self {
            Self::Denied => "access_denied",
            Self::Unavailable => "provider_unavailable",
            Self::Invalid => "provider_answer_invalid",
            Self::Refused(Refusal::EmailNotVerified) => "email_not_verified",
            Self::Refused(_) => "no_account",
        }
    }
}

impl From<ProviderError> for Told {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Away(cause) => {
                tracing::warn!(cause, "the company's sign-in provider cannot be asked");
                Self::Unavailable
            }
            ProviderError::Invalid(cause) => {
                tracing::warn!(cause, "the company's sign-in provider was not believed");
                Self::Invalid
            }
        }
    }
}

fn provider_of(ctx: &Ctx) -> Result<Arc<ProviderSettings>, Problem> {
    let settings = ctx.memory.of::<CompanySignInSettings>();
    settings.0.clone().ok_or(Problem::Off)
}

/// Begins: gives where the browser goes. `kept` is what it has in its cookie from before, so that two windows of one
/// browser may be on their way at once.
///
/// # Errors
/// See [`Problem`]. A provider that is away is told to the page: then the location is the page's.
pub async fn begin(
    ctx: &Ctx,
    return_to: Option<&str>,
    kept: Option<SecretString>,
) -> Result<Begun, Problem> {
    let settings = provider_of(ctx)?;
    let return_to = return_to
        .and_then(|text| WebAddress::parse(text).ok())
        .filter(|page| settings.return_urls.iter().any(|url| url.covers(page)))
        .ok_or(Problem::ReturnRefused)?;
    AddressAttempts::new(ctx).begin(ctx).await?;
    let browser = kept
        .filter(|kept| is_ours(kept.expose_secret()))
        .unwrap_or_else(random);
    let pending = Pending::new(&browser, &return_to);
    let asked = in_time(provider::authorize_url(ctx, &settings, &pending)).await;
    match asked {
        Ok(location) => {
            pending.store(ctx).await?;
            Ok(Begun {
                location,
                browser: Some(browser),
            })
        }
        Err(error) => Ok(Begun {
            location: with_error(return_to.normal(), error.into()),
            browser: None,
        }),
    }
}

/// Takes somebody in who comes back from the provider: gives the page with a ticket, or with an error.
///
/// # Errors
/// See [`Problem`].
pub async fn finish(ctx: &Ctx, callback: Callback) -> Result<String, Problem> {
    let settings = provider_of(ctx)?;
    AddressAttempts::new(ctx).begin(ctx).await?;
    let state = callback.state.filter(|state| state.len() <= LONGEST);
    let (Some(state), Some(browser)) = (state, &callback.browser) else {
        return Err(Problem::Ended);
    };
    // Whatever comes of it, this state is used up.
    let begun = pending::take(ctx, &state, browser).await?;
    let begun = begun.ok_or(Problem::Ended)?;
    let page = begun.return_to.clone();
    let issuer = callback.issuer.as_deref();
    let outcome = match callback.code {
        _ if issuer.is_some_and(|issuer| issuer != settings.issuer.as_str()) => Err(
            ProviderError::Invalid("another issuer has sent the browser back".to_owned()).into(),
        ),
        Some(code) if code.expose_secret().len() <= LONGEST => {
            in_time(provider::person(ctx, &settings, &begun, &code))
                .await
                .map_err(Told::from)
        }
        _ => Err(denied(callback.error.as_deref())),
    };
    let told = match outcome {
        Ok(person) => match admit(ctx, &settings, &person).await? {
            Ok(ticket) => {
                counted("in");
                return Ok(format!("{page}#ticket={}", ticket.expose_secret()));
            }
            Err(refusal) => Told::Refused(refusal),
        },
        Err(told) => told,
    };
    counted(told.word());
    Ok(with_error(&page, told))
}

/// The account of this person and a ticket for it, in one transaction; or why there is none.
async fn admit(
    ctx: &Ctx,
    settings: &ProviderSettings,
    person: &claims::Person,
) -> Result<Result<SecretString, Refusal>> {
    // What the provider decides is done by the program itself, for somebody who is nobody yet.
    let own = &ctx.for_request(Viewer::System, ctx.origin.clone());
    let attempts = &AddressAttempts::new(ctx);
    let ticket = &random();
    let (admission, revoked) = ctx
        .db
        .write(|tx| async move {
            let (admission, revoked) = accounts::admit(&*tx, own, settings, person).await?;
            match admission {
                Admission::In(staff) => {
                    tickets::store(&*tx, ctx, ticket, staff).await?;
                    attempts.succeeded(&*tx).await?;
                }
                Admission::Out { staff, refusal } => {
                    let mut entry = audit::Entry::new(ctx, "session.sign_in_failed");
                    entry.detail = json!({
                        "way": "COMPANY", "reason": refusal.word(), "staff": staff,
                    });
                    audit::write(&*tx, &[entry]).await?;
                }
            }
            Ok((admission, revoked))
        })
        .await?;
    revocation::apply(ctx, &revoked);
    Ok(match admission {
        Admission::In(_) => Ok(ticket.clone()),
        Admission::Out { refusal, .. } => Err(refusal),
    })
}

/// What the provider's error means. Only words of the standard are told to the log, nothing that it made up.
fn denied(error: Option<&str>) -> Told {
    const KNOWN: [&str; 10] = [
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
    ];
    let known = error.and_then(|error| KNOWN.into_iter().find(|known| *known == error));
    tracing::info!(
        error = known.unwrap_or("another"),
        "the company's sign-in provider let nobody in"
    );
    match known {
        Some("server_error" | "temporarily_unavailable") => Told::Unavailable,
        Some("invalid_request" | "invalid_scope" | "unauthorized_client") => Told::Invalid,
        _ => Told::Denied,
    }
}

async fn in_time<T>(
    asking: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    tokio::time::timeout(PATIENCE, asking)
        .await
        .unwrap_or_else(|_| Err(ProviderError::Away("it took too long".to_owned())))
}

fn with_error(page: &str, told: Told) -> String {
    format!("{page}#error={}", told.word())
}

fn counted(outcome: &'static str) {
    metrics::counter!("regulars_company_sign_ins_total", "outcome" => outcome).increment(1);
}

/// 256 random bits in 43 characters that stand in any address.
fn random() -> SecretString {
    let random: [u8; 32] = rand::random();
    SecretString::from(URL_SAFE_NO_PAD.encode(random))
}

/// Has this the form of what [`random`] makes?
fn is_ours(text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|bytes| bytes.len() == 32)
}

/// SHA-256 is enough for 256 random bits: there is nothing to guess.
fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
