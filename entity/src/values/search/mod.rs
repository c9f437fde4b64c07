//! Search by name, alike on SQLite (FTS5, `unicode61`) and PostgreSQL (`tsvector`).
//!
//! Called when a customer is written ([`index_tokens`]) and when somebody searches
//! ([`SearchQuery::parse`]). Both engines get tokens that were made here, of letters and digits
//! only, so that neither splits or folds them again:
//!
//! - SQLite: a column of an FTS5 table with `tokenize = "unicode61 remove_diacritics 0"` holds
//!   the tokens, joined by blanks; searched with `table MATCH $1` and [`SearchQuery::to_fts5`].
//! - PostgreSQL: a `tsvector` column is set by `array_to_tsvector(string_to_array($1, ' '))`;
//!   searched with `column @@ $1::tsquery` and [`SearchQuery::to_tsquery`].
//!
//! What becomes a token ([`tokens`]): Chinese, Japanese and Korean characters by one and by two
//! (spacing between them does not matter); other words in lower case without accents, and for
//! each word of a run of words that word joined with all that follow it, so that spacing and
//! hyphens inside names do not matter (`Wang Xiao-ming` is found by `xiaoming`). This never looks
//! into a database and never ranks.

mod query;
pub mod tokens;

pub use query::{SearchQuery, Term};
pub use tokens::index_tokens;
