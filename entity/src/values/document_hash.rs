//! The hash by which a GraphQL document is known.
//!
//! Called by the endpoint, which is sent hashes instead of documents, and by whoever registers documents. It is that of the
//! text as it stands: another space is another document.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// Bytes of a hash.
const BYTES: usize = 32;

/// SHA-256 of a document's text in UTF-8. Shown as 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentHash([u8; BYTES]);

/// A text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 64 hexadecimal digits")]
pub struct NoHash;

impl DocumentHash {
    /// The hash of a document.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits, in upper or lower case.
    ///
    /// # Errors
    /// [`NoHash`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NoHash> {
        let mut hash = [0; BYTES];
        let digits = text.as_bytes();
        if digits.len() != 2 * BYTES {
            return Err(NoHash);
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let mut value = 0;
            for digit in pair {
                value = value * 16 + char::from(*digit).to_digit(16).ok_or(NoHash)?;
            }
            *byte = u8::try_from(value).map_err(|_| NoHash)?;
        }
        Ok(Self(hash))
    }

    /// As the database keeps it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for DocumentHash {
    type Error = NoHash;

    fn try_from(bytes: &[u8]) -> Result<Self, NoHash> {
        bytes.try_into().map(Self).map_err(|_| NoHash)
    }
}

impl fmt::Display for DocumentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_it_is_read() {
        // The document and the hash of Apollo's own description of the protocol.
        let text = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        let hash = DocumentHash::of("{__typename}");
        assert_eq!(hash.to_string(), text);
        assert_eq!(DocumentHash::parse(text), Ok(hash));
        assert_eq!(DocumentHash::parse(&text.to_uppercase()), Ok(hash));
        assert_eq!(DocumentHash::try_from(hash.bytes()), Ok(hash));
        for wrong in [
            "",
            &text[1..],
            &format!("{text}0"),
            &"x".repeat(64),
            &"\u{e9}".repeat(32),
        ] {
            assert_eq!(DocumentHash::parse(wrong), Err(NoHash), "{wrong}");
        }
        assert_eq!(DocumentHash::try_from(&[0_u8; 31][..]), Err(NoHash));
    }
}
