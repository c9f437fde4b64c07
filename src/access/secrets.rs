//! Keys derived from the one configured secret, so that an operator keeps one thing safe.

use entity::values::CursorKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What the program needs to keep things secret or unforgeable.
pub struct Secrets {
    /// Seals the signing keys in the database.
    pub sealing: [u8; 32],
    /// Seals the secrets by which webhooks are signed.
    pub webhooks: [u8; 32],
    /// Makes the hashes of counted attempts, so that the table tells nothing about accounts or addresses.
    pub counting: [u8; 32],
    /// Makes the hashes by which an import knows the names of customers who were erased.
    pub erased: [u8; 32],
    /// Seals page cursors.
    pub cursors: CursorKey,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// The name under which something of somebody is counted: nobody who reads it learns who it is.
    pub fn counter(&self, label: &str, what: &[u8]) -> Vec<u8> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.counting) {
            Ok(mac) => mac,
            // A key of any length will do.
            Err(_) => return Vec::new(),
        };
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(what);
        mac.finalize().into_bytes().to_vec()
    }

    /// Derives the keys from the configured secret (32 random bytes): SHA-256 over a label and the secret,
    /// which is a fit derivation for a uniformly random input.
    pub fn derive(secret: &[u8; 32]) -> Self {
        let key = |label: &str| -> [u8; 32] {
            Sha256::new()
                .chain_update(b"regulars/")
                .chain_update(label)
                .chain_update([0])
                .chain_update(secret)
                .finalize()
                .into()
        };
        Self {
            sealing: key("signing-keys"),
            webhooks: key("webhook-secrets"),
            counting: key("attempts"),
            erased: key("erased-customers"),
            cursors: CursorKey::new(&key("cursors")),
        }
    }
}
