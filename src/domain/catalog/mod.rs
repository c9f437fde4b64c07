//! What is sold: categories, products and their prices.
//!
//! Called by `graphql/catalog`, the demonstration, the import and higher topics, which find a product by the SKU on a line of a receipt.
//! All staff see the whole catalogue, what an article costs the shop only those who may; headquarters change it. Nothing is
//! ever deleted, only put away: receipts and their history refer to it.

pub mod arrivals;
pub mod categories;
pub mod list;
pub mod prices;
pub mod products;

use crate::error::{Code, UserErrors, text_code};
use entity::values::LocalizedText;
use entity::values::localized::LocalizedError;

/// Characters of a name in one language at most.
const NAME_CHARS: usize = 200;

/// A name in several languages: pairs of a BCP 47 tag and the text.
pub type Names = Vec<(String, String)>;

fn parse_names(errors: &mut UserErrors, names: &Names) -> Option<LocalizedText> {
    let texts = names
        .iter()
        .map(|(language, text)| (language.as_str(), text.as_str()));
    let code = |error: &LocalizedError| match error {
        LocalizedError::Empty => Code::Required,
        LocalizedError::TooMany => Code::TooMany,
        LocalizedError::Twice(_) | LocalizedError::Language(_) => Code::Invalid,
        LocalizedError::Text(error) => text_code(error),
    };
    errors.take("names", code, LocalizedText::parse(texts, NAME_CHARS))
}
