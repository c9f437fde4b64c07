//! Cursors of lists: where a page ended, sealed.
//!
//! Called by the paging code alone. A cursor holds the values of the row that a page ended at (a
//! name's sort key, an amount), which its reader may not be allowed to see: so it is encrypted and
//! authenticated, and bound to the list, filter and order that it came from. A cursor under
//! another filter, changed in any bit, or sealed by another key does not open.
//!
//! The nonce is derived from the content by a keyed hash (as SIV modes do), so that the same row
//! of the same list always has the same cursor: clients may compare cursors and answers can be
//! cached. What leaks by that is equality, and the list shows equality anyway.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use chrono::{DateTime, NaiveDate, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;
use uuid::Uuid;

/// Bytes of the nonce in front of what is encrypted.
const NONCE: usize = 24;
/// Longer text is no cursor of ours; refused before it is decoded.
const LONGEST_TEXT: usize = 4096;
/// Days from year 1 to 1970-01-01 as chrono counts them.
const EPOCH_FROM_CE: i32 = 719_163;

/// Why a cursor does not open. Deliberately says no more: what is wrong with it helps forgers only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CursorError {
    /// Not a cursor, or one from another list, filter or order, or changed on the way.
    #[error(
        "is not a cursor of this list; use one from the same list with the same filter and order"
    )]
    Invalid,
    /// The values do not fit into a cursor.
    #[error("cannot be made into a cursor: too long")]
    TooLong,
}

/// One value of the row that a page ended at, in the order of the list's sort columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorValue {
    /// The column is null there.
    Null,
    /// Bytes such as a collation key.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// An id.
    Uuid(Uuid),
    /// An instant, to the microsecond.
    Timestamp(DateTime<Utc>),
    /// A calendar day.
    Date(NaiveDate),
}

/// The key that seals cursors. All nodes of a deployment share one.
#[derive(Clone)]
pub struct CursorKey {
    cipher: XChaCha20Poly1305,
    nonces: Hmac<Sha256>,
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(..)")
    }
}

impl CursorKey {
    /// Derives the two keys that are needed, one to encrypt and one for the nonces, from 32 bytes
    /// of secret.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let root = keyed(secret);
        let derive = |purpose: &[u8]| -> [u8; 32] {
            root.clone()
                .chain_update(purpose)
                .finalize()
                .into_bytes()
                .into()
        };
        Self {
            cipher: XChaCha20Poly1305::new(&derive(b"regulars cursor: encryption").into()),
            nonces: keyed(&derive(b"regulars cursor: nonces")),
        }
    }

    /// Seals the values. `binding` names what the cursor is good for: a hash of the connection's
    /// name, its filter and its order (and the viewer, where what is seen depends on them).
    ///
    /// # Errors
    /// [`CursorError::TooLong`] beyond about 3,000 bytes of values.
    pub fn seal(&self, binding: &[u8], values: &[CursorValue]) -> Result<String, CursorError> {
        let plain = encode(values);
        let nonce = self.nonce(binding, &plain);
        let sealed = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plain,
                    aad: binding,
                },
            )
            .map_err(|_| CursorError::TooLong)?;
        let mut bytes = Vec::with_capacity(NONCE + sealed.len());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        let text = URL_SAFE_NO_PAD.encode(bytes);
        if text.len() > LONGEST_TEXT {
            Err(CursorError::TooLong)
        } else {
            Ok(text)
        }
    }

    /// Opens a cursor that was sealed with the same binding.
    ///
    /// # Errors
    /// [`CursorError::Invalid`].
    pub fn open(&self, binding: &[u8], text: &str) -> Result<Vec<CursorValue>, CursorError> {
        if text.len() > LONGEST_TEXT {
            return Err(CursorError::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Invalid)?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<NONCE>()
            .ok_or(CursorError::Invalid)?;
        let plain = self
            .cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: binding,
                },
            )
            .map_err(|_| CursorError::Invalid)?;
        decode(&plain).ok_or(CursorError::Invalid)
    }

    fn nonce(&self, binding: &[u8], plain: &[u8]) -> [u8; NONCE] {
        // The length in front keeps binding and content apart.
        let length = (binding.len() as u64).to_le_bytes();
        let hash: [u8; 32] = self
            .nonces
            .clone()
            .chain_update(length)
            .chain_update(binding)
            .chain_update(plain)
            .finalize()
            .into_bytes()
            .into();
        let mut nonce = [0; NONCE];
        for (to, from) in nonce.iter_mut().zip(hash) {
            *to = from;
        }
        nonce
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new(&(*key).into_block())
}

/// HMAC pads a key to the block of its hash with zeros; done here, no length can be wrong.
trait IntoBlock {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoBlock for [u8; 32] {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = [0u8; 64];
        for (to, from) in block.iter_mut().zip(self) {
            *to = from;
        }
        block.into()
    }
}

fn put_length(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7F) as u8);
}

/// Numbers near zero, of either sign, take one byte.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn encode(values: &[CursorValue]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    for value in values {
        match value {
            CursorValue::Null => out.push(0),
            CursorValue::Bytes(bytes) => {
                out.push(1);
                put_length(&mut out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            CursorValue::Text(text) => {
                out.push(2);
                put_length(&mut out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
            CursorValue::Int(number) => {
                out.push(3);
                put_length(&mut out, zigzag(*number));
            }
            CursorValue::Uuid(id) => {
                out.push(4);
                out.extend_from_slice(id.as_bytes());
            }
            CursorValue::Timestamp(at) => {
                out.push(5);
                put_length(&mut out, zigzag(at.timestamp_micros()));
            }
            CursorValue::Date(day) => {
                use chrono::Datelike;
                out.push(6);
                put_length(
                    &mut out,
                    zigzag(i64::from(day.num_days_from_ce() - EPOCH_FROM_CE)),
                );
            }
        }
    }
    out
}

/// Reads what [`encode`] wrote, front to back.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn length(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.length()?).ok()?;
        self.take(count)
    }
}

