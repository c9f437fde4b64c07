//! What two files of one person have in common beside a contact point: the words of the name and the birth date.
//!
//! Called by whoever writes a file. The key stands beside the name and is computed anew with it; a file without a birth
//! date has none, for many share a name.

use entity::values::index_tokens;

/// Characters of the name's words that are compared: far above any name, and far below what an index holds.
const LONGEST: usize = 300;

/// The key that equals another file's where name and birth date do. Case, accents and spaces do not matter.
pub(super) fn key(full_name: &str, birth_date: Option<&str>) -> Option<String> {
    let birth_date = birth_date?;
    let words: String = index_tokens(full_name).chars().take(LONGEST).collect();
    (!words.is_empty()).then(|| format!("{words}|{birth_date}"))
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_name_is_the_same_however_it_is_spelled() {
        let born = Some("1990-06-15");
        assert_eq!(key("Zoë  Müller", born), key("zoe muller", born));
        assert_eq!(key("王 小明", born), key("王小明", born));
        assert_ne!(key("王小明", born), key("王小民", born));
        assert_ne!(key("王小明", born), key("王小明", Some("L1990-06-15")));
        assert_eq!(key("王小明", None), None);
        assert!(key(&"x".repeat(5000), born).unwrap().len() < 400);
    }
}
