//! The provider's side of the protocol, by the crate `openidconnect`: its document and keys, the way there, the code, the
//! token.
//!
//! Document and keys are kept for an hour, and read anew when a token names a key that is not known. Only signatures
//! that the provider alone can make are taken: none, and those made with the shared secret, are not.

use super::ProviderSettings;
use super::claims::{Others, Person, said};
use super::pending::{Begun, Pending};
use super::transport::{Transport, TransportError};
use crate::access::Ctx;
use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use entity::values::WebAddress;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJsonWebKeySet,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, Client,
    ClientId, ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdToken, IdTokenClaims, IdTokenFields, IdTokenVerifier, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse,
    StandardTokenResponse, SubjectIdentifier, TokenResponse, UserInfoClaims, UserInfoError,
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

/// How long the provider's document and keys are good.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How long they are gone by when the provider cannot tell them anew.
const LONGEST: TimeDelta = TimeDelta::days(1);
/// How soon it is asked again after it could not be asked.
const AGAIN: TimeDelta = TimeDelta::seconds(5);
/// How soon its keys are read again because a token names an unknown one.
const SOONEST: TimeDelta = TimeDelta::seconds(10);
/// How far the provider's clock may be off.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The signatures that are taken.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Token =
    IdToken<Others, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Failure = StandardErrorResponse<CoreErrorResponseType>;
type Verifier<'a> = IdTokenVerifier<'a, CoreJsonWebKey>;
type ProviderClient = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    Failure,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why nobody comes in. The texts are for the log: no token, no code and no word of the provider's own is in them.
#[derive(Debug)]
pub(super) enum ProviderError {
    /// The provider cannot be asked; another try may help.
    Away(String),
    /// What it says does not hold.
    Invalid(String),
}

impl From<TransportError> for ProviderError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NotSecure | TransportError::Malformed(_) => {
                Self::Invalid(error.to_string())
            }
            _ => Self::Away(error.to_string()),
        }
    }
}

fn invalid(cause: impl std::fmt::Display) -> ProviderError {
    ProviderError::Invalid(cause.to_string())
}

/// What this process knows of the provider.
#[derive(Default)]
struct Provider {
    transport: OnceCell<Transport>,
    known: ArcSwapOption<Known>,
    /// One reader at a time: a crowd costs one question. Holds when the provider could last not be asked.
    turn: Mutex<Option<DateTime<Utc>>>,
}

struct Known {
    metadata: CoreProviderMetadata,
    read: DateTime<Utc>,
    keys_read: DateTime<Utc>,
}

/// Was this within the span before now? A moment that lies ahead, because a clock was set back, was not.
fn within(ctx: &Ctx, moment: DateTime<Utc>, span: TimeDelta) -> bool {
    let age = ctx.now() - moment;
    age >= TimeDelta::zero() && age < span
}

/// Where the browser goes.
pub(super) async fn authorize_url(
    ctx: &Ctx,
    settings: &ProviderSettings,
    pending: &Pending,
) -> Result<String, ProviderError> {
    let known = known(ctx, settings).await?;
    let client = client(settings, &known.metadata)?;
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    let (state, nonce) = (text(&pending.state), text(&pending.nonce));
    let verifier = PkceCodeVerifier::new(text(&pending.verifier));
    let scopes = settings
        .scopes
        .iter()
        .filter(|scope| *scope != "openid")
        .map(|scope| Scope::new(scope.clone()));
    let (url, _, _) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_scopes(scopes)
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    // What stands there is the provider's word.
    WebAddress::parse(url.as_str())
        .map_err(|error| invalid(format!("where it signs in {error}")))?;
    Ok(url.into())
}

