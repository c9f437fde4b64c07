//! A lexer that only counts: tokens, open brackets, lines.
//!
//! Called by [`super::Gate::admit`] on the raw text before any parser sees it, so that a document made to exhaust a
//! recursive parser never reaches one. It walks the bytes once without recursion or allocation and stops at the first
//! bound that is passed. It never decides whether a document is well formed: what it does not understand counts as a
//! token and is left to the parser.

use async_graphql::Pos;

use super::{limits::Limits, refusal::Refusal};

/// What a document amounts to before parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Lexical tokens.
    pub tokens: usize,
    /// Most brackets open at once.
    pub nesting: usize,
}

/// Measures `text` and refuses it when it passes `limits`.
pub fn scan(text: &str, limits: &Limits) -> Result<Extent, Refusal> {
    if text.len() > limits.document_bytes {
        return Err(Refusal::limit(
            "document size in bytes",
            text.len(),
            limits.document_bytes,
            None,
        ));
    }
    let bytes = text.as_bytes();
    let mut extent = Extent::default();
    let mut open = 0_usize;
    let mut at = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            // The byte order mark is an ignored token too.
            0xEF if bytes.get(at..at + 3) == Some(&[0xEF, 0xBB, 0xBF]) => {
                at += 3;
                continue;
            }
            b'#' => {
                at = skip_while(bytes, at, |b| b != b'\n' && b != b'\r');
                continue;
            }
            b'"' => at = string_end(bytes, at),
            b'{' | b'(' | b'[' => {
                at += 1;
                open += 1;
                extent.nesting = extent.nesting.max(open);
                if open > limits.nesting {
                    return Err(Refusal::limit(
                        "nesting of brackets",
                        format_args!("more than {}", limits.nesting),
                        limits.nesting,
                        Some(position(text, start)),
                    ));
                }
            }
            b'}' | b')' | b']' => {
                at += 1;
                open = open.saturating_sub(1);
            }
            b'.' => at = skip_while(bytes, at, |b| b == b'.').min(at + 3),
            b if is_word(b) => at = skip_while(bytes, at, is_word),
            _ => at += 1,
        }
        extent.tokens += 1;
        if extent.tokens > limits.tokens {
            return Err(Refusal::limit(
                "number of tokens",
                format_args!("more than {}", limits.tokens),
                limits.tokens,
                Some(position(text, start)),
            ));
        }
    }
    Ok(extent)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip_while(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .skip(from)
        .position(|&b| !wanted(b))
        .map_or(bytes.len(), |n| from + n)
}

/// The offset after the string that starts at `from`; the end of the text when it is not closed.
fn string_end(bytes: &[u8], from: usize) -> usize {
    if bytes.get(from..from + 3) == Some(b"\"\"\"") {
        let mut at = from + 3;
        while let Some(&byte) = bytes.get(at) {
            if byte == b'\\' && bytes.get(at + 1..at + 4) == Some(b"\"\"\"") {
                at += 4;
            } else if byte == b'"' && bytes.get(at..at + 3) == Some(b"\"\"\"") {
                return at + 3;
            } else {
                at += 1;
            }
        }
        return bytes.len();
    }
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            // A plain string ends with its line; the parser will say so.
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Line and column of a byte offset, for one error. Walks the text.
pub fn position(text: &str, offset: usize) -> Pos {
    LineIndex::new(text).position(offset)
}

/// Bytes between two remembered character counts of [`LineIndex`].
const STRIDE: usize = 128;

/// Finds line and column of byte offsets in near constant time, also when the whole document is one line.
#[derive(Debug)]
pub struct LineIndex<'t> {
    bytes: &'t [u8],
    starts: Vec<usize>,
    /// Characters before each multiple of [`STRIDE`].
    marks: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    /// Notes where each line starts: after LF, CR, or CR LF.
    pub fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let starts = std::iter::once(0)
            .chain(bytes.iter().enumerate().filter_map(|(at, &byte)| {
                let ends = byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
                ends.then_some(at + 1)
            }))
            .collect();
        let marks = bytes
            .chunks(STRIDE)
            .scan(0, |before, chunk| {
                let here = *before;
                *before += characters(chunk);
                Some(here)
            })
            .collect();
        Self {
            bytes,
            starts,
            marks,
        }
    }

    /// Line and column (in characters) from 1.
    pub fn position(&self, offset: usize) -> Pos {
        let offset = offset.min(self.bytes.len());
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        Pos {
            line,
            column: 1 + self.before(offset).saturating_sub(self.before(start)),
        }
    }

    /// Characters before a byte offset.
    fn before(&self, offset: usize) -> usize {
        let mark = (offset / STRIDE).min(self.marks.len().saturating_sub(1));
        let from = mark * STRIDE;
        self.marks.get(mark).copied().unwrap_or(0)
            + self.bytes.get(from..offset).map_or(0, characters)
    }
}

/// Characters that start in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn extent(text: &str) -> Extent {
        scan(text, &Limits::default()).expect("within the limits")
    }

    #[test]
    fn counts_tokens_as_the_grammar_does() {
        for (text, tokens, nesting) in [
            ("", 0, 0),
            ("{a}", 3, 1),
            ("\u{FEFF}{ a , b ,,, } # } { (", 4, 1),
            ("{a(b:\"}{\\\"}{\")}", 8, 2),
            ("{a(b:\"\"\" \\\"\"\" } \" \"\"\")}", 8, 2),
            ("{...F ...on A{b}}", 10, 2),
            // Sign, point and fraction of a number count apart: rather too many than too few.
            ("query($a:[Int!]!=[1,-2.5e3]){a(b:$a)}", 28, 2),
        ] {
            assert_eq!(extent(text), Extent { tokens, nesting }, "{text}");
        }
    }

    #[test]
    fn strings_that_are_not_closed_end_with_the_line_or_the_text() {
        assert_eq!(extent("\"abc\n{").nesting, 1);
        assert_eq!(extent("\"\"\"abc\n{{{{").nesting, 0);
        assert_eq!(extent("\"\\").tokens, 1);
    }

    #[test]
    fn positions_count_characters_and_every_kind_of_line_end() {
        let text = "a\r\nb\rc\né{";
        let at = text.find('{').unwrap();
        assert_eq!(position(text, at), Pos { line: 4, column: 2 });
        assert_eq!(position(text, 0), Pos { line: 1, column: 1 });
        assert_eq!(position(text, 999).line, 4);
    }

    #[test]
    fn refusals_name_limit_bound_and_value() {
        let limits = Limits {
            document_bytes: 10,
            ..Limits::default()
        };
        let message = scan("{aaaaaaaaaaaaaaa}", &limits).unwrap_err().errors[0]
            .message
            .clone();
        assert_eq!(
            message,
            "the request's document size in bytes is 17, the limit is 10"
        );
    }

    proptest! {
        #[test]
        fn never_panics_and_never_counts_more_tokens_than_bytes(text in "\\PC*|[{}()\\[\\]\"\\\\#.\\n a]*") {
            if let Ok(extent) = scan(&text, &Limits::default()) {
                prop_assert!(extent.tokens <= text.len());
                prop_assert!(extent.nesting <= extent.tokens);
            }
            let index = LineIndex::new(&text);
            for offset in 0..text.len() + 2 {
                prop_assert!(index.position(offset).line >= 1);
            }
        }
    }
}
