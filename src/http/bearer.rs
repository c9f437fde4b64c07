//! Takes the access token out of the `Authorization` header.
//!
//! Called by `graphql.rs`, `websocket/` and `metrics.rs`. Knows nothing of what a token means.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

/// The header is there and is not one bearer token: several headers, another scheme, characters no token has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authorization header must hold one bearer token")]
pub struct NotABearer;

/// Longest token that is looked at.
const LONGEST: usize = 8 * 1024;

/// The token, or `None` where no such header was sent.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, NotABearer> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(NotABearer);
    }
    token(value.to_str().map_err(|_| NotABearer)?).map(Some)
}

/// The token in a text such as the header's.
pub fn token(text: &str) -> Result<&str, NotABearer> {
    let (scheme, token) = text.trim().split_once(' ').ok_or(NotABearer)?;
    let token = token.trim_start();
    let is_token = !token.is_empty()
        && token.len() <= LONGEST
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    if scheme.eq_ignore_ascii_case("bearer") && is_token {
        Ok(token)
    } else {
        Err(NotABearer)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn parse(values: &[&'static str]) -> Result<Option<String>, NotABearer> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn takes_one_bearer_token_and_nothing_else() {
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&["Bearer a.b-c_d"]), Ok(Some("a.b-c_d".to_owned())));
        assert_eq!(parse(&["bEARER   abc=="]), Ok(Some("abc==".to_owned())));
        for bad in [
            &["Basic YTpi"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a,b"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(parse(bad), Err(NotABearer), "{bad:?}");
        }
    }
}