fn decode(bytes: &[u8]) -> Option<Vec<CursorValue>> {
    let mut reader = Reader(bytes);
    let mut values = Vec::new();
    while let Some(kind) = reader.byte() {
        values.push(match kind {
            0 => CursorValue::Null,
            1 => CursorValue::Bytes(reader.counted()?.to_vec()),
            2 => CursorValue::Text(String::from_utf8(reader.counted()?.to_vec()).ok()?),
            3 => CursorValue::Int(unzigzag(reader.length()?)),
            4 => CursorValue::Uuid(Uuid::from_slice(reader.take(16)?).ok()?),
            5 => {
                CursorValue::Timestamp(DateTime::from_timestamp_micros(unzigzag(reader.length()?))?)
            }
            6 => {
                let days = i32::try_from(unzigzag(reader.length()?)).ok()?;
                CursorValue::Date(NaiveDate::from_num_days_from_ce_opt(
                    days.checked_add(EPOCH_FROM_CE)?,
                )?)
            }
            _ => return None,
        });
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> CursorKey {
        CursorKey::new(&[byte; 32])
    }

    fn sample() -> Vec<CursorValue> {
        vec![
            CursorValue::Null,
            CursorValue::Bytes(vec![0, 255, 7]),
            CursorValue::Text("王小明".into()),
            CursorValue::Int(i64::MIN),
            CursorValue::Int(-1),
            CursorValue::Uuid(Uuid::from_u128(7)),
            CursorValue::Timestamp(DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap()),
            CursorValue::Date(NaiveDate::from_ymd_opt(1880, 2, 29).unwrap()),
        ]
    }

    #[test]
    fn opens_what_it_sealed_and_is_stable() {
        let text = key(1).seal(b"customers", &sample()).unwrap();
        assert_eq!(text, key(1).seal(b"customers", &sample()).unwrap());
        assert_eq!(key(1).open(b"customers", &text), Ok(sample()));
        assert!(!text.contains(['+', '/', '=']));
        assert_eq!(
            key(1).open(b"x", &key(1).seal(b"x", &[]).unwrap()),
            Ok(vec![])
        );
    }

    #[test]
    fn another_binding_or_key_does_not_open() {
        let text = key(1).seal(b"customers by name", &sample()).unwrap();
        assert_eq!(
            key(1).open(b"customers by date", &text),
            Err(CursorError::Invalid)
        );
        assert_eq!(key(1).open(b"", &text), Err(CursorError::Invalid));
        assert_eq!(
            key(2).open(b"customers by name", &text),
            Err(CursorError::Invalid)
        );
    }

    #[test]
    fn content_cannot_be_read_or_changed() {
        let text = key(1)
            .seal(b"b", &[CursorValue::Text("secret name".into())])
            .unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"secret"));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                assert_eq!(
                    key(1).open(b"b", &URL_SAFE_NO_PAD.encode(changed)),
                    Err(CursorError::Invalid)
                );
            }
        }
        for length in 0..bytes.len() {
            assert_eq!(
                key(1).open(b"b", &URL_SAFE_NO_PAD.encode(&bytes[..length])),
                Err(CursorError::Invalid)
            );
        }
    }

    #[test]
    fn refuses_garbage_and_giants() {
        for text in ["", "x", "null", "王", "AAAA", &"A".repeat(1 << 20)] {
            assert_eq!(key(1).open(b"b", text), Err(CursorError::Invalid));
        }
        assert_eq!(
            key(1).seal(b"b", &[CursorValue::Bytes(vec![0; 5000])]),
            Err(CursorError::TooLong)
        );
        assert!(format!("{:?}", key(7)).len() < 20);
    }

    #[test]
    fn is_compact() {
        let values = [CursorValue::Int(5), CursorValue::Uuid(Uuid::max())];
        assert!(key(1).seal(b"b", &values).unwrap().len() <= 80);
    }

    fn any_value() -> impl Strategy<Value = CursorValue> {
        prop_oneof![
            Just(CursorValue::Null),
            prop::collection::vec(any::<u8>(), 0..50).prop_map(CursorValue::Bytes),
            ".{0,20}".prop_map(CursorValue::Text),
            any::<i64>().prop_map(CursorValue::Int),
            any::<u128>().prop_map(|n| CursorValue::Uuid(Uuid::from_u128(n))),
            (-60_000_000_000_000_000i64..250_000_000_000_000_000)
                .prop_map(|n| CursorValue::Timestamp(DateTime::from_timestamp_micros(n).unwrap())),
            (1i32..3_000_000)
                .prop_map(|n| CursorValue::Date(NaiveDate::from_num_days_from_ce_opt(n).unwrap())),
        ]
    }

    proptest! {
        #[test]
        fn round_trip(values in prop::collection::vec(any_value(), 0..6), binding in any::<[u8; 8]>()) {
            let text = key(3).seal(&binding, &values).unwrap();
            prop_assert_eq!(key(3).open(&binding, &text), Ok(values));
        }

        #[test]
        fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn zigzag_is_its_own_way_back(number in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(number)), number);
        }
    }
}
