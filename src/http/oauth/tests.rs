//! What is read of a request for a token, and what is refused.

use super::*;
use actix_web::test::TestRequest;

const ID: &str = "0190a1b2-0000-7000-8000-000000000001";

fn header(client: &str, secret: &str) -> (&'static str, String) {
    let text = STANDARD.encode(format!("{client}:{secret}"));
    ("authorization", format!("Basic {text}"))
}

fn read(
    uri: &str,
    headers: &[(&'static str, String)],
    body: &str,
) -> Result<(String, String, Option<String>), OauthError> {
    let mut request = TestRequest::post()
        .uri(uri)
        .insert_header(("host", "crm.example"));
    for (name, value) in headers {
        request = request.append_header((*name, value.as_str()));
    }
    let issuer = Issuer {
        name: "regulars".to_owned(),
        audience: "regulars-api".to_owned(),
        scopes: Vec::new(),
    };
    let request = request.to_http_request();
    let targets = targets(&request, "/graphql", Some(&issuer));
    let asked = asked(&request, body.as_bytes(), &targets)?;
    Ok((
        asked.client,
        asked.secret.expose_secret().to_owned(),
        asked.scope,
    ))
}

fn form() -> (&'static str, String) {
    ("content-type", FORM.to_owned())
}

#[test]
fn credentials_come_in_the_header_or_in_the_form() {
    let expected = |scope: Option<&str>| {
        let scope = scope.map(str::to_owned);
        Ok((ID.to_owned(), "rgs_a-b_c".to_owned(), scope))
    };
    let grant = "grant_type=client_credentials";
    let sent = header(ID, "rgs_a-b_c");
    assert_eq!(
        read("/oauth/token", &[form(), sent.clone()], grant),
        expected(None)
    );
    // A strict library encodes whatever it may, and names the client once more.
    let strict = header(&ID.replace('-', "%2D"), "rgs%5Fa%2Db%5Fc");
    let body = format!("{grant}&client_id={ID}&scope=customers%3Aread+visits%3Arecord");
    assert_eq!(
        read("/oauth/token", &[form(), strict], &body),
        expected(Some("customers:read visits:record"))
    );
    let body = format!(
        "{grant}&client_id={ID}&client_secret=rgs_a-b_c&scope=&resource=https%3A%2F%2Fcrm.example%2Fgraphql&resource=regulars-api"
    );
    let typed = (
        "content-type",
        "Application/X-WWW-Form-URLencoded; charset=UTF-8".to_owned(),
    );
    assert_eq!(read("/oauth/token", &[typed], &body), expected(None));
}

#[test]
fn what_the_protocol_refuses_is_told_by_its_words() {
    let grant = "grant_type=client_credentials";
    let sent = || header(ID, "s");
    let both = format!("{grant}&client_id={ID}&client_secret=s");
    for (word, uri, headers, body) in [
        ("invalid_request", "/oauth/token", vec![sent()], grant),
        (
            "invalid_request",
            "/oauth/token",
            vec![("content-type", "application/json".to_owned()), sent()],
            grant,
        ),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), form(), sent()],
            grant,
        ),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), ("content-encoding", "gzip".to_owned()), sent()],
            grant,
        ),
        (
            "invalid_request",
            "/oauth/token?grant_type=client_credentials",
            vec![form(), sent()],
            grant,
        ),
        ("invalid_request", "/oauth/token", vec![form(), sent()], ""),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), sent()],
            "grant_type=client_credentials&grant_type=client_credentials",
        ),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), sent()],
            "grant_type=client_credentials&scope=a&scope=b",
        ),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), sent()],
            &both,
        ),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), sent()],
            "grant_type=client_credentials&client_id=another",
        ),
        (
            "invalid_request",
            "/oauth/token",
            vec![form(), sent(), sent()],
            grant,
        ),
        (
            "unsupported_grant_type",
            "/oauth/token",
            vec![form(), sent()],
            "grant_type=password",
        ),
        ("invalid_client", "/oauth/token", vec![form()], grant),
        (
            "invalid_client",
            "/oauth/token",
            vec![form()],
            "grant_type=client_credentials&client_secret=s",
        ),
        (
            "invalid_client",
            "/oauth/token",
            vec![form()],
            "grant_type=client_credentials&client_id=a&client_secret=",
        ),
        (
            "invalid_client",
            "/oauth/token",
            vec![form(), ("authorization", "Bearer abc".to_owned())],
            grant,
        ),
        (
            "invalid_client",
            "/oauth/token",
            vec![form(), ("authorization", "Basic ???".to_owned())],
            grant,
        ),
        (
            "invalid_target",
            "/oauth/token",
            vec![form(), sent()],
            "grant_type=client_credentials&resource=https%3A%2F%2Fother.example",
        ),
        (
            "invalid_target",
            "/oauth/token",
            vec![form(), sent()],
            "grant_type=client_credentials&resource=regulars-api&resource=x",
        ),
    ] {
        let told = read(uri, &headers, body).unwrap_err();
        assert_eq!(told.0, word, "{headers:?} {body}: {told:?}");
    }
}

#[test]
fn a_server_that_is_reached_from_elsewhere_is_reached_over_tls() {
    for (host, expected) in [
        ("crm.example", Some("https://crm.example")),
        ("crm.example:8443", Some("https://crm.example:8443")),
        ("localhost:8080", Some("http://localhost:8080")),
        ("127.0.0.1", Some("http://127.0.0.1")),
        ("[::1]:8080", Some("http://[::1]:8080")),
        ("[2001:db8::1]", Some("https://[2001:db8::1]")),
        (
            "localhost.evil.example",
            Some("https://localhost.evil.example"),
        ),
        ("evil.example/\"", None),
        ("", None),
    ] {
        let request = TestRequest::get()
            .insert_header(("host", host))
            .to_http_request();
        assert_eq!(base(request.headers()).as_deref(), expected, "{host}");
    }
}
