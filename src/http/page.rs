//! What a browser sees at the endpoint: one page that says where it is.
//!
//! Served by `graphql.rs` for `GET` without a query where the explorer is switched off. Self-contained and without
//! scripts.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
};

const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page. `path` is the endpoint's own path, from the settings.
pub fn page(path: &str) -> HttpResponse {
    let path: String = path
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "/-_.~".contains(*c))
        .collect();
    let text = format!(
        r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>regulars: GraphQL API</title></head>
<body>
<h1>regulars</h1>
<p>This is a GraphQL API. Send it <code>POST {path}</code> with <code>Content-Type: application/json</code>:</p>
<pre>{{"query": "{{ __typename }}"}}</pre>
<p>Sign in with the mutation <code>sessionCreate</code> and send its token as <code>Authorization: Bearer ...</code>.
Any GraphQL client can read the schema by introspection.</p>
</body>
</html>
"#
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(text)
}
