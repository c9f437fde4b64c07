//! Signing in and out.

use super::input::key;
use crate::domain::organization::company_sign_in;
use crate::domain::organization::sessions::{self, SignedIn};
use crate::error::{Error, Result};
use crate::graphql::context::ctx;
use crate::graphql::ids::GlobalKey;
use crate::graphql::payload::payload;
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ids::SessionId;
use entity::session;
use secrecy::{ExposeSecret, SecretString};

/// A sign-in: from the password to the sign-out.
#[derive(Clone, Debug)]
pub struct Session(pub session::Model);

/// A sign-in: from the password to the sign-out.
#[Object]
impl Session {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Is it the one by which this request came?
    async fn present(&self, context: &Context<'_>) -> async_graphql::Result<bool> {
        let viewer = ctx(context)?.viewer.staff().ok();
        Ok(viewer.is_some_and(|viewer| viewer.session == self.0.id))
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When its tokens were last renewed.
    async fn last_used_at(&self) -> DateTime {
        self.0.last_used_at.into()
    }

    /// When it ends at the latest.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// When it was ended; null while it goes on.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime::from)
    }

    /// The network address from which it was opened.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The program with which it was opened.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }
}

/// The tokens of a session, shown once.
#[derive(Clone, SimpleObject)]
pub struct SessionTokens {
    /// Goes with every request, as `Authorization: Bearer`; good for minutes.
    pub access_token: String,
    /// Good once, for the next pair of tokens; keep it safe. Used twice, it ends the session.
    pub refresh_token: String,
    /// When the access token ends.
    pub expires_at: DateTime,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime,
}

impl std::fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionTokens(..)")
    }
}

impl From<SignedIn> for SessionTokens {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token.expose_secret().to_owned(),
            refresh_token: signed_in.refresh_token.expose_secret().to_owned(),
            expires_at: signed_in.expires_at.into(),
            refresh_expires_at: signed_in.refresh_expires_at.into(),
        }
    }
}

/// Who signs in.
#[derive(InputObject)]
pub struct SessionCreateInput {
    /// The address of the account.
    email: String,
    /// The password.
    password: String,
}

/// With what somebody signs in who comes from the company's sign-in page.
#[derive(InputObject)]
pub struct SessionCreateFromTicketInput {
    /// What stands behind `#ticket=` in the address of the page to which the browser returned; good once, for a minute.
    ticket: String,
}

/// Which session is renewed.
#[derive(InputObject)]
pub struct SessionRefreshInput {
    /// The refresh token that came last.
    refresh_token: String,
}

/// Which session is ended.
#[derive(InputObject)]
pub struct SessionEndInput {
    /// A session of your own; the one by which this request comes, when left out.
    id: Option<ID>,
}

/// Which sessions are ended.
#[derive(InputObject)]
pub struct SessionEndAllInput {
    /// Leave the one by which this request comes.
    #[graphql(default)]
    keep_present: bool,
}

/// A change of your own password.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// The password until now.
    current_password: String,
    /// The password from now on: at least 12 characters, none of those that are tried first.
    new_password: String,
}

payload!(
    SessionCreatePayload,
    session: SessionTokens,
    "What came of signing in.",
    "The tokens; null when e-mail or password is wrong."
);
payload!(
    SessionCreateFromTicketPayload,
    session: SessionTokens,
    "What came of signing in with a ticket.",
    "The tokens; null when the ticket is no longer good."
);
payload!(
    SessionRefreshPayload,
    session: SessionTokens,
    "What came of renewing a session.",
    "The next tokens; null when the refresh token is no longer good."
);
payload!(
    SessionEndPayload,
    session: Session,
    "What came of ending a session.",
    "The session that was ended."
);
payload!(
    SessionEndAllPayload,
    ended_count: i32,
    "What came of ending all sessions.",
    "How many were ended."
);
payload!(
    PasswordChangePayload,
    staff: super::object::Staff,
    "What came of changing the password.",
    "Your account; all your other sessions have ended."
);

/// The mutations of signing in and out.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Sign in with e-mail address and password. Where the operator has switched passwords off, this is not allowed.
    async fn session_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SessionCreateInput,
    ) -> async_graphql::Result<SessionCreatePayload> {
        let password = SecretString::from(input.password);
        let result = sessions::sign_in(ctx(context)?, &input.email, &password).await;
        SessionCreatePayload::from_result(context, result.map(SessionTokens::from))
    }

    /// Sign in with the ticket that the page got from the company's sign-in page (`/auth/oidc/start`).
    async fn session_create_from_ticket(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ticket.")] input: SessionCreateFromTicketInput,
    ) -> async_graphql::Result<SessionCreateFromTicketPayload> {
        let ticket = SecretString::from(input.ticket);
        let result = company_sign_in::redeem(ctx(context)?, &ticket).await;
        SessionCreateFromTicketPayload::from_result(context, result.map(SessionTokens::from))
    }

    /// Renew a session: the refresh token is used up, and the next pair of tokens is given. A refresh token that
    /// comes twice ends its session, since somebody has copied it.
    async fn session_refresh(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which session is renewed.")] input: SessionRefreshInput,
    ) -> async_graphql::Result<SessionRefreshPayload> {
        let token = SecretString::from(input.refresh_token);
        let result = sessions::refresh(ctx(context)?, &token).await;
        SessionRefreshPayload::from_result(context, result.map(SessionTokens::from))
    }

    /// Sign out here, or end another session of your own.
    async fn session_end(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which session is ended; the present one when left out.")] input: Option<
            SessionEndInput,
        >,
    ) -> async_graphql::Result<SessionEndPayload> {
        let which = input.and_then(|input| input.id);
        let which = which.as_ref().map(key::<SessionId>);
        let result = sessions::sign_out(ctx(context)?, which).await;
        SessionEndPayload::from_result(context, result.map(Session))
    }

    /// Sign out everywhere.
    async fn session_end_all(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which sessions are ended; all when left out.")] input: Option<
            SessionEndAllInput,
        >,
    ) -> async_graphql::Result<SessionEndAllPayload> {
        let keep = input.is_some_and(|input| input.keep_present);
        let result = sessions::sign_out_everywhere(ctx(context)?, keep).await;
        let count = result.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        SessionEndAllPayload::from_result(context, count)
    }

    /// Change your own password. All your other sessions end.
    async fn password_change(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: PasswordChangeInput,
    ) -> async_graphql::Result<PasswordChangePayload> {
        let result = change_password(context, input).await;
        PasswordChangePayload::from_result(context, result)
    }
}

async fn change_password(
    context: &Context<'_>,
    input: PasswordChangeInput,
) -> Result<super::object::Staff> {
    let ctx = service(context)?;
    let current = SecretString::from(input.current_password);
    let new = SecretString::from(input.new_password);
    let id = sessions::change_password(ctx, &current, &new).await?;
    crate::domain::organization::staff_list::by_id(ctx, id)
        .await?
        .map(super::object::Staff)
        .ok_or(Error::Unauthenticated)
}

/// The service context, for helpers that speak in the services' errors.
pub(super) fn service<'a>(context: &Context<'a>) -> Result<&'a crate::access::Ctx> {
    ctx(context).map_err(|error| Error::internal(error.message))
}
