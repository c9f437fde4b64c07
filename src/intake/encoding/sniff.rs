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
    let lines = Lines::count(sample, complete);
    let looks_utf8 = lines.utf8 > lines.legacy || !lines.legacy_counts();
    match given {
        None if looks_utf8 => Ok(FileEncoding::Utf8),
        None => lines.legacy_pairs.guess().ok_or(EncodingError::Ambiguous),
        Some(FileEncoding::Utf8) if looks_utf8 => Ok(FileEncoding::Utf8),
        Some(FileEncoding::Utf8) => match lines.legacy_pairs.guess() {
            Some(found) => agree(given, found),
            None => Err(EncodingError::Ambiguous),
        },
        // Valid UTF-8 read in pairs falls apart, or into characters that nobody uses.
        Some(_) if lines.utf8 > lines.legacy + lines.broken && lines.pairs.uncommon => {
            agree(given, FileEncoding::Utf8)
        }
        Some(said) => match lines.pairs.guess() {
            Some(found) if lines.pairs.distinct.len() >= ENOUGH_TO_TELL => agree(Some(said), found),
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

/// What the lines of the sample can be.
#[derive(Default)]
struct Lines {
    all: usize,
    /// Beyond ASCII, and UTF-8.
    utf8: usize,
    /// Not UTF-8, but two-byte characters that GBK or EUC-KR has in common use.
    legacy: usize,
    /// Neither.
    broken: usize,
    pairs: Pairs,
    /// Of the legacy lines alone.
    legacy_pairs: Pairs,
}

impl Lines {
    fn count(sample: &[u8], complete: bool) -> Self {
        let mut lines = Self::default();
        let mut rest = sample.split(|b| *b == b'\n').peekable();
        while let Some(line) = rest.next() {
            lines.all += 1;
            if line.is_ascii() {
                continue;
            }
            lines.pairs.add(line);
            let cut_off = rest.peek().is_none() && !complete;
            match std::str::from_utf8(line) {
                Ok(_) => lines.utf8 += 1,
                // The sample may end within a character.
                Err(error) if cut_off && error.error_len().is_none() => lines.utf8 += 1,
                Err(_) => {
                    let mut pairs = Pairs::default();
                    pairs.add(line);
                    if pairs.uncommon {
                        lines.broken += 1;
                    } else {
                        lines.legacy += 1;
                        lines.legacy_pairs.add(line);
                    }
                }
            }
        }
        lines
    }

    /// A few spoiled rows in a file of plain ASCII do not make it another encoding.
    fn legacy_counts(&self) -> bool {
        self.legacy > self.broken && self.legacy * 20 >= self.all
    }
}

/// The two-byte characters of lines, read as GBK or EUC-KR would be.
#[derive(Default)]
struct Pairs {
    /// Each once, within the area that both standards use for what people write.
    distinct: HashSet<[u8; 2]>,
    /// How many of those lie where KS X 1001 has Hangul.
    hangul: usize,
    /// Some character is outside of that area, or no character at all.
    uncommon: bool,
}

impl Pairs {
    fn add(&mut self, line: &[u8]) {
        let mut bytes = line.iter().copied();
        while let Some(lead) = bytes.next() {
            if lead < 0x80 {
                continue;
            }
            match bytes.next() {
                // Symbols and full-width signs lie alike in both.
                Some(0xA1..=0xFE) if (0xA1..=0xAF).contains(&lead) => {}
                Some(trail @ 0xA1..=0xFE) if (0xB0..=0xFD).contains(&lead) => {
                    let new = self.distinct.insert([lead, trail]);
                    self.hangul += usize::from(new && lead <= 0xC8);
                }
                Some(_) => self.uncommon = true,
                None => self.uncommon = true,
            }
        }
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
