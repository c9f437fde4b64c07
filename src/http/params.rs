//! The parameters of a GraphQL request, from a JSON body or from a query string.
//!
//! Called by `graphql.rs`. Only shapes are checked here; what they mean is the gate's matter.

use entity::values::DocumentHash;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::persisted;

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// The document; none where its hash stands for it.
    pub query: Option<String>,
    /// The hash of the document. There is at least one of both.
    pub hash: Option<DocumentHash>,
    /// Which of its operations to run.
    pub operation_name: Option<String>,
    /// Values for its variables.
    pub variables: Map<String, Value>,
}

/// The request is not a GraphQL request; the text is fit to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadParams(String);

impl BadParams {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Members that GraphQL over HTTP does not name are ignored; one that is named twice is an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

impl Params {
    /// Reads a body. Nesting is bounded by the JSON parser (127 levels).
    pub fn from_body(body: &[u8]) -> Result<Self, BadParams> {
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => {}
            Some(b'[') => return Err(BadParams::new("batches of requests are not supported")),
            Some(_) => return Err(BadParams::new("the body must be a JSON object")),
            None => return Err(BadParams::new("the body is empty")),
        }
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            // The parser's text may quote the body.
            let what = match error.classify() {
                serde_json::error::Category::Data => describe(&error),
                // The parser has no category of its own for it.
                _ if error.to_string().starts_with("recursion limit exceeded") => {
                    "is nested too deeply: at most 127 levels are read".to_owned()
                }
                _ => "is not valid JSON".to_owned(),
            };
            BadParams(format!(
                "the body {what} (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        Self::new(
            body.query,
            body.document_id.as_deref(),
            body.operation_name,
            body.variables.unwrap_or_default(),
            &body.extensions.unwrap_or_default(),
        )
    }

    fn new(
        query: Option<String>,
        document_id: Option<&str>,
        operation_name: Option<String>,
        variables: Map<String, Value>,
        extensions: &Map<String, Value>,
    ) -> Result<Self, BadParams> {
        let hash = persisted::hash(document_id, extensions).map_err(BadParams::new)?;
        if query.is_none() && hash.is_none() {
            return Err(BadParams::new("the parameter `query` is missing"));
        }
        Ok(Self {
            query,
            hash,
            operation_name,
            variables,
        })
    }

    /// Reads a query string: `query`, `documentId`, `operationName`, `variables` and `extensions`, the last two as
    /// JSON text.
    pub fn from_query_string(text: &str) -> Result<Self, BadParams> {
        let mut query = None;
        let mut document_id = None;
        let mut operation_name = None;
        let mut variables = None;
        let mut extensions = None;
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match decode(key)?.as_str() {
                "query" => &mut query,
                "documentId" => &mut document_id,
                "operationName" => &mut operation_name,
                "variables" => &mut variables,
                "extensions" => &mut extensions,
                _ => continue,
            };
            if slot.replace(decode(value)?).is_some() {
                return Err(BadParams(format!("the parameter `{key}` is given twice")));
            }
        }
        Self::new(
            query,
            document_id.as_deref(),
            operation_name.filter(|name| !name.is_empty()),
            object("variables", variables)?,
            &object("extensions", extensions)?,
        )
    }
}

fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let members = [
        "query",
        "documentId",
        "operationName",
        "variables",
        "extensions",
    ];
    if let Some(name) = members
        .into_iter()
        .find(|name| text.starts_with(&format!("duplicate field `{name}`")))
    {
        return format!("has the member `{name}` twice");
    }
    "has a member of the wrong type: `query`, `documentId` and `operationName` are strings, `variables` and \
     `extensions` objects"
        .to_owned()
}

fn object(name: &str, text: Option<String>) -> Result<Map<String, Value>, BadParams> {
    match text.as_deref() {
        None | Some("") => Ok(Map::new()),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(Value::Null) => Ok(Map::new()),
            _ => Err(BadParams(format!(
                "the parameter `{name}` must be a JSON object"
            ))),
        },
    }
}

/// Percent-decoding as for forms: `+` is a space; what is not UTF-8 afterwards is refused.
fn decode(text: &str) -> Result<String, BadParams> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
                match (digit(rest.next()), digit(rest.next())) {
                    (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or(b'?'),
                    _ => return Err(BadParams::new("the query string is not percent-encoded")),
                }
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| BadParams::new("the query string is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies() {
        let good = Params::from_body(
            br#" {"query":"{a}","operationName":null,"variables":{"b":[1]},"extensions":{},"other":1}"#,
        )
        .unwrap();
        assert_eq!(good.query.as_deref(), Some("{a}"));
        assert_eq!(good.variables.len(), 1);
        for bad in [
            &b""[..],
            b" ",
            b"null",
            b"[]",
            b"[\"{a}\"]",
            b"\"{a}\"",
            b"{}",
            b"{\"query\":",
            b"{\"query\":1}",
            b"{\"query\":null}",
            b"{\"query\":\"{a}\",\"query\":\"{b}\"}",
            b"{\"documentId\":1}",
            b"{\"documentId\":\"x\"}",
            b"{\"documentId\":null}",
            b"{\"query\":\"{a}\",\"variables\":{},\"variables\":{}}",
            b"{\"query\":\"{a}\",\"variables\":[]}",
            b"{\"query\":\"{a}\",\"operationName\":1}",
            b"{\"query\":\"{a}\",\"extensions\":\"a\"}",
            b"{\"query\":\"{a}\",\"extensions\":{\"persistedQuery\":1}}",
            b"{\"query\":\"{a}\"} x",
            b"{\"query\":\"\xff\"}",
            b"\xef\xbb\xbf{\"query\":\"{a}\"}",
        ] {
            assert!(
                Params::from_body(bad).is_err(),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
        // A member that nobody reads is walked without being kept, however deep it is.
        let deep = format!("{{\"query\":\"{{a}}\",\"x\":{}", "[".repeat(100_000));
        assert!(Params::from_body(deep.as_bytes()).is_err());
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        let deep = format!("{{\"query\":\"{{a}}\",\"variables\":{{\"x\":{open}{close}}}}}");
        let told = Params::from_body(deep.as_bytes()).unwrap_err().to_string();
        assert!(told.contains("nested too deeply"), "{told}");
        let told = Params::from_body(b"{\"query\":").unwrap_err().to_string();
        assert!(told.contains("not valid JSON"), "{told}");
    }

    #[test]
    fn query_strings() {
        let good =
            Params::from_query_string("query=%7Ba%7D&variables=%7B%22b%22:1%7D&operationName=")
                .unwrap();
        assert_eq!(good.query.as_deref(), Some("{a}"));
        assert_eq!(good.operation_name, None);
        assert_eq!(good.variables.len(), 1);
        for bad in [
            "",
            "operationName=a",
            "query=%ff%fe",
            "query=%4",
            "query=%zz",
            "query={a}&query={b}",
            "documentId=",
            "query={a}&documentId=1",
            "query={a}&variables=%7B",
            "query={a}&variables=[]",
            "query={a}&extensions=%7B",
        ] {
            assert!(Params::from_query_string(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC*") {
            let _ = Params::from_body(&bytes);
            let _ = Params::from_query_string(&text);
        }
    }
}
