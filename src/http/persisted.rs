//! Documents that are known by their hash: whoever sends the hash need not send the document.
//!
//! Called by `graphql.rs`, which gets the document of a request or why there is none. Two kinds are known. Documents that
//! an operator has registered stand behind the [`Backend`], the same on every node. Documents that somebody sent with their hash
//! are kept in the memory of this process, within a bound, once they passed the gate (automatic persisted queries); another node
//! may ask for them again. Where only registered documents may run ([`DocumentsMode::Registered`]) nothing is kept here, and a
//! document that comes as text is looked up by its hash too. A hash gives no right to anything: whoever sends it has their own.
//!
//! A hash comes in one of two forms: `extensions.persistedQuery` with `version` 1 and `sha256Hash`, as Apollo's clients and urql
//! have it, or `documentId` with `sha256:` before the digits, as the appendix of GraphQL over HTTP has it. Of the answers, clients
//! take `PersistedQueryNotFound` as the wish to be sent the document too. Where that would not help, the answer is one of
//! those of Apollo's router, which no client answers by itself: least of all `PersistedQueryNotSupported`, after which they
//! would send no hash any more until they are started anew.

use std::{borrow::Cow, sync::Arc, time::Duration};

use entity::values::DocumentHash;
use serde_json::{Map, Value};

use super::{
    answer::{BAD_REQUEST, UNAVAILABLE},
    backend::Backend,
    params::Params,
    settings::DocumentsMode,
};

/// `extensions.code` of a hash that is not known here, where the document may be sent with it.
pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
/// `extensions.code` of a hash under which nothing is registered, where only registered documents run.
pub const PERSISTED_QUERY_NOT_IN_LIST: &str = "PERSISTED_QUERY_NOT_IN_LIST";
/// `extensions.code` of a document that is not registered, where only registered documents run.
pub const QUERY_NOT_IN_SAFELIST: &str = "QUERY_NOT_IN_SAFELIST";

/// Bytes of documents kept.
const ROOM: u64 = 8 * 1024 * 1024;

/// Why a request leads to no document; the text is fit to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDocument {
    /// Clients look for this text, and send the document with its hash.
    #[error("PersistedQueryNotFound")]
    NotFound,
    /// The hash is that of another document.
    #[error("the hash that was sent is not that of the document")]
    Mismatch,
    /// Only registered documents run, and this hash is none of theirs; it is no use to send the document.
    #[error("no document is registered under this hash, and only registered documents run here")]
    HashNotRegistered,
    /// Only registered documents run, and this is none of them.
    #[error("this document is not registered, and only registered documents run here")]
    TextNotRegistered,
    /// Registered documents cannot be read at the moment; try again soon.
    #[error("registered documents cannot be read at the moment")]
    Unavailable,
}

impl NoDocument {
    /// The value of `extensions.code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => PERSISTED_QUERY_NOT_FOUND,
            Self::Mismatch => BAD_REQUEST,
            Self::HashNotRegistered => PERSISTED_QUERY_NOT_IN_LIST,
            Self::TextNotRegistered => QUERY_NOT_IN_SAFELIST,
            Self::Unavailable => UNAVAILABLE,
        }
    }
}

/// Finds the documents of requests.
#[derive(Debug)]
pub struct Documents {
    mode: DocumentsMode,
    /// Longest time that the backend is waited for.
    wait: Duration,
    /// Those that were sent with their hash.
    kept: moka::sync::Cache<DocumentHash, Arc<str>>,
}

impl Documents {
    /// None kept yet.
    pub fn new(mode: DocumentsMode, wait: Duration) -> Self {
        let size =
            |_: &DocumentHash, text: &Arc<str>| u32::try_from(text.len() + 256).unwrap_or(u32::MAX);
        Self {
            mode,
            wait,
            kept: moka::sync::Cache::builder()
                .weigher(size)
                .max_capacity(ROOM)
                .build(),
        }
    }

