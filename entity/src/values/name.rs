//! The order of names: collation keys that databases compare bytewise.
//!
//! Called when a customer is written and when a list is paged by name. One [`Collation`] is built
//! for the deployment's locale at start and shared. Keys change with the Unicode data that the
//! program is built with, so they are stored beside the name and can be computed again; nothing
//! else may be read out of them.

use std::fmt;
use std::sync::Arc;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;
use thiserror::Error;

/// Bytes of a stored key. Names that are alike up to here are ordered by id.
pub const KEY_BYTES: usize = 200;

/// Characters of a name that are looked at; each gives at least two bytes of key.
const LOOKED_AT: usize = 200;

/// Why there is no collation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CollationError {
    /// Not a BCP 47 tag.
    #[error("is not a locale; give a BCP 47 tag such as zh, ko or en-US")]
    BadLocale,
}

/// What a name is ordered by, compared bytewise; at most [`KEY_BYTES`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(Vec<u8>);

impl NameKey {
    /// To be stored and compared.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// To be stored.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The order of names in one locale. Cheap to clone; clones share one collator.
#[derive(Clone)]
pub struct Collation(Arc<CollatorBorrowed<'static>>);

impl fmt::Debug for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collation(..)")
    }
}

impl Collation {
    /// The order of a locale (`zh`: by pinyin, `ko`: Hangul before others). A well-formed tag
    /// without an order of its own gets Unicode's root order.
    ///
    /// # Errors
    /// [`CollationError::BadLocale`] for what is no tag at all.
    pub fn new(locale: &str) -> Result<Self, CollationError> {
        let locale: Locale = locale.parse().map_err(|_| CollationError::BadLocale)?;
        let mut options = CollatorOptions::default();
        options.strength = Some(Strength::Tertiary);
        Collator::try_new(CollatorPreferences::from(&locale), options)
            .or_else(|_| Collator::try_new(CollatorPreferences::default(), options))
            .map(|collator| Self(Arc::new(collator)))
            .map_err(|_| CollationError::BadLocale)
    }

    /// The key of a full name. Spacing and case do not matter, accents matter last.
    #[must_use]
    pub fn key(&self, name: &str) -> NameKey {
        let mut folded = String::with_capacity(name.len().min(LOOKED_AT * 4));
        let words = name.split_whitespace().flat_map(|word| [" ", word]).skip(1);
        for c in words.flat_map(str::chars).take(LOOKED_AT) {
            folded.extend(c.to_lowercase());
        }
        let mut bytes = Vec::with_capacity(64);
        let Ok(()) = self.0.write_sort_key_to(&folded, &mut bytes);
        bytes.truncate(KEY_BYTES);
        NameKey(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted<'a>(locale: &str, names: &[&'a str]) -> Vec<&'a str> {
        let collation = Collation::new(locale).unwrap();
        let mut names = names.to_vec();
        names.sort_by_key(|name| collation.key(name));
        names
    }

    #[test]
    fn chinese_names_go_by_pinyin() {
        // ān, chén, lǐ, wáng, zhào
        assert_eq!(
            sorted("zh", &["赵一", "王小明", "安娜", "李四", "陈晨"]),
            ["安娜", "陈晨", "李四", "王小明", "赵一"]
        );
        assert_ne!(
            sorted("und", &["赵一", "王小明", "安娜", "李四", "陈晨"]),
            ["安娜", "陈晨", "李四", "王小明", "赵一"]
        );
    }

    #[test]
    fn korean_names_go_by_hangul() {
        assert_eq!(
            sorted("ko", &["박서준", "Ann", "김민수", "최은영", "이지은"]),
            ["김민수", "박서준", "이지은", "최은영", "Ann"]
        );
    }

    #[test]
    fn case_spacing_and_accents_do_not_part_names() {
        assert_eq!(
            sorted(
                "en",
                &["bob", "Özil", "Zoe", "anna", "Anna B", "ozim", "Bo"]
            ),
            ["anna", "Anna B", "Bo", "bob", "Özil", "ozim", "Zoe"]
        );
        let collation = Collation::new("en").unwrap();
        assert_eq!(
            collation.key("wang  XIAOMING "),
            collation.key("Wang Xiaoming")
        );
        assert!(
            collation.key("Jose") < collation.key("José")
                && collation.key("José") < collation.key("Josf")
        );
    }

    #[test]
    fn unknown_locales_fall_back_and_garbage_is_refused() {
        assert_eq!(sorted("xx", &["b", "a"]), ["a", "b"]);
        for tag in ["", "not a locale", "zh_CN!", "123456789"] {
            assert_eq!(
                Collation::new(tag).err(),
                Some(CollationError::BadLocale),
                "{tag}"
            );
        }
    }

    #[test]
    fn keys_are_short() {
        let collation = Collation::new("zh").unwrap();
        assert_eq!(
            collation.key(&"王".repeat(100_000)).as_bytes().len(),
            KEY_BYTES
        );
        assert!(collation.key("王小明").into_bytes().len() < 24);
        assert!(collation.key("").as_bytes().len() < 8);
    }

    proptest! {
        #[test]
        fn order_is_total_and_case_blind(a in "[a-zA-Z ]{0,12}", b in "[a-zA-Z ]{0,12}") {
            let collation = Collation::new("en").unwrap();
            prop_assert_eq!(collation.key(&a), collation.key(&a.to_uppercase()));
            prop_assert_eq!(collation.key(&a).cmp(&collation.key(&b)), collation.key(&b).cmp(&collation.key(&a)).reverse());
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            prop_assert!(Collation::new("ko").unwrap().key(&text).as_bytes().len() <= KEY_BYTES);
        }
    }
}
