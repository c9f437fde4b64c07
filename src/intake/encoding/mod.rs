//! From the bytes of a file to UTF-8, as a stream; a packed file is unpacked on the way ([`super::unpack`]).
//!
//! Malformed bytes come out as U+FFFD, never silently: rows that contain it are rejected further
//! up ([`super::purchases`]), also where the file already came with it, since then an earlier
//! conversion has lost what stood there.

mod sniff;

use std::fmt;
use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, EUC_KR, Encoding, GB18030, UTF_8};
use thiserror::Error;

use super::unpack::Unpacked;

pub(super) use sniff::sniff;

/// Bytes read and decoded at a time.
const CHUNK: usize = 64 * 1024;

/// The encodings that till systems of the region write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEncoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// GB18030, which includes GBK and GB2312.
    Gb18030,
    /// EUC-KR, with the additions of Windows code page 949.
    EucKr,
}

impl FileEncoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Utf8, Self::Gb18030, Self::EucKr];

    /// Reads a name such as `utf-8`, `gbk` or `euc-kr`; case does not matter.
    ///
    /// # Errors
    /// [`EncodingError::Unknown`].
    pub fn parse(name: &str) -> Result<Self, EncodingError> {
        match name.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => Ok(Self::Utf8),
            "gb18030" | "gbk" | "gb2312" | "cp936" => Ok(Self::Gb18030),
            "euc-kr" | "euckr" | "cp949" | "ks_c_5601-1987" => Ok(Self::EucKr),
            _ => Err(EncodingError::Unknown),
        }
    }

    fn codec(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Gb18030 => GB18030,
            Self::EucKr => EUC_KR,
        }
    }
}

impl fmt::Display for FileEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
            Self::EucKr => "EUC-KR",
        })
    }
}

/// Why a file's bytes cannot be read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// Not one of the encodings that are read.
    #[error("is not a known encoding; use utf-8, gb18030 or euc-kr")]
    Unknown,
    /// UTF-16 or UTF-32, told by its mark or its zero bytes.
    #[error("the file is in UTF-16 or UTF-32; save it again as CSV UTF-8")]
    Wide,
    /// A spreadsheet or an archive.
    #[error("the file is a spreadsheet or an archive, not CSV; open it and save it as CSV UTF-8")]
    NotText,
    /// What the file shows is not what was said.
    #[error(
        "the file is not in {given}, it looks like {found}; give the encoding {found}, or save it again"
    )]
    Contradicted {
        /// What was said.
        given: FileEncoding,
        /// What it looks like.
        found: FileEncoding,
    },
    /// Not UTF-8, and too little text to tell what else.
    #[error(
        "the file is not in UTF-8 and has too little text to tell its encoding; give one: gb18030 or euc-kr"
    )]
    Ambiguous,
}

/// Turns a reader of some encoding into a reader of UTF-8.
pub struct Utf8Reader<R> {
    inner: Unpacked<R>,
    decoder: Decoder,
    encoding: FileEncoding,
    /// Read and not decoded yet: `input[consumed..]`.
    input: Vec<u8>,
    consumed: usize,
    /// Decoded and not handed out yet: `output[given..]`.
    output: Vec<u8>,
    given: usize,
    ended: bool,
    finished: bool,
}

impl<R> fmt::Debug for Utf8Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utf8Reader")
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Utf8Reader<R> {
    /// Looks at the beginning of the file, unpacked if need be, and checks it against what was said of it; with nothing
    /// said, the beginning must show it.
    ///
    /// # Errors
    /// Every [`EncodingError`], and what reading gives.
    pub fn open(file: R, given: Option<FileEncoding>) -> Result<Self, super::IntakeError> {
        let mut inner = Unpacked::open(file)?;
        let mut input = Vec::with_capacity(CHUNK);
        inner.by_ref().take(CHUNK as u64).read_to_end(&mut input)?;
        let complete = input.len() < CHUNK;
        let encoding = sniff(&input, complete, given)?;
        Ok(Self {
            inner,
            // Takes a UTF-8 byte order mark away and leaves everything else alone.
            decoder: encoding.codec().new_decoder_with_bom_removal(),
            encoding,
            input,
            consumed: 0,
            output: Vec::with_capacity(CHUNK * 3),
            given: 0,
            ended: complete,
            finished: false,
        })
    }

    /// The encoding it goes by.
    pub fn encoding(&self) -> FileEncoding {
        self.encoding
    }

    /// How many bytes of the file were read; for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.inner.bytes_read()
    }

    /// Decodes some more; afterwards `output` holds something or everything is finished.
    fn refill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() && !self.finished {
            if self.consumed == self.input.len() && !self.ended {
                self.input.clear();
                self.consumed = 0;
                let count = self
                    .inner
                    .by_ref()
                    .take(CHUNK as u64)
                    .read_to_end(&mut self.input)?;
                self.ended = count < CHUNK;
            }
            self.output.resize(CHUNK * 3, 0);
            let source = self.input.get(self.consumed..).unwrap_or_default();
            let (result, read, written, _) =
                self.decoder
                    .decode_to_utf8(source, &mut self.output, self.ended);
            self.consumed += read;
            self.output.truncate(written);
            // The decoder must not be asked again once it has seen the end.
            self.finished = self.ended && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() {
            if self.finished {
                return Ok(0);
            }
            self.refill()?;
        }
        let rest = self.output.get(self.given..).unwrap_or_default();
        let mut rest = rest;
        let count = rest.read(buf)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
