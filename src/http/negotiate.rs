//! Which media type an answer gets, by the `Accept` header.
//!
//! Called by `graphql.rs` first of all, because the answer's type decides about statuses too. Pure functions.

/// The media types that the endpoint answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: statuses tell what happened.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

impl MediaType {
    /// The `Content-Type` of the answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// What the client would like best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preference {
    /// The answer's type; `None` where the client takes neither.
    pub media: Option<MediaType>,
    /// Whether HTML was asked for by name and is liked at least as much.
    pub html: bool,
    /// Whether a stream of events was asked for by name.
    pub stream: bool,
}

/// How well one candidate is served: quality in thousandths, how closely it was named, its place in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Match {
    quality: u16,
    specificity: u8,
    place: usize,
}

/// Reads all `Accept` headers, joined by commas. `None` stands for no such header.
pub fn negotiate(accept: Option<&str>) -> Preference {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Preference {
            media: Some(MediaType::Json),
            html: false,
            stream: false,
        };
    };
    let find = |wanted: &str| best(accept, wanted).filter(|found| found.quality > 0);
    let json = find("application/json");
    let graphql = find("application/graphql-response+json");
    let media = match (graphql, json) {
        (Some(graphql), Some(json)) if preferred(graphql, json) => Some(MediaType::GraphqlResponse),
        (_, Some(_)) => Some(MediaType::Json),
        (Some(_), None) => Some(MediaType::GraphqlResponse),
        (None, None) => None,
    };
    let quality = graphql.max_by_quality(json);
    let html =
        find("text/html").is_some_and(|html| html.specificity == 2 && html.quality >= quality);
    let stream = find("text/event-stream").is_some_and(|stream| stream.specificity == 2);
    Preference {
        media,
        html,
        stream,
    }
}

trait MaxByQuality {
    fn max_by_quality(self, other: Self) -> u16;
}

impl MaxByQuality for Option<Match> {
    fn max_by_quality(self, other: Self) -> u16 {
        let quality = |found: Self| found.map_or(0, |found| found.quality);
        quality(self).max(quality(other))
    }
}

/// Whether `a` wins over `b`: quality, then being named more closely, then standing first.
fn preferred(a: Match, b: Match) -> bool {
    (a.quality, a.specificity, b.place) > (b.quality, b.specificity, a.place)
}

/// The closest range for a media type decides about its quality (RFC 9110, 12.5.1).
fn best(accept: &str, wanted: &str) -> Option<Match> {
    let (wanted_type, _) = wanted.split_once('/')?;
    let mut found: Option<Match> = None;
    for (place, range) in accept.split(',').enumerate() {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specificity = if name == wanted {
            2
        } else if name.split_once('/') == Some((wanted_type, "*")) {
            1
        } else if name == "*/*" {
            0
        } else {
            continue;
        };
        let mut quality = 1000;
        let mut servable = true;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"');
            if key.trim().eq_ignore_ascii_case("q") {
                quality = thousandths(value);
            } else if key.trim().eq_ignore_ascii_case("charset") {
                servable = is_utf8(value);
            }
        }
        if servable && found.is_none_or(|found| specificity > found.specificity) {
            found = Some(Match {
                quality,
                specificity,
                place,
            });
        }
    }
    found
}

fn thousandths(value: &str) -> u16 {
    match value.parse::<f32>() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1000 first"
        )]
        Ok(quality) if quality.is_finite() => (quality.clamp(0.0, 1.0) * 1000.0).round() as u16,
        _ => 0,
    }
}

/// Whether this is the one charset spoken here.
pub fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Whether a `Content-Type` is JSON in UTF-8.
pub fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("application/json"))
        && parts.all(|part| match part.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => {
                is_utf8(value.trim().trim_matches('"'))
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_by_quality_then_closeness_then_order() {
        use MediaType::{GraphqlResponse as G, Json as J};
        for (accept, media) in [
            (None, Some(J)),
            (Some(""), Some(J)),
            (Some("*/*"), Some(J)),
            (Some("application/*"), Some(J)),
            (Some("application/json"), Some(J)),
            (Some("application/graphql-response+json"), Some(G)),
            (Some("APPLICATION/GraphQL-Response+JSON"), Some(G)),
            (
                Some("application/graphql-response+json, application/json"),
                Some(G),
            ),
            (
                Some("application/json, application/graphql-response+json"),
                Some(J),
            ),
            (
                Some("application/json;q=0.5, application/graphql-response+json;q=0.9"),
                Some(G),
            ),
            (
                Some("application/graphql-response+json;q=0.1, application/json"),
                Some(J),
            ),
            (
                Some("application/graphql-response+json, */*;q=0.1"),
                Some(G),
            ),
            (Some("application/graphql-response+json, */*"), Some(G)),
            (
                Some("multipart/mixed, application/graphql-response+json"),
                Some(G),
            ),
            (Some("application/json;q=0, */*"), Some(G)),
            (Some("application/json;charset=utf-8"), Some(J)),
            (Some("application/json;charset=iso-8859-1"), None),
            (Some("application/json;q=0"), None),
            (Some("text/html"), None),
            (Some("image/png, text/*"), None),
            (Some("application/json;q=nonsense"), None),
            (Some(",,;;=,/"), None),
        ] {
            assert_eq!(negotiate(accept).media, media, "{accept:?}");
        }
    }

    #[test]
    fn browsers_get_html() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(negotiate(Some(browser)).html);
        for accept in [
            "*/*",
            "application/json",
            "text/html;q=0.5, application/json",
        ] {
            assert!(!negotiate(Some(accept)).html, "{accept}");
        }
    }

    #[test]
    fn streams_are_asked_for_by_name() {
        let only = negotiate(Some("text/event-stream"));
        assert!(only.stream && only.media.is_none());
        let both = negotiate(Some(
            "application/graphql-response+json, application/json, text/event-stream",
        ));
        assert!(both.stream && both.media == Some(MediaType::GraphqlResponse));
        for accept in [
            None,
            Some("*/*"),
            Some("text/*"),
            Some("text/event-stream;q=0"),
        ] {
            assert!(!negotiate(accept).stream, "{accept:?}");
        }
    }

    #[test]
    fn content_types() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/jsonp",
            "application/json; charset=utf-16",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
