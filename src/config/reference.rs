//! The documentation of the settings, made from their declarations.

use super::sections::Settings;

/// One setting, as documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// The table of the TOML file.
    pub section: &'static str,
    /// The key in that table.
    pub key: &'static str,
    /// The default as it would be written; empty when there is none.
    pub default: String,
    /// What it does.
    pub doc: &'static str,
}

/// The line of the README before the table.
pub const BEGIN: &str = "<!-- configuration:begin -->";
/// The line of the README behind the table.
pub const END: &str = "<!-- configuration:end -->";

/// All settings, in the order in which they are declared.
pub fn reference() -> Vec<Variable> {
    Settings::variables()
}

/// The table for the README.
pub fn markdown() -> String {
    let mut table =
        String::from("| variable | in the file | default | what it does |\n|---|---|---|---|\n");
    for variable in reference() {
        let default = if variable.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", variable.default)
        };
        table.push_str(&format!(
            "| `{}` | `{}.{}` | {default} | {} |\n",
            variable.name,
            variable.section,
            variable.key,
            variable.doc.replace('|', "\\|"),
        ));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_setting_is_documented_and_named_once() {
        let all = reference();
        let names: BTreeSet<_> = all.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), all.len());
        for variable in all {
            assert!(variable.name.starts_with("REGULARS_"), "{}", variable.name);
            assert!(variable.doc.ends_with('.'), "{}", variable.name);
        }
    }

    #[test]
    fn no_default_shows_a_secret() {
        let table = markdown();
        assert!(table.contains("| `REGULARS_SECRET_KEY` | `security.secret_key` |  |"));
        assert!(table.contains("| `REGULARS_LISTEN` | `server.listen` | `127.0.0.1:8080` |"));
    }
}
