//! Automatic persisted queries: whoever sends the hash of a document that was sent before need not send the document.
//!
//! Called by `graphql.rs`. The protocol is that of Apollo's clients, which urql and others speak too: a request has
//! `extensions.persistedQuery` with `version` 1 and `sha256Hash`; when the hash is unknown the answer says
//! `PersistedQueryNotFound`, and the client sends both. Only documents that passed the gate are kept, in the memory of this
//! process and within a bound, so another node may ask for the document again. A hash gives no right to anything: whoever
//! sends it has their own.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{answer::BAD_REQUEST, params::Params};

/// `extensions.code` of a hash that is not known here.
pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";

/// Bytes of documents kept.
const ROOM: u64 = 8 * 1024 * 1024;

/// SHA-256 of a document's text in UTF-8.
pub type Hash = [u8; 32];

/// Why a hash leads to no document; the text is fit to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDocument {
    /// Clients look for this text.
    #[error("PersistedQueryNotFound")]
    NotFound,
    /// The hash is that of another document.
    #[error("the hash in extensions.persistedQuery is not that of the document")]
    Mismatch,
}

impl NoDocument {
    /// `extensions.code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => PERSISTED_QUERY_NOT_FOUND,
            Self::Mismatch => BAD_REQUEST,
        }
    }
}

/// The documents that were sent with their hash.
#[derive(Debug)]
pub struct Documents(moka::sync::Cache<Hash, Arc<str>>);

impl Documents {
    /// None yet.
    pub fn new() -> Self {
        let size = |_: &Hash, text: &Arc<str>| u32::try_from(text.len() + 256).unwrap_or(u32::MAX);
        Self(
            moka::sync::Cache::builder()
                .weigher(size)
                .max_capacity(ROOM)
                .build(),
        )
    }

    /// The document of a request.
    ///
    /// # Errors
    /// When the hash is unknown, or that of another document than the one beside it.
    pub fn find<'p>(&self, params: &'p Params) -> Result<Cow<'p, str>, NoDocument> {
        match (&params.query, &params.persisted) {
            (Some(query), Some(hash)) if self.known(hash).as_deref() != Some(query.as_str()) => {
                if Sha256::digest(query.as_bytes()).as_slice() == hash {
                    Ok(Cow::Borrowed(query))
                } else {
                    Err(NoDocument::Mismatch)
                }
            }
            (Some(query), _) => Ok(Cow::Borrowed(query)),
            (None, Some(hash)) => match self.known(hash) {
                Some(text) => Ok(Cow::Owned(text.to_string())),
                None => Err(NoDocument::NotFound),
            },
            (None, None) => Err(NoDocument::NotFound),
        }
    }

    fn known(&self, hash: &Hash) -> Option<Arc<str>> {
        self.0.get(hash)
    }

    /// Keeps the document of a request that passed the gate, when it came with its hash.
    pub fn keep(&self, params: &Params) {
        if let (Some(query), Some(hash)) = (&params.query, &params.persisted)
            && !self.0.contains_key(hash)
        {
            self.0.insert(*hash, query.as_str().into());
        }
    }
}

/// The hash that a request's extensions name.
///
/// # Errors
/// A text fit to show when it is not as the protocol has it.
pub fn hash(extensions: &Map<String, Value>) -> Result<Option<Hash>, &'static str> {
    let Some(told) = extensions.get("persistedQuery") else {
        return Ok(None);
    };
    if told.get("version").and_then(Value::as_u64) != Some(1) {
        return Err("extensions.persistedQuery must have the version 1");
    }
    told.get("sha256Hash")
        .and_then(Value::as_str)
        .and_then(from_hex)
        .map(Some)
        .ok_or("extensions.persistedQuery.sha256Hash must be 64 hexadecimal digits")
}

fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let digits = text.as_bytes();
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let mut value = 0;
        for digit in pair {
            value = value * 16 + char::from(*digit).to_digit(16)?;
        }
        *byte = u8::try_from(value).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(extensions: Value) -> Result<Option<Hash>, &'static str> {
        hash(extensions.as_object().unwrap())
    }

    #[test]
    fn a_hash_is_read_as_the_protocol_has_it() {
        let good = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        let of = |version: Value, hash: Value| {
            told(json!({ "persistedQuery": { "version": version, "sha256Hash": hash } }))
        };
        // The document and the hash of Apollo's own description.
        let known: Hash = Sha256::digest(b"{__typename}").into();
        assert_eq!(of(json!(1), json!(good)), Ok(Some(known)));
        assert_eq!(of(json!(1), json!(good.to_uppercase())), Ok(Some(known)));
        assert_eq!(told(json!({ "other": 1 })), Ok(None));
        for (version, hash) in [
            (json!(2), json!(good)),
            (json!("1"), json!(good)),
            (json!(null), json!(good)),
            (json!(1), json!(null)),
            (json!(1), json!(&good[1..])),
            (json!(1), json!("x".repeat(64))),
            (json!(1), json!("\u{e9}".repeat(32))),
        ] {
            assert!(of(version, hash).is_err());
        }
        assert!(told(json!({ "persistedQuery": good })).is_err());
    }
}
