//! The rules of who may import whom, proved on snippets: what goes upward is caught, what goes downward is let through.

use super::{Place, Reader};

fn objections(krate: &str, path: &[&str], source: &str) -> Vec<String> {
    Reader::read(Place::new(krate, path), source)
        .objections
        .into_iter()
        .collect()
}

#[test]
fn imports_that_go_upward_are_caught() {
    for (path, source) in [
        (&["db", "write"][..], "use crate::access::Ctx;"),
        (&["error"], "fn f() { crate::db::ping(); }"),
        (
            &["domain", "cards"],
            "use crate::{db::Tx, graphql::{root, ids}};",
        ),
        (&["domain", "cards"], "use crate::graphql as g;"),
        (&["domain", "cards"], "use crate::http::*;"),
        (&["domain", "customers"], "use super::cards::ladder;"),
        (
            &["domain", "customers", "file"],
            "type T = super::super::visits::Visit;",
        ),
        (
            &["domain", "customers"],
            "fn f() { assert_eq!(1, crate::domain::cards::ONE); }",
        ),
        (
            &["domain", "organization"],
            "macro_rules! m { () => { $crate::app::build() } }",
        ),
        (&["jobs"], "use crate::events::record;"),
        (&["events"], "fn f(x: impl crate::jobs::Job) {}"),
        (
            &["graphql", "cards"],
            "mod inner { use super::super::super::http::Backend; }",
        ),
        (&["access"], "impl crate::domain::Thing for X {}"),
        (&["http"], "use crate::config::Settings;"),
        (&["domain", "cards"], "use migration::Migrator;"),
        (&["config"], "use crate::error::Error;"),
        (
            &["db"],
            "#[cfg(unix)] mod a { fn f() { let _: crate::access::Viewer; } }",
        ),
        (&["domain", "cards"], "use crate::somewhere::new;"),
    ] {
        let found = objections("regulars", path, source);
        assert_eq!(
            found.len(),
            source.matches("graphql::{").count() + 1,
            "{path:?} {source}: {found:?}"
        );
    }
    assert_eq!(
        objections("entity", &["card"], "use regulars::db::Db;").len(),
        1
    );
    assert_eq!(
        objections("migration", &["m1"], "fn f() { entity::card::x() }").len(),
        1
    );
}

#[test]
fn imports_that_go_downward_are_let_through() {
    for (path, source) in [
        (&["main"][..], "fn main() { regulars::cli::main() }"),
        (
            &["cli", "serve"],
            "use crate::app::App; use crate::config::Mode; use migration::CHANGES;",
        ),
        (
            &["graphql", "cards"],
            "use crate::graphql::customers::Customer; use super::visits::Visit;",
        ),
        (
            &["domain", "cards"],
            "use crate::domain::customers; use super::organization::settings;",
        ),
        (
            &["domain", "cards", "service"],
            "use super::ladder::Ladder; use self::inner::X; use crate::jobs::Job;",
        ),
        (
            &["db"],
            "#[cfg(test)] mod tests { use migration::Migrator; use crate::domain::cards; }",
        ),
        (&["db"], "#[cfg(test)] use crate::domain::cards;"),
        (&["domain"], "pub mod cards; pub mod customers;"),
        (
            &["db"],
            "use entity::ids::CardId; use sea_orm::access::x; fn f() { http::get() }",
        ),
    ] {
        let found = objections("regulars", path, source);
        assert!(found.is_empty(), "{path:?} {source}: {found:?}");
    }
}
