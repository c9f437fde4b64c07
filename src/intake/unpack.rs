//! Files packed by gzip, recognized by their first two bytes and unpacked while they are read.
//!
//! A few bytes can unpack to more than any disk holds: what grows beyond its limits is refused with what to do. Whoever
//! really has such a file unpacks it first, and imports it as it is.

use flate2::read::MultiGzDecoder;
use std::io::{self, Chain, Cursor, Read};

/// The first two bytes of every gzip file.
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Bytes that may come of a packed file at most.
const LARGEST: u64 = 32 << 30;
/// How many times its size a packed file may become. CSV shrinks to a twentieth, rarely to a fiftieth.
const RATIO: u64 = 200;
/// Bytes up to which the ratio does not matter.
const UNSUSPICIOUS: u64 = 16 << 20;

/// What of the file was looked at, and the rest of it.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// A file as it was before it was packed, if it is packed at all.
pub struct Unpacked<R> {
    inner: Inner<R>,
    given: u64,
}

enum Inner<R> {
    Plain(Counted<Whole<R>>),
    Gzip(Box<MultiGzDecoder<Counted<Whole<R>>>>),
}

/// Counts what was read.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<R> std::fmt::Debug for Unpacked<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacked")
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first bytes.
    ///
    /// # Errors
    /// What reading gives.
    pub fn open(mut file: R) -> io::Result<Self> {
        let mut first = Vec::with_capacity(MAGIC.len());
        file.by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut first)?;
        let is_packed = first == MAGIC;
        let whole = Counted {
            inner: Cursor::new(first).chain(file),
            bytes: 0,
        };
        Ok(Self {
            inner: if is_packed {
                Inner::Gzip(Box::new(MultiGzDecoder::new(whole)))
            } else {
                Inner::Plain(whole)
            },
            given: 0,
        })
    }

    /// Bytes of the file itself that were read; for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        match &self.inner {
            Inner::Plain(whole) => whole.bytes,
            Inner::Gzip(packed) => packed.get_ref().bytes,
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let packed = match &mut self.inner {
            Inner::Plain(whole) => return whole.read(buf),
            Inner::Gzip(packed) => packed,
        };
        let count = packed.read(buf).map_err(why)?;
        self.given += count as u64;
        let most = packed
            .get_ref()
            .bytes
            .saturating_mul(RATIO)
            .max(UNSUSPICIOUS);
        if self.given > most.min(LARGEST) {
            return Err(io::Error::other(format!(
                "it unpacks to more than {RATIO} times its size or {} GiB; unpack it yourself, look what it holds, and \
                 import the unpacked file",
                LARGEST >> 30
            )));
        }
        Ok(count)
    }
}

/// What is wrong with a packed file, in words.
fn why(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the packed file is cut off in the middle; transfer it again",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the packed file is damaged ({error}); pack or transfer it again"),
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn pack(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    fn read(file: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Unpacked::open(file)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn packed_or_not_it_reads_the_same() {
        let text: Vec<u8> = (0..50_000_u32)
            .flat_map(|n| format!("{n},{}\n", n * 7919).into_bytes())
            .collect();
        assert_eq!(read(&text).unwrap(), text);
        assert_eq!(read(&pack(&text)).unwrap(), text);
        // Packed in parts, as logs are, it is the parts in a row.
        let mut parts = pack(b"a\n");
        parts.extend(pack(b"b\n"));
        assert_eq!(read(&parts).unwrap(), b"a\nb\n");
        for short in [&b""[..], b"\x1f", b"x"] {
            assert_eq!(read(short).unwrap(), short);
        }
        let mut file = Unpacked::open(text.as_slice()).unwrap();
        io::copy(&mut file, &mut io::sink()).unwrap();
        assert_eq!(file.bytes_read(), text.len() as u64);
    }

    #[test]
    fn cut_off_damaged_and_exploding_files_are_refused() {
        let packed = pack("number,name\n1,Ann\n".repeat(9999).as_bytes());
        for end in [3, packed.len() / 2, packed.len() - 1] {
            let error = read(&packed[..end]).unwrap_err().to_string();
            assert!(error.contains("cut off"), "{end}: {error}");
        }
        let mut damaged = packed.clone();
        let place = damaged.len() - 6;
        damaged[place] ^= 0xff;
        assert!(read(&damaged).unwrap_err().to_string().contains("damaged"));
        let bomb = pack(&vec![b','; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        let error = read(&bomb).unwrap_err().to_string();
        assert!(error.contains("unpack it yourself"), "{error}");
        // A small one is harmless, however dense.
        assert_eq!(read(&pack(&vec![b','; 8 << 20])).unwrap().len(), 8 << 20);
    }
}
