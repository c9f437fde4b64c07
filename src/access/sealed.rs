//! Seals what must be kept in the database but read only by who knows the configured secret.
//!
//! Used by the topics that keep signing keys and secrets of webhooks. Each has a key of its own in [`super::Secrets`], and
//! binds what it seals to the row that it is for, so that it opens in no other.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

/// Seals a message with a key, bound to `place`; `None` when it cannot be, which no message of ours meets.
pub fn seal(key: &[u8; 32], place: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; 24] = rand::random();
    let payload = Payload {
        msg: message,
        aad: place,
    };
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), payload)
        .ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

/// Opens what was sealed with this key in this place; `None` when it was not.
pub fn open(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    let payload = Payload {
        msg: sealed,
        aad: place,
    };
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), payload)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place_only() {
        let sealed = seal(&[1; 32], b"here", b"secret").unwrap();
        assert_eq!(open(&[1; 32], b"here", &sealed).unwrap(), b"secret");
        assert_eq!(open(&[2; 32], b"here", &sealed), None);
        assert_eq!(open(&[1; 32], b"there", &sealed), None);
        assert_eq!(open(&[1; 32], b"here", &sealed[..23]), None);
        assert_ne!(seal(&[1; 32], b"here", b"secret").unwrap(), sealed);
    }
}
