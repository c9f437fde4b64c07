//! What the beginning of a file tells about its encoding.

use std::collections::HashSet;

use super::{EncodingError, FileEncoding};

/// Distinct two-byte characters that are enough to tell Korean from Chinese when all of them lie
/// where Korean keeps its Hangul; chance would put six of ten Chinese ones there.
const ENOUGH_TO_TELL: usize = 16;

/// Decides on an encoding by the first bytes of a file; `complete` if these are all.
///
/// # Errors
/// See [`EncodingError`].
pub fn sniff(
    sample: &[u8],
    complete: bool,
    given: Option<FileEncoding>,
) -> Result<FileEncoding, EncodingError> {
    refuse_what_is_no_text(sample)?;
    if sample.starts_with(b"\xEF\xBB\xBF") {
        return agree(given, FileEncoding::Utf8);
    }
    let utf8 = Utf8Lines::count(sample, complete);
    let pairs = Pairs::count(sample);
    match given {
        None if utf8.looks_right() => Ok(FileEncoding::Utf8),
        None => pairs.guess().ok_or(EncodingError::Ambiguous),
        Some(FileEncoding::Utf8) => match pairs.guess() {
            Some(found) if !utf8.looks_right() => agree(given, found),
            None if !utf8.looks_right() => Err(EncodingError::Ambiguous),
            _ => Ok(FileEncoding::Utf8),
        },
        // Valid UTF-8 read in pairs falls apart, or into characters that nobody uses.
        Some(_) if utf8.bad == 0 && utf8.good > 0 && pairs.uncommon => {
            agree(given, FileEncoding::Utf8)
        }
        Some(said) => match pairs.guess() {
            Some(found) if pairs.distinct.len() >= ENOUGH_TO_TELL => agree(Some(said), found),
            _ => Ok(said),
        },
    }
}

fn agree(given: Option<FileEncoding>, found: FileEncoding) -> Result<FileEncoding, EncodingError> {
    match given {
        Some(given) if given != found => Err(EncodingError::Contradicted { given, found }),
        _ => Ok(found),
    }
}

fn refuse_what_is_no_text(sample: &[u8]) -> Result<(), EncodingError> {
    let marks: [&[u8]; 3] = [b"\xFF\xFE", b"\xFE\xFF", b"\0\0\xFE\xFF"];
    if marks.iter().any(|mark| sample.starts_with(mark)) {
        return Err(EncodingError::Wide);
    }
    // xlsx and ods, xls, gzip, 7z, PDF.
    let archives: [&[u8]; 5] = [
        b"PK\x03\x04",
        b"\xD0\xCF\x11\xE0",
        b"\x1F\x8B",
        b"7z\xBC\xAF",
        b"%PDF",
    ];
    if archives.iter().any(|mark| sample.starts_with(mark)) {
        return Err(EncodingError::NotText);
    }
    let zeros = sample.iter().filter(|b| **b == 0).count();
    if zeros > 0 && zeros >= sample.len() / 4 {
        return Err(EncodingError::Wide);
    }
    Ok(())
}

/// How many lines beyond ASCII are UTF-8 and how many are not.
struct Utf8Lines {
    good: usize,
    bad: usize,
}

impl Utf8Lines {
    fn count(sample: &[u8], complete: bool) -> Self {
        let mut lines = Self { good: 0, bad: 0 };
        let mut rest = sample.split(|b| *b == b'\n').peekable();
        while let Some(line) = rest.next() {
            if line.is_ascii() {
                continue;
            }
            let cut_off = rest.peek().is_none() && !complete;
            match std::str::from_utf8(line) {
                Ok(_) => lines.good += 1,
                // The sample may end within a character.
                Err(error) if cut_off && error.error_len().is_none() => lines.good += 1,
                Err(_) => lines.bad += 1,
            }
        }
        lines
    }

    /// A few spoiled rows do not make it another encoding.
    fn looks_right(&self) -> bool {
        self.bad == 0 || self.good > self.bad
    }
}

/// The two-byte characters of the sample, read as GBK or EUC-KR would be.
struct Pairs {
    /// Each once, within the area that both standards use for what people write.
    distinct: HashSet<[u8; 2]>,
    /// How many of those lie where KS X 1001 has Hangul.
    hangul: usize,
    /// Some character is outside of that area, or no character at all.
    uncommon: bool,
}

impl Pairs {
    fn count(sample: &[u8]) -> Self {
        let mut pairs = Self {
            distinct: HashSet::new(),
            hangul: 0,
            uncommon: false,
        };
        let mut bytes = sample.iter().copied();
        while let Some(lead) = bytes.next() {
            if lead < 0x80 {
                continue;
            }
            match bytes.next() {
                // Symbols and full-width signs lie alike in both.
                Some(0xA1..=0xFE) if (0xA1..=0xAF).contains(&lead) => {}
                Some(trail @ 0xA1..=0xFE) if (0xB0..=0xFD).contains(&lead) => {
                    let new = pairs.distinct.insert([lead, trail]);
                    pairs.hangul += usize::from(new && lead <= 0xC8);
                }
                Some(_) => pairs.uncommon = true,
                None => {}
            }
        }
        pairs
    }

    fn guess(&self) -> Option<FileEncoding> {
        let other = self.distinct.len() - self.hangul;
        if other * 10 >= self.distinct.len() && other > 0 {
            Some(FileEncoding::Gb18030)
        } else if self.hangul >= ENOUGH_TO_TELL {
            Some(FileEncoding::EucKr)
        } else {
            None
        }
    }
}
