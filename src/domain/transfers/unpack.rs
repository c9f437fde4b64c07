//! Unpacking what is sent by gzip, as it arrives. What grows beyond reason is refused before it is large.

use crate::error::{Error, Result};
use flate2::write::MultiGzDecoder;
use std::io::Write;

/// How many times as large as it was sent a file may be: exports of tills shrink to a tenth, or a fiftieth where every
/// row is like the other; gzip itself goes to a thousandth.
const LARGEST_RATIO: u64 = 200;
/// Below so many bytes the ratio says nothing.
const SMALL: u64 = 1 << 20;

/// Unpacks, or passes on.
pub(super) enum Unpacker {
    /// As it is.
    Plain,
    /// Packed by gzip.
    Gzip {
        decoder: Box<MultiGzDecoder<Vec<u8>>>,
        packed: u64,
        unpacked: u64,
    },
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Gzip { .. } => "Gzip",
        })
    }
}

fn broken() -> Error {
    Error::BadRequest(
        "the file is not packed by gzip, or damaged, or cut off; pack and send it again".into(),
    )
}

impl Unpacker {
    /// For a file that is packed, or is not.
    pub fn new(is_gzip: bool) -> Self {
        if !is_gzip {
            return Self::Plain;
        }
        Self::Gzip {
            decoder: Box::new(MultiGzDecoder::new(Vec::new())),
            packed: 0,
            unpacked: 0,
        }
    }

    /// What the next bytes hold. They should be few: what they unpack to is in memory at once.
    ///
    /// # Errors
    /// Bytes that are no gzip, or that grow beyond reason.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(bytes.to_vec()),
            Self::Gzip {
                decoder,
                packed,
                unpacked,
            } => {
                decoder.write_all(bytes).map_err(|_| broken())?;
                *packed += bytes.len() as u64;
                let out = std::mem::take(decoder.get_mut());
                *unpacked += out.len() as u64;
                if *unpacked > SMALL && *unpacked > packed.saturating_mul(LARGEST_RATIO) {
                    return Err(Error::BadRequest(
                        format!("the file grows to more than {LARGEST_RATIO} times its size when it is unpacked; send it unpacked").into(),
                    ));
                }
                Ok(out)
            }
        }
    }

    /// What is left at the end.
    ///
    /// # Errors
    /// A file that is cut off.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(Vec::new()),
            Self::Gzip {
                decoder, packed, ..
            } => {
                if *packed == 0 {
                    return Err(broken());
                }
                decoder.try_finish().map_err(|_| broken())?;
                Ok(std::mem::take(decoder.get_mut()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], step: usize) -> Result<Vec<u8>> {
        let mut unpacker = Unpacker::new(true);
        let mut out = Vec::new();
        for part in bytes.chunks(step) {
            out.extend(unpacker.push(part)?);
        }
        out.extend(unpacker.finish()?);
        Ok(out)
    }

    #[test]
    fn what_was_packed_comes_out_however_it_is_cut() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|n| n.to_le_bytes()).collect();
        let whole = packed(&text);
        for step in [1, 7, 4096] {
            assert_eq!(unpack(&whole, step).unwrap(), text);
        }
        // Packed in two goes, as some tools do.
        let mut twice = packed(b"one,");
        twice.extend(packed(b"two"));
        assert_eq!(unpack(&twice, 4096).unwrap(), b"one,two");
        assert_eq!(unpack(&packed(b""), 4096).unwrap(), b"");
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_refused() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|n| n.to_le_bytes()).collect();
        let whole = packed(&text);
        for cut in [0, 1, 9, whole.len() / 2, whole.len() - 1] {
            assert!(unpack(&whole[..cut], 4096).is_err(), "cut at {cut}");
        }
        let mut damaged = whole.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert!(unpack(&damaged, 4096).is_err());
        assert!(unpack(b"customer,date,amount\n", 4096).is_err());
    }

    #[test]
    fn a_bomb_is_refused_while_it_is_small() {
        let bomb = packed(&vec![0; 64 << 20]);
        let mut unpacker = Unpacker::new(true);
        let mut out = 0;
        let refused = bomb.chunks(4096).any(|part| match unpacker.push(part) {
            Ok(bytes) => {
                out += bytes.len();
                false
            }
            Err(error) => error.to_string().contains("200 times"),
        });
        assert!(refused && out <= 8 << 20, "{out}");
    }
}