    /// The document of a request.
    ///
    /// # Errors
    /// When the hash is unknown, or that of another document than the one beside it; when the document may not run here.
    pub async fn find<'p, B: Backend>(
        &self,
        params: &'p Params,
        backend: &B,
    ) -> Result<Cow<'p, str>, NoDocument> {
        match (&params.query, params.hash) {
            (Some(query), told) => {
                self.admit(query, told, backend).await?;
                Ok(Cow::Borrowed(query))
            }
            (None, Some(hash)) => {
                let known = match self.kept.get(&hash) {
                    Some(text) => Some(text),
                    None => self.registered(hash, backend).await?,
                };
                known
                    .map(|text| Cow::Owned(text.to_string()))
                    .ok_or(match self.mode {
                        DocumentsMode::Any => NoDocument::NotFound,
                        DocumentsMode::Registered => NoDocument::HashNotRegistered,
                    })
            }
            (None, None) => Err(NoDocument::NotFound),
        }
    }

    /// Looks whether a document that was sent may run, and whether the hash beside it is its own.
    async fn admit<B: Backend>(
        &self,
        query: &str,
        told: Option<DocumentHash>,
        backend: &B,
    ) -> Result<(), NoDocument> {
        if self.mode == DocumentsMode::Any {
            let Some(told) = told else { return Ok(()) };
            // What is kept needs no computing.
            if self.kept.get(&told).as_deref() == Some(query) {
                return Ok(());
            }
        }
        let hash = DocumentHash::of(query);
        if told.is_some_and(|told| told != hash) {
            return Err(NoDocument::Mismatch);
        }
        match self.mode {
            DocumentsMode::Any => Ok(()),
            DocumentsMode::Registered => match self.registered(hash, backend).await? {
                Some(_) => Ok(()),
                None => Err(NoDocument::TextNotRegistered),
            },
        }
    }

    async fn registered<B: Backend>(
        &self,
        hash: DocumentHash,
        backend: &B,
    ) -> Result<Option<Arc<str>>, NoDocument> {
        match tokio::time::timeout(self.wait, backend.document(hash)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(_)) | Err(_) => Err(NoDocument::Unavailable),
        }
    }

    /// Keeps the document of a request that passed the gate, when it came with its hash and any document may run.
    pub fn keep(&self, params: &Params) {
        if self.mode == DocumentsMode::Any
            && let (Some(query), Some(hash)) = (&params.query, &params.hash)
            && !self.kept.contains_key(hash)
        {
            self.kept.insert(*hash, query.as_str().into());
        }
    }
}

/// The hash that a request names, in either form.
///
/// # Errors
/// A text fit to show when it is not as the protocol has it, or two forms name different ones.
pub fn hash(
    document_id: Option<&str>,
    extensions: &Map<String, Value>,
) -> Result<Option<DocumentHash>, &'static str> {
    match (by_id(document_id)?, by_extension(extensions)?) {
        (Some(one), Some(other)) if one != other => {
            Err("documentId and extensions.persistedQuery name different documents")
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn by_id(id: Option<&str>) -> Result<Option<DocumentHash>, &'static str> {
    let Some(id) = id else { return Ok(None) };
    DocumentHash::parse(id.strip_prefix("sha256:").unwrap_or(id))
        .map(Some)
        .map_err(|_| "documentId must be `sha256:` and 64 hexadecimal digits")
}

fn by_extension(extensions: &Map<String, Value>) -> Result<Option<DocumentHash>, &'static str> {
    let Some(told) = extensions.get("persistedQuery") else {
        return Ok(None);
    };
    if told.get("version").and_then(Value::as_u64) != Some(1) {
        return Err("extensions.persistedQuery must have the version 1");
    }
    told.get("sha256Hash")
        .and_then(Value::as_str)
        .and_then(|digits| DocumentHash::parse(digits).ok())
        .map(Some)
        .ok_or("extensions.persistedQuery.sha256Hash must be 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GOOD: &str = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";

    fn told(extensions: Value) -> Result<Option<DocumentHash>, &'static str> {
        hash(None, extensions.as_object().unwrap())
    }

    fn apollo(version: Value, hash: Value) -> Value {
        json!({ "persistedQuery": { "version": version, "sha256Hash": hash } })
    }

    #[test]
    fn a_hash_is_read_as_apollo_has_it() {
        let known = DocumentHash::of("{__typename}");
        assert_eq!(told(apollo(json!(1), json!(GOOD))), Ok(Some(known)));
        let upper = json!(GOOD.to_uppercase());
        assert_eq!(told(apollo(json!(1), upper)), Ok(Some(known)));
        assert_eq!(told(json!({ "other": 1 })), Ok(None));
        for (version, hash) in [
            (json!(2), json!(GOOD)),
            (json!("1"), json!(GOOD)),
            (json!(null), json!(GOOD)),
            (json!(1), json!(null)),
            (json!(1), json!(&GOOD[1..])),
            (json!(1), json!(format!("sha256:{GOOD}"))),
        ] {
            assert!(told(apollo(version, hash)).is_err());
        }
        assert!(told(json!({ "persistedQuery": GOOD })).is_err());
    }

    #[test]
    fn a_hash_is_read_as_graphql_over_http_has_it() {
        let known = DocumentHash::of("{__typename}");
        let none = Map::new();
        let prefixed = format!("sha256:{GOOD}");
        for id in [GOOD, prefixed.as_str()] {
            assert_eq!(hash(Some(id), &none), Ok(Some(known)));
        }
        for id in [
            "",
            "sha256:",
            "x-mine:1",
            "md5:0",
            &GOOD[1..],
            "sha256:sha256:",
        ] {
            assert!(hash(Some(id), &none).is_err(), "{id}");
        }
        // In both forms it must be the same.
        let same = apollo(json!(1), json!(GOOD));
        let other = apollo(json!(1), json!(DocumentHash::of("{a}").to_string()));
        assert_eq!(hash(Some(GOOD), same.as_object().unwrap()), Ok(Some(known)));
        assert!(hash(Some(GOOD), other.as_object().unwrap()).is_err());
    }
}
