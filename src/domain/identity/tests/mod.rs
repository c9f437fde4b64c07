//! The tables of this topic held to the schema, on both engines.

use super::export::HELD;
use super::tables::{About, Erase, Merge, TABLES};
use crate::db::Engine;
use crate::testing::TestDb;
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;

/// All tables of the schema.
async fn tables(db: &TestDb) -> BTreeSet<String> {
    let mut sql = db.db.sql();
    sql.push(match db.db.engine() {
        Engine::Sqlite => {
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'
            and name not like '%\\_search\\_index%' escape '\\' and name <> 'seaql_migrations'"
        }
        Engine::Postgres => {
            "select table_name as name from information_schema.tables
            where table_schema = 'public' and table_name <> 'seaql_migrations'"
        }
    });
    let rows = db.db.read().query_all_raw(sql.build()).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "name").unwrap())
        .collect()
}

/// All columns that refer to a customer: by a foreign key, or by what they are called.
async fn references(db: &TestDb) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for table in tables(db).await {
        let text = match db.db.engine() {
            Engine::Sqlite => format!(
                "select name as column_name from pragma_table_info('{table}') where name like '%customer%id'
                union select \"from\" from pragma_foreign_key_list('{table}') where \"table\" = 'customer'"
            ),
            Engine::Postgres => format!(
                "select column_name::text from information_schema.columns
                where table_name = '{table}' and column_name like '%customer%id'
                union select a.attname::text from pg_constraint c
                join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
                where c.contype = 'f' and c.conrelid = '{table}'::regclass and c.confrelid = 'customer'::regclass"
            ),
        };
        let mut sql = db.db.sql();
        sql.push(&text);
        for row in db.db.read().query_all_raw(sql.build()).await.unwrap() {
            let column: String = row.try_get("", "column_name").unwrap();
            found.insert((table.clone(), column));
        }
    }
    found
}

#[tokio::test]
async fn every_table_is_decided() {
    for db in TestDb::all().await {
        let known: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        assert_eq!(
            tables(&db).await,
            known,
            "decide in identity/tables.rs what a merge, an erasure and an export do with it"
        );
        db.done().await;
    }
}

#[tokio::test]
async fn every_column_that_refers_to_a_customer_is_decided() {
    for db in TestDb::all().await {
        let known: BTreeSet<(String, String)> = TABLES
            .iter()
            .flat_map(|table| {
                let named = |column: &str| (table.name.to_owned(), column.to_owned());
                table.references.iter().map(move |to| named(to.column))
            })
            .collect();
        let missing: Vec<_> = references(&db).await.difference(&known).cloned().collect();
        assert!(
            missing.is_empty(),
            "decide in identity/tables.rs: {missing:?}"
        );
        // What is named there is there.
        for (table, column) in known {
            db.number(&format!("select count({column}) from {table}"))
                .await;
        }
        db.done().await;
    }
}

#[test]
fn an_export_holds_every_personal_table() {
    let personal: BTreeSet<&str> = TABLES
        .iter()
        .filter(|table| table.about == About::Person)
        .map(|table| table.name)
        .collect();
    let held: BTreeSet<&str> = HELD.iter().map(|(table, _)| *table).collect();
    assert_eq!(held, personal);
}

/// The page for people says the same as the list.
#[test]
fn the_documentation_names_every_personal_table() {
    let page = include_str!("../../../../docs/data-model.md");
    let (_, told) = page
        .split_once("## Where personal data are")
        .expect("the page has the section");
    for table in TABLES.iter().filter(|table| table.about == About::Person) {
        let name = format!("`{}`", table.name);
        assert!(
            told.contains(&name),
            "docs/data-model.md is silent about {name}"
        );
    }
}

#[test]
fn what_is_personal_is_removed_or_cleaned() {
    for table in TABLES {
        for to in table.references {
            let kept = to.erase == Erase::Keeps;
            let plain = matches!(
                table.name,
                "arrival"
                    | "audit_customer"
                    | "event"
                    | "customer"
                    | "customer_total"
                    | "membership"
                    | "purchase"
                    | "tier_change"
                    | "webhook_delivery"
            );
            assert!(
                !kept || plain,
                "{}.{} is kept by an erasure",
                table.name,
                to.column
            );
            let stays = to.merge == Merge::Stays && table.about == About::Person;
            assert!(
                !stays || table.name == "customer",
                "{}.{} is left behind by a merge",
                table.name,
                to.column
            );
        }
    }
}
