//! The explorer: the page that a browser gets at the endpoint, and the files that it loads.
//!
//! Made once by `server.rs`; the page is asked for by `graphql.rs`. Each page comes with a policy that names everything
//! it may load. Scripts come from files only, never from the page's own text, and evaluate none. Styles may be inline:
//! the editors place each line by a style attribute and write style elements for their themes. Fonts and pictures in
//! `data:` addresses are those of GraphiQL's style sheet.

use std::{collections::HashMap, fmt::Write};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
        CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, ETAG, HeaderMap, IF_NONE_MATCH,
        VARY,
    },
    web,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use explorer::{BUILT, Built, CDN, File, PINS_HERE, PLAIN_FILES, PLAIN_PAGE, SETTINGS, pins};
use sha2::{Digest, Sha256};

use super::settings::ExplorerPage;

/// Below the endpoint's own directory.
const DIRECTORY: &str = "explorer";
/// What a page says of itself where it shows the demonstration, whose accounts it may then offer.
const DEMO: &str = r#"<meta name="regulars-demo" content="yes" />"#;
/// A name holds a hash of the content: what is there never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// To be asked for again each time, which costs a header when nothing has changed.
const ASK_AGAIN: &str = "no-cache";

/// A page and its files, ready to be sent.
#[derive(Debug)]
pub(super) struct Explorer {
    page: String,
    tag: String,
    policy: String,
    files: HashMap<&'static str, Asset>,
}

#[derive(Debug)]
struct Asset {
    file: File,
    media: &'static str,
    tag: String,
    cached: &'static str,
}

impl Explorer {
    /// Makes the page that is asked for; the plain one too where none was built. `None` where it is switched off.
    pub(super) fn new(which: ExplorerPage, demo: bool) -> Option<Self> {
        match (which, BUILT) {
            (ExplorerPage::Off, _) => None,
            (ExplorerPage::On, Some(built)) => Some(Self::built(&built, demo)),
            (ExplorerPage::On, None) | (ExplorerPage::Plain, _) => Some(Self::plain(demo)),
        }
    }

    fn built(built: &Built, demo: bool) -> Self {
        Self::of(
            built.page.to_owned(),
            demo,
            &policy("", ""),
            built.files,
            FOR_GOOD,
        )
    }

    fn plain(demo: bool) -> Self {
        let (mut tags, mut scripts, mut styles) = (String::new(), String::new(), String::new());
        for pin in pins() {
            let (address, integrity) = (format!("{CDN}{}", pin.path), pin.integrity);
            // Writing to a text does not fail.
            let _ = if address.ends_with(".css") {
                let _ = write!(styles, " {address}");
                writeln!(
                    tags,
                    r#"<link rel="stylesheet" href="{address}" integrity="{integrity}" crossorigin="anonymous" />"#
                )
            } else {
                let _ = write!(scripts, " {address}");
                writeln!(
                    tags,
                    r#"<script src="{address}" integrity="{integrity}" crossorigin="anonymous"></script>"#
                )
            };
        }
        let page = PLAIN_PAGE.replacen(PINS_HERE, tags.trim_end(), 1);
        Self::of(
            page,
            demo,
            &policy(&scripts, &styles),
            PLAIN_FILES,
            ASK_AGAIN,
        )
    }

    fn of(page: String, demo: bool, policy: &str, files: &[File], cached: &'static str) -> Self {
        let page = page.replacen(SETTINGS, if demo { DEMO } else { "" }, 1);
        let files = files.iter().filter_map(|file| {
            let asset = Asset {
                file: *file,
                media: file.media()?,
                tag: tag(file.body),
                cached,
            };
            Some((file.name, asset))
        });
        Self {
            tag: tag(page.as_bytes()),
            policy: policy.to_owned(),
            files: files.collect(),
            page,
        }
    }