/// Exchanges a code for tokens and gives who has signed in.
pub(super) async fn person(
    ctx: &Ctx,
    settings: &ProviderSettings,
    begun: &Begun,
    code: &SecretString,
) -> Result<Person, ProviderError> {
    let mut known = known(ctx, settings).await?;
    let provider = ctx.memory.of::<Provider>();
    let transport = transport(&provider, settings).await?;
    let client = client(settings, &known.metadata)?;
    let tokens = client
        .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
        .map_err(invalid)?
        .set_pkce_verifier(PkceCodeVerifier::new(
            begun.verifier.expose_secret().to_owned(),
        ))
        .request_async(transport)
        .await
        .map_err(refused)?;
    let token = tokens
        .id_token()
        .ok_or_else(|| invalid("it gave no ID token"))?;
    let nonce = Nonce::new(begun.nonce.expose_secret().to_owned());
    let mut verified = verify(ctx, settings, &known.metadata, token, &nonce);
    if matches!(
        verified,
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
        ))
    ) {
        // It may have changed its keys.
        known = with_new_keys(ctx, settings, &known).await?;
        verified = verify(ctx, settings, &known.metadata, token, &nonce);
    }
    let claims = verified.map_err(unverified)?;
    let party = claims.authorized_party();
    if party.is_some_and(|party| party.as_str() != settings.client_id) {
        return Err(invalid("its ID token was made for another client"));
    }
    let verifier = verifier(ctx, settings, &known.metadata)?;
    check_access_token(token, claims, &verifier, tokens.access_token())?;
    let subject = claims.subject();
    let said_by_token = said!(claims);
    let userinfo =
        if said_by_token.is_short(settings) && known.metadata.userinfo_endpoint().is_some() {
            let asked: UserInfoClaims<Others, CoreGenderClaim> = client
                .user_info(tokens.access_token().clone(), Some(subject.clone()))
                .map_err(invalid)?
                .request_async(transport)
                .await
                .map_err(untold)?;
            Some(said!(&asked))
        } else {
            None
        };
    let subject: &SubjectIdentifier = subject;
    Ok(Person::new(settings, subject, said_by_token, userinfo))
}

fn client(
    settings: &ProviderSettings,
    metadata: &CoreProviderMetadata,
) -> Result<ProviderClient, ProviderError> {
    let secret = settings.client_secret.as_ref();
    let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    let redirect = RedirectUrl::new(settings.redirect_url.as_str().to_owned()).map_err(invalid)?;
    let client_id = ClientId::new(settings.client_id.clone());
    let client = Client::from_provider_metadata(metadata.clone(), client_id, secret)
        .set_redirect_uri(redirect);
    // Without a word about it, the standard says that a secret goes into a header.
    let methods = metadata.token_endpoint_auth_methods_supported();
    let in_body = methods.is_some_and(|methods| {
        !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
            && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
    });
    Ok(if in_body {
        client.set_auth_type(AuthType::RequestBody)
    } else {
        client
    })
}

/// Checks signatures by the provider's public keys, and issuer, audience and times. The client's secret is not given to
/// it: whoever knows it could make tokens otherwise.
fn verifier<'a>(
    ctx: &Ctx,
    settings: &ProviderSettings,
    metadata: &CoreProviderMetadata,
) -> Result<Verifier<'a>, ProviderError> {
    let now = ctx.now();
    Ok(Verifier::new_public_client(
        ClientId::new(settings.client_id.clone()),
        issuer(settings)?,
        metadata.jwks().clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    .set_time_fn(move || now - LEEWAY)
    .set_issue_time_verifier_fn(move |issued| {
        if issued > now + LEEWAY {
            Err("the token is from the future".to_owned())
        } else {
            Ok(())
        }
    }))
}

fn issuer(settings: &ProviderSettings) -> Result<IssuerUrl, ProviderError> {
    IssuerUrl::new(settings.issuer.as_str().to_owned()).map_err(invalid)
}

fn verify<'a>(
    ctx: &Ctx,
    settings: &ProviderSettings,
    metadata: &CoreProviderMetadata,
    token: &'a Token,
    nonce: &Nonce,
) -> Result<&'a IdTokenClaims<Others, CoreGenderClaim>, ClaimsVerificationError> {
    let verifier = verifier(ctx, settings, metadata)
        .map_err(|_| ClaimsVerificationError::Other("the issuer is none".to_owned()))?;
    token.claims(&verifier, nonce)
}

/// Does the access token belong to the ID token, where that says so?
fn check_access_token(
    token: &Token,
    claims: &IdTokenClaims<Others, CoreGenderClaim>,
    verifier: &Verifier<'_>,
    access_token: &AccessToken,
) -> Result<(), ProviderError> {
    let Some(expected) = claims.access_token_hash() else {
        return Ok(());
    };
    let algorithm = token.signing_alg().map_err(invalid)?;
    let key = token.signing_key(verifier).map_err(invalid)?;
    let actual = AccessTokenHash::from_token(access_token, algorithm, key).map_err(invalid)?;
    if actual == *expected {
        Ok(())
    } else {
        Err(invalid("its access token is not the ID token's"))
    }
}

