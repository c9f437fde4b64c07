//! Signing in through the company's provider on behalf of the endpoint: what `http` hands over becomes a call of the
//! service, and what it says becomes an answer.

use super::backend::Api;
use crate::access::{Ctx, Viewer};
use crate::domain::organization::SignInSettings;
use crate::domain::organization::company_sign_in::{self, Callback, Problem};
use crate::error::Error;
use crate::http::{Redirect, RequestOrigin, SignInRefusal, SignInReturn};
use secrecy::SecretString;

/// Begins.
pub(super) async fn begin(
    api: &Api,
    from: RequestOrigin,
    return_to: Option<String>,
    kept: Option<SecretString>,
) -> Result<Redirect, SignInRefusal> {
    let ctx = api.context(Viewer::Anonymous, from);
    let begun = company_sign_in::begin(&ctx, return_to.as_deref(), kept).await;
    let begun = begun.map_err(|problem| refusal(&ctx, problem))?;
    Ok(Redirect {
        location: begun.location,
        kept: begun.browser,
    })
}

/// Comes back.
pub(super) async fn finish(
    api: &Api,
    from: RequestOrigin,
    back: SignInReturn,
) -> Result<Redirect, SignInRefusal> {
    let ctx = api.context(Viewer::Anonymous, from);
    let callback = Callback {
        state: back.state,
        code: back.code,
        error: back.error,
        issuer: back.issuer,
        browser: back.kept,
    };
    let location = company_sign_in::finish(&ctx, callback)
        .await
        .map_err(|problem| refusal(&ctx, problem))?;
    Ok(Redirect {
        location,
        kept: None,
    })
}

fn refusal(ctx: &Ctx, problem: Problem) -> SignInRefusal {
    let error = match problem {
        Problem::Off => return SignInRefusal::Off,
        Problem::ReturnRefused => return SignInRefusal::ReturnRefused,
        Problem::Ended => return SignInRefusal::Ended,
        Problem::Service(error) => error,
    };
    match error {
        Error::RateLimited => SignInRefusal::RateLimited {
            retry_after: ctx
                .memory
                .of::<SignInSettings>()
                .attempts_window
                .to_std()
                .unwrap_or_default(),
        },
        Error::Unavailable(cause) => {
            tracing::warn!(request_id = %ctx.origin.request_id, %cause, "a sign-in could not go on");
            SignInRefusal::Unavailable
        }
        error => {
            tracing::error!(request_id = %ctx.origin.request_id, ?error, "a sign-in broke off");
            SignInRefusal::Internal
        }
    }
}