    /// The page, or that the browser has it already.
    pub(super) fn page(&self, headers: &HeaderMap) -> HttpResponse {
        let mut answer = if known(headers, &self.tag) {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        answer
            .insert_header((CONTENT_SECURITY_POLICY, self.policy.as_str()))
            .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
            .insert_header((ETAG, self.tag.as_str()))
            .insert_header((CACHE_CONTROL, ASK_AGAIN))
            // The same address answers GraphQL to others.
            .insert_header((VARY, "Accept"));
        if known(headers, &self.tag) {
            return answer.finish();
        }
        answer
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(self.page.clone())
    }

    fn file(&self, name: &str, headers: &HeaderMap) -> HttpResponse {
        let Some(asset) = self.files.get(name) else {
            return HttpResponse::NotFound().finish();
        };
        let mut answer = if known(headers, &asset.tag) {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        answer
            .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
            .insert_header((ETAG, asset.tag.as_str()))
            .insert_header((CACHE_CONTROL, asset.cached))
            .insert_header((VARY, "Accept-Encoding"));
        if known(headers, &asset.tag) {
            return answer.finish();
        }
        answer.insert_header((CONTENT_TYPE, asset.media));
        let file = &asset.file;
        for (encoding, body) in [("br", file.brotli), ("gzip", file.gzip)] {
            if let Some(body) = body
                && accepts(headers, encoding)
            {
                answer.insert_header((CONTENT_ENCODING, encoding));
                return answer.body(web::Bytes::from_static(body));
            }
        }
        answer.body(web::Bytes::from_static(file.body))
    }
}

/// Where the files are served, for an endpoint at `path`: the page names them relative to itself.
pub(super) fn pattern(path: &str) -> String {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{directory}/{DIRECTORY}/{{name}}")
}

/// Answers with one file.
pub(super) async fn file(
    request: HttpRequest,
    name: web::Path<String>,
    explorer: web::Data<Explorer>,
) -> HttpResponse {
    explorer.file(&name, request.headers())
}

fn policy(scripts: &str, styles: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'{styles}; \
         font-src 'self' data:; img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

/// A weak tag: the same content may be sent compressed or not.
fn tag(content: &[u8]) -> String {
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
    format!("W/\"{hash}\"")
}

/// Whether the browser says that it has what carries this tag.
fn known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|held| held.trim() == tag || held.trim() == "*")
}

/// Whether the browser takes this encoding. Ranges (`*`) are not looked at: nobody who sends one needs it.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|held| {
            let (name, quality) = held.split_once(';').unwrap_or((held, ""));
            let refused = quality
                .trim()
                .strip_prefix("q=")
                .is_some_and(|quality| quality.parse().is_ok_and(|quality: f32| quality <= 0.0));
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};
    use actix_web::{body::MessageBody, http::StatusCode};

    const SAMPLE: Built = Built {
        page: "<head><!--settings--></head>",
        files: &[File {
            name: "page-1a2b.js",
            body: b"whole",
            brotli: Some(b"br"),
            gzip: Some(b"gz"),
        }],
    };

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (name.clone(), value)
        });
        pairs.collect()
    }

    fn said(answer: &HttpResponse, name: HeaderName) -> &str {
        let value = answer.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn files_go_out_as_they_are_taken_best() {
        let explorer = Explorer::built(&SAMPLE, false);
        for (accepted, encoding, body) in [
            ("gzip, deflate, br, zstd", "br", "br"),
            ("gzip, br;q=0", "gzip", "gz"),
            ("GZIP;q=0.5", "gzip", "gz"),
            ("identity", "", "whole"),
            ("", "", "whole"),
        ] {
            let answer = explorer.file("page-1a2b.js", &headers(&[(ACCEPT_ENCODING, accepted)]));
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(said(&answer, CONTENT_ENCODING), encoding, "{accepted}");
            assert_eq!(said(&answer, VARY), "Accept-Encoding");
            assert_eq!(said(&answer, CACHE_CONTROL), FOR_GOOD);
            assert_eq!(
                said(&answer, CONTENT_TYPE),
                "text/javascript; charset=utf-8"
            );
            let sent = answer.into_body().try_into_bytes().unwrap();
            assert_eq!(sent, body, "{accepted}");
        }
        let missing = explorer.file("page.js", &headers(&[]));
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let explorer = Explorer::built(&SAMPLE, false);
        let nothing = headers(&[]);
        for (first, again) in [
            (
                explorer.page(&nothing),
                &(|headers: &HeaderMap| explorer.page(headers))
                    as &dyn Fn(&HeaderMap) -> HttpResponse,
            ),
            (explorer.file("page-1a2b.js", &nothing), &|headers| {
                explorer.file("page-1a2b.js", headers)
            }),
        ] {
            let tag = said(&first, ETAG).to_owned();
            let known = again(&headers(&[(IF_NONE_MATCH, &format!("\"other\", {tag}"))]));
            assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(said(&known, ETAG), tag);
            let other = again(&headers(&[(IF_NONE_MATCH, "\"other\"")]));
            assert_eq!(other.status(), StatusCode::OK);
        }
    }

    #[test]
    fn only_the_demonstration_offers_its_accounts() {
        for make in [
            |demo| Explorer::built(&SAMPLE, demo),
            |demo| Explorer::plain(demo),
        ] {
            let (shop, demo) = (make(false), make(true));
            assert!(!shop.page.contains("regulars-demo\""));
            assert!(demo.page.contains("regulars-demo\""));
            assert!(!shop.page.contains(SETTINGS) && !demo.page.contains(SETTINGS));
            assert_ne!(shop.tag, demo.tag);
        }
    }

    #[test]
    fn the_plain_page_may_load_its_pinned_files_and_nothing_else() {
        let explorer = Explorer::plain(false);
        assert_eq!(explorer.policy.matches(CDN).count(), pins().count());
        assert!(!explorer.page.contains(PINS_HERE));
        for pin in pins() {
            let address = format!("{CDN}{}", pin.path);
            assert!(explorer.policy.contains(&address), "{address}");
            let tag = format!("\"{address}\" integrity=\"{}\"", pin.integrity);
            assert!(explorer.page.contains(&tag), "{address}");
        }
        for name in ["plain.js", "header.js", "session.js", "stream.js"] {
            let answer = explorer.file(name, &headers(&[]));
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            assert_eq!(said(&answer, CACHE_CONTROL), ASK_AGAIN);
        }
    }

    #[test]
    fn no_policy_lets_text_become_a_script() {
        for explorer in [Explorer::built(&SAMPLE, true), Explorer::plain(true)] {
            let script = explorer
                .policy
                .split("; ")
                .find(|part| part.starts_with("script-src"))
                .unwrap();
            assert!(!script.contains("unsafe"), "{script}");
            assert!(
                !script.contains("data:") && !script.contains('*'),
                "{script}"
            );
            for part in [
                "default-src 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
            ] {
                assert!(explorer.policy.contains(part), "{part}");
            }
        }
    }

    #[test]
    fn files_are_served_beside_the_endpoint() {
        assert_eq!(pattern("/graphql"), "/explorer/{name}");
        assert_eq!(pattern("/api/graphql"), "/api/explorer/{name}");
    }

    #[test]
    fn it_can_be_switched_off_and_is_always_there_otherwise() {
        assert!(Explorer::new(ExplorerPage::Off, true).is_none());
        let plain = Explorer::new(ExplorerPage::Plain, false).unwrap();
        assert!(plain.page.contains(CDN));
        let usual = Explorer::new(ExplorerPage::On, false).unwrap();
        assert_eq!(usual.page.contains(CDN), BUILT.is_none());
    }
}
