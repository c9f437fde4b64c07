//! How text becomes tokens; the same for what is stored and for what is searched.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Characters of one token; longer words are cut, in the index and in queries alike.
pub const LONGEST_TOKEN: usize = 48;
/// Tokens of one text; what is beyond cannot be found.
const MOST_TOKENS: usize = 1000;
/// Words of one run that are joined; later ones are found as single words only.
const MOST_JOINED: usize = 12;
/// Characters of a text that are looked at.
const LOOKED_AT: usize = 2000;

/// A stretch of a text in one manner of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// Characters that are searched one by one, in the words in which spacing parts them.
    Characters(Vec<Vec<char>>),
    /// Words that are searched as words, folded. Each with whether it is glued to the one before
    /// it (by an apostrophe or hyphen, not by spacing).
    Words(Vec<(String, bool)>),
}

/// The tokens of a text for the index, each once, joined by blanks.
#[must_use]
pub fn index_tokens(text: &str) -> String {
    let mut seen = HashSet::new();
    let mut out = String::new();
    let mut add = |token: &str| {
        if seen.len() < MOST_TOKENS && !token.is_empty() && seen.insert(token.to_owned()) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(token);
        }
    };
    for run in runs(text) {
        match run {
            Run::Characters(words) => {
                let all: Vec<char> = words.concat();
                for c in &all {
                    add(&one(*c));
                }
                for (a, b) in all.iter().zip(all.iter().skip(1)) {
                    add(&two(*a, *b));
                }
            }
            Run::Words(words) => {
                for (word, _) in &words {
                    add(cut(word));
                }
                for start in 0..words.len().min(MOST_JOINED) {
                    add(cut(&joined(words.iter().skip(start))));
                }
                // O'Brien and Jean-Luc as one word, wherever in the name they stand.
                let mut rest = words.as_slice();
                while !rest.is_empty() {
                    let count = 1 + rest.iter().skip(1).take_while(|(_, glued)| *glued).count();
                    add(cut(&joined(rest.iter().take(count))));
                    rest = rest.get(count..).unwrap_or_default();
                }
            }
        }
    }
    out
}

/// Words without what is between them.
pub(super) fn joined<'a>(words: impl Iterator<Item = &'a (String, bool)>) -> String {
    let mut text = String::new();
    for (word, _) in words {
        text.push_str(word);
        if text.len() > LONGEST_TOKEN * 4 {
            break;
        }
    }
    text
}

/// The first characters of a word, as many as a token has.
pub(super) fn cut(word: &str) -> &str {
    match word.char_indices().nth(LONGEST_TOKEN) {
        Some((end, _)) => word.get(..end).unwrap_or(word),
        None => word,
    }
}

/// The token of one character.
pub(super) fn one(c: char) -> String {
    let mut token = String::new();
    push(&mut token, c);
    token
}

/// The token of two neighboring characters.
pub(super) fn two(a: char, b: char) -> String {
    let mut token = String::new();
    push(&mut token, a);
    push(&mut token, b);
    token
}

/// Characters of the later planes are written by their number: rare family names use them, and
/// SQLite's tokenizer does not know all of them as letters.
fn push(token: &mut String, c: char) {
    if (c as u32) < 0x1_0000 {
        token.push(c);
    } else {
        token.push_str(&format!("x{:x}x", c as u32));
    }
}

/// Splits a text into runs, folded.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut builder = Builder::default();
    for c in text
        .nfkc()
        .take(LOOKED_AT)
        .flat_map(char::to_lowercase)
        .nfc()
    {
        builder.take(c);
    }
    builder.finish()
}

#[derive(Default)]
struct Builder {
    runs: Vec<Run>,
    /// The word being read.
    word: String,
    characters: Vec<char>,
    /// What was between this word and the one before was no spacing.
    glued: bool,
    /// Nothing that parts words has come since the last word.
    may_glue: bool,
}

impl Builder {
    fn take(&mut self, c: char) {
        if is_east_asian(c) {
            self.end_word();
            self.characters.push(c);
            return;
        }
        match c.general_category_group() {
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => {
                self.end_characters();
                if self.word.is_empty() {
                    self.glued = self.may_glue;
                }
                fold(c, &mut self.word);
            }
            // Marks that are not composed with their letter are dropped: neither engine counts
            // them as part of a word everywhere.
            GeneralCategoryGroup::Mark => {}
            _ if is_glue(c) => {
                self.end_characters();
                let had_word = !self.word.is_empty();
                self.end_word();
                self.may_glue = had_word;
            }
            // Invisible format characters part nothing.
            GeneralCategoryGroup::Other => {}
            _ => {
                self.end_characters();
                self.end_word();
                self.may_glue = false;
            }
        }
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let word = (std::mem::take(&mut self.word), self.glued);
        self.may_glue = false;
        match self.runs.last_mut() {
            Some(Run::Words(words)) => words.push(word),
            _ => self.runs.push(Run::Words(vec![(word.0, false)])),
        }
    }

    fn end_characters(&mut self) {
        if self.characters.is_empty() {
            return;
        }
        self.may_glue = false;
        let word = std::mem::take(&mut self.characters);
        match self.runs.last_mut() {
            Some(Run::Characters(words)) => words.push(word),
            _ => self.runs.push(Run::Characters(vec![word])),
        }
    }

    fn finish(mut self) -> Vec<Run> {
        self.end_word();
        self.end_characters();
        self.runs
    }
}

/// Apostrophes, hyphens and the full stop, as they stand inside names.
fn is_glue(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '\u{B4}' | '\u{2BC}' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '-' | '\u{2010}'
            ..='\u{2015}' | '.' | '_'
    )
}

/// Ideographs, kana, bopomofo and Hangul: written without spacing, or spaced at will.
fn is_east_asian(c: char) -> bool {
    matches!(c as u32,
        0x1100..=0x11FF | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3038..=0x303B | 0x3041..=0x3096 | 0x309D..=0x309F
        | 0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x3105..=0x312F | 0x31A0..=0x31BF | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97C | 0xAC00..=0xD7A3 | 0xD7B0..=0xD7FB
        | 0xF900..=0xFAD9 | 0x1B000..=0x1B16F | 0x20000..=0x3FFFD)
}

/// Takes accents off Latin and Greek letters and writes out the letters that have no plain base.
fn fold(c: char, out: &mut String) {
    let plain = match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        'ё' => "е",
        _ => {
            let mut base = None;
            decompose_canonical(c, |part| base = base.or(Some(part)));
            match base {
                Some(base)
                    if base.is_ascii_alphanumeric() || ('\u{370}'..='\u{3FF}').contains(&base) =>
                {
                    out.push(base)
                }
                _ => push(out, c),
            }
            return;
        }
    };
    out.push_str(plain);
}
