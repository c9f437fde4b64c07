//! What somebody searches for, and how each engine is asked for it.

use super::tokens::{self, Run, cut, joined, one, two};

/// Terms of one query; what is beyond is not searched for.
const MOST_TERMS: usize = 16;

/// One token to be found, whole or as a beginning. Letters and digits only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// The token.
    pub token: String,
    /// Whether longer tokens that begin with it are found too.
    pub prefix: bool,
}

/// A parsed search: every part must be found; a part is found if all terms of one of its
/// alternatives are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    parts: Vec<Vec<Vec<Term>>>,
}

impl SearchQuery {
    /// Reads what somebody typed; `None` if there is nothing in it to search for.
    ///
    /// Chinese, Japanese and Korean: of each word all neighboring pairs, of a single character
    /// that character. Other words: all of them, the last as a beginning; or all of them written
    /// as one, as a beginning. At most 16 terms, the first ones of each part.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut left = MOST_TERMS;
        let mut parts = Vec::new();
        for run in tokens::runs(text) {
            let alternatives = match run {
                Run::Characters(words) => vec![characters(&words)],
                Run::Words(words) => alternatives(&words),
            };
            let mut kept: Vec<Vec<Term>> = Vec::new();
            for mut terms in alternatives {
                if terms.len() > left {
                    // Words beyond the limit are left out from the end: fewer conditions find
                    // more, never less.
                    terms.truncate(left);
                }
                if !terms.is_empty() && !kept.contains(&terms) {
                    left -= terms.len();
                    kept.push(terms);
                }
            }
            if !kept.is_empty() {
                parts.push(kept);
            }
        }
        (!parts.is_empty()).then_some(Self { parts })
    }

    /// All terms, for tests and for highlighting.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.parts.iter().flatten().flatten()
    }

    /// The parts: all of them, of each one alternative, of that all terms.
    #[must_use]
    pub fn parts(&self) -> &[Vec<Vec<Term>>] {
        &self.parts
    }

    /// As an FTS5 query on one column of the table.
    #[must_use]
    pub fn to_fts5(&self, column: &str) -> String {
        let expression = self.render(" AND ", " OR ", |term| {
            format!("\"{}\"{}", term.token, if term.prefix { " *" } else { "" })
        });
        format!("\"{}\" : ({expression})", column.replace('"', "\"\""))
    }

    /// As text to be cast to `tsquery`.
    #[must_use]
    pub fn to_tsquery(&self) -> String {
        self.render(" & ", " | ", |term| {
            format!("'{}'{}", term.token, if term.prefix { ":*" } else { "" })
        })
    }

    fn render(&self, and: &str, or: &str, term: impl Fn(&Term) -> String) -> String {
        let all = |texts: Vec<String>, with: &str| match <[String; 1]>::try_from(texts) {
            Ok([single]) => single,
            Err(texts) => format!("({})", texts.join(with)),
        };
        let parts = self
            .parts
            .iter()
            .map(|alternatives| {
                let each = alternatives
                    .iter()
                    .map(|terms| all(terms.iter().map(&term).collect(), and))
                    .collect();
                all(each, or)
            })
            .collect();
        all(parts, and)
    }
}

fn exact(token: String) -> Term {
    Term {
        token,
        prefix: false,
    }
}

fn beginning(token: &str) -> Term {
    Term {
        token: cut(token).to_owned(),
        prefix: true,
    }
}

fn characters(words: &[Vec<char>]) -> Vec<Term> {
    let mut terms = Vec::new();
    for word in words {
        if let [single] = word.as_slice() {
            terms.push(exact(one(*single)));
        }
        for (a, b) in word.iter().zip(word.iter().skip(1)) {
            terms.push(exact(two(*a, *b)));
        }
    }
    terms.dedup();
    terms
}

fn alternatives(words: &[(String, bool)]) -> Vec<Vec<Term>> {
    let as_terms = |words: &[String]| -> Vec<Term> {
        let last = words.len().saturating_sub(1);
        words
            .iter()
            .take(MOST_TERMS / 2)
            .enumerate()
            .map(|(index, word)| {
                if index == last {
                    beginning(word)
                } else {
                    exact(cut(word).to_owned())
                }
            })
            .collect()
    };
    let whole = joined(words.iter());
    // The words as one comes first: it is the cheapest and must not fall to the limit.
    let mut found = vec![vec![beginning(&whole)]];
    let plain: Vec<String> = words.iter().map(|(word, _)| word.clone()).collect();
    found.push(as_terms(&plain));
    let mut glued: Vec<String> = Vec::new();
    for (word, to_last) in words {
        match glued.last_mut() {
            Some(last) if *to_last => last.push_str(word),
            _ => glued.push(word.clone()),
        }
    }
    if glued.len() < plain.len() {
        found.push(as_terms(&glued));
    }
    found
}

#[cfg(test)]
mod tests;