async fn transport<'a>(
    provider: &'a Provider,
    settings: &ProviderSettings,
) -> Result<&'a Transport, ProviderError> {
    let made = provider
        .transport
        .get_or_try_init(|| async { Transport::new(&settings.issuer) })
        .await;
    made.map_err(|error| ProviderError::Away(format!("no client for it can be made: {error}")))
}

/// The provider's document and keys.
async fn known(ctx: &Ctx, settings: &ProviderSettings) -> Result<Arc<Known>, ProviderError> {
    let provider = ctx.memory.of::<Provider>();
    let younger = |span| {
        let known = provider.known.load_full();
        known.filter(|known| within(ctx, known.read, span))
    };
    if let Some(known) = younger(FRESH) {
        return Ok(known);
    }
    let mut failed = provider.turn.lock().await;
    if let Some(known) = younger(FRESH) {
        return Ok(known);
    }
    let read = if failed.is_some_and(|failed| within(ctx, failed, AGAIN)) {
        let cause = "it could not be asked a moment ago";
        Err(ProviderError::Away(cause.to_owned()))
    } else {
        // Noted before, so that it is seen when somebody runs out of patience meanwhile.
        *failed = Some(ctx.now());
        discover(ctx, settings, &provider).await
    };
    match read {
        Ok(known) => {
            *failed = None;
            let known = Arc::new(known);
            provider.known.store(Some(known.clone()));
            Ok(known)
        }
        Err(error) => {
            let known = younger(LONGEST).ok_or(error)?;
            tracing::warn!(
                "the company's sign-in provider cannot be asked; what it said earlier is gone by"
            );
            Ok(known)
        }
    }
}

async fn discover(
    ctx: &Ctx,
    settings: &ProviderSettings,
    provider: &Provider,
) -> Result<Known, ProviderError> {
    let transport = transport(provider, settings).await?;
    let metadata = CoreProviderMetadata::discover_async(issuer(settings)?, transport)
        .await
        .map_err(undiscovered)?;
    Ok(Known {
        metadata,
        read: ctx.now(),
        keys_read: ctx.now(),
    })
}

/// What is known with the provider's present keys; the same as before when they were read just now.
async fn with_new_keys(
    ctx: &Ctx,
    settings: &ProviderSettings,
    before: &Arc<Known>,
) -> Result<Arc<Known>, ProviderError> {
    let provider = ctx.memory.of::<Provider>();
    let _turn = provider.turn.lock().await;
    let present = provider.known.load_full().unwrap_or_else(|| before.clone());
    if present.keys_read != before.keys_read || within(ctx, present.keys_read, SOONEST) {
        return Ok(present);
    }
    let transport = transport(&provider, settings).await?;
    let keys = CoreJsonWebKeySet::fetch_async(present.metadata.jwks_uri(), transport)
        .await
        .map_err(undiscovered)?;
    let known = Arc::new(Known {
        metadata: present.metadata.clone().set_jwks(keys),
        read: present.read,
        keys_read: ctx.now(),
    });
    provider.known.store(Some(known.clone()));
    Ok(known)
}

fn undiscovered(error: DiscoveryError<TransportError>) -> ProviderError {
    match error {
        DiscoveryError::Request(error) => error.into(),
        DiscoveryError::Response(status, ..) => ProviderError::Away(format!("it answers {status}")),
        // The issuer that it names, and the one that was configured.
        DiscoveryError::Validation(cause) => invalid(format!("its document: {cause}")),
        other => invalid(format!("its document: {other}")),
    }
}

fn refused(error: RequestTokenError<TransportError, Failure>) -> ProviderError {
    match error {
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::ServerResponse(failure) => invalid(match failure.error() {
            CoreErrorResponseType::Extension(_) => {
                "it took the code not, for another reason".to_owned()
            }
            known => format!("it took the code not: {}", known.as_ref()),
        }),
        other => invalid(format!("its token: {other}")),
    }
}

fn unverified(error: ClaimsVerificationError) -> ProviderError {
    match error {
        ClaimsVerificationError::SignatureVerification(cause) => {
            invalid(format!("its ID token's signature: {cause}"))
        }
        other => invalid(format!("its ID token: {other}")),
    }
}

fn untold(error: UserInfoError<TransportError>) -> ProviderError {
    match error {
        UserInfoError::Request(error) => error.into(),
        other => invalid(format!("its userinfo: {other}")),
    }
}
