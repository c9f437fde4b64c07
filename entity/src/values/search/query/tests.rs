//! What is found by what: by a matcher in Rust, and by a real FTS5 table.

use super::*;
use crate::values::search::index_tokens;
use proptest::prelude::*;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

/// (stored text, queries that find it, queries that do not)
const CASES: &[(&str, &[&str], &[&str])] = &[
    (
        "Wang Xiaoming",
        &[
            "wang xiao ming",
            "WangXiaoMing",
            "wangx",
            "w",
            "Wang",
            "XIAOMING",
            "xiao ming",
            "xiaoming wang",
            "ＷＡＮＧ",
            "wang-xiaoming",
            "wang   x",
        ],
        &["ming", "ang", "wang y", "wangxy", "xiaoming w x", "王"],
    ),
    (
        "Wang Xiao Ming",
        &["xiaoming", "wangxiaoming", "ming", "xiao m", "ming wang"],
        &["mingx"],
    ),
    (
        "王小明",
        &[
            "小明",
            "王小明",
            "王",
            "明",
            "王小",
            "王 小明",
            "小明 王",
            "王\u{3000}小明",
            "王·小明",
        ],
        &["王明", "明小", "小王", "wang", "王小红", "李"],
    ),
    ("王 小明", &["王小明", "小明"], &["明王"]),
    (
        "김민수",
        &[
            "민수",
            "김",
            "김민수",
            "김 민수",
            "\u{1100}\u{1175}\u{11B7}민수",
        ],
        &["수민", "박"],
    ),
    (
        "José García",
        &[
            "jose",
            "JOSÉ",
            "josé g",
            "garcia",
            "jose garcia",
            "josegarcia",
            "garcia jose",
            "Jose\u{301}",
        ],
        &["joseph", "garciaj"],
    ),
    (
        "O'Brien",
        &[
            "o'brien",
            "obrien",
            "O’Brien",
            "brien",
            "o brien",
            "obri",
            "o'b",
        ],
        &["obrian"],
    ),
    (
        "Patrick O'Brien",
        &[
            "patrick obrien",
            "obrien",
            "o'brien",
            "patrick o'brien",
            "obrien patrick",
            "brien p",
        ],
        &["patricko x"],
    ),
    ("Patrick OBrien", &["patrick o'brien", "o'brien"], &[]),
    (
        "Patrick O'Brien Jr.",
        &["obrien patrick", "obrien jr", "jr"],
        &[],
    ),
    (
        "Jean-Luc Picard",
        &[
            "jean luc",
            "jean-luc",
            "jeanluc",
            "picard jeanluc",
            "jeanlucp",
            "luc",
        ],
        &["ean"],
    ),
    (
        "Søren Łukasz Straße",
        &["soren", "lukasz", "strasse", "Straße"],
        &["sren"],
    ),
    ("Nguyễn Thị Ánh", &["nguyen thi anh", "nguyen", "anh"], &[]),
    (
        "Wang 小明 VIP",
        &["wang 小明", "小明 vip", "wang小明", "小"],
        &["wang 小红", "vip wang x"],
    ),
    ("𠮷田太郎", &["𠮷田", "𠮷", "太郎"], &["田𠮷"]),
    (
        "\u{9FFF}一",
        &["\u{9FFF}", "一", "\u{9FFF}一"],
        &["\u{9FFE}"],
    ),
    ("𰻝𰻝", &["𰻝", "𰻝𰻝"], &["𠮷"]),
    (
        "ﾔﾏﾀﾞ たろう",
        &["ヤマダ", "たろ", "ヤマダ たろう"],
        &["ハマダ"],
    ),
    (
        "Иван Фёдоров Йорк",
        &["фёдоров", "федоров", "ИВАН", "йорк"],
        &["иорк"],
    ),
    ("Αθήνα Οδυσσέας", &["αθηνα", "ΟΔΥΣΣΕΑΣ", "οδυσσεας"], &[]),
    ("สมชาย", &["สมชาย", "สม"], &["ชาย"]),
    ("محمد علي", &["محمد", "علي محمد"], &["احمد"]),
    ("İstanbul ISTANBUL", &["istanbul", "İSTANBUL"], &[]),
    (
        "7-Eleven No. 24",
        &["7 eleven", "7eleven", "no 24", "24", "7-e"],
        &["711"],
    ),
    (
        "AND OR NOT NEAR",
        &["and", "or not", "near", "\"and\"", "NEAR("],
        &["nor"],
    ),
];

/// What both engines do with the terms.
fn finds(index: &str, query: &SearchQuery) -> bool {
    let tokens: Vec<&str> = index.split(' ').collect();
    let has = |term: &Term| {
        tokens.iter().any(|token| {
            if term.prefix {
                token.starts_with(&term.token)
            } else {
                *token == term.token
            }
        })
    };
    query
        .parts()
        .iter()
        .all(|alternatives| alternatives.iter().any(|terms| terms.iter().all(has)))
}

#[test]
fn names_are_found() {
    for (text, found, not_found) in CASES {
        let index = index_tokens(text);
        for query in *found {
            assert!(
                finds(&index, &SearchQuery::parse(query).unwrap()),
                "{query} must find {text} ({index})"
            );
        }
        for query in *not_found {
            assert!(
                !finds(&index, &SearchQuery::parse(query).unwrap()),
                "{query} must not find {text} ({index})"
            );
        }
    }
}

#[tokio::test]
async fn sqlite_finds_the_same() {
    let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    db.execute_unprepared("CREATE VIRTUAL TABLE t USING fts5(\"na\"\"me\", tokenize = \"unicode61 remove_diacritics 0\")").await.unwrap();
    for (text, found, not_found) in CASES {
        db.execute_unprepared("DELETE FROM t").await.unwrap();
        let insert = Statement::from_sql_and_values(
            DbBackend::Sqlite,
            "INSERT INTO t VALUES (?)",
            [index_tokens(text).into()],
        );
        db.execute_raw(insert).await.unwrap();
        let queries = found
            .iter()
            .map(|query| (query, true))
            .chain(not_found.iter().map(|query| (query, false)));
        for (query, expected) in queries {
            let fts5 = SearchQuery::parse(query).unwrap().to_fts5("na\"me");
            let select = Statement::from_sql_and_values(
                DbBackend::Sqlite,
                "SELECT 1 FROM t WHERE t MATCH ?",
                [fts5.clone().into()],
            );
            let answer = db.query_all_raw(select).await.unwrap();
            assert_eq!(!answer.is_empty(), expected, "{query} on {text}: {fts5}");
        }
    }
}

#[test]
fn renderings() {
    let query = SearchQuery::parse("wang 小明").unwrap();
    assert_eq!(
        query.to_fts5("name"),
        "\"name\" : ((\"wang\" * AND \"小明\"))"
    );
    assert_eq!(query.to_tsquery(), "('wang':* & '小明')");
    let query = SearchQuery::parse("ann lee").unwrap();
    assert_eq!(query.to_tsquery(), "('annlee':* | ('ann' & 'lee':*))");
}

#[test]
fn nothing_to_search_for() {
    for text in [
        "", " ", "'", "---", "\u{301}", "\u{200B}", "🙂", "\"*()", "\0",
    ] {
        assert_eq!(SearchQuery::parse(text), None, "{text:?}");
        assert_eq!(index_tokens(text), "");
    }
}

#[test]
fn stays_small() {
    let long = "王小明".repeat(100_000);
    assert!(SearchQuery::parse(&long).unwrap().terms().count() <= 16);
    assert!(index_tokens(&long).len() < 20_000);
    let words: String = (0..10_000).map(|n| format!("word{n} ")).collect();
    assert!(SearchQuery::parse(&words).unwrap().terms().count() <= 16);
    assert!(index_tokens(&words).split(' ').count() <= 1000);
    let word = "x".repeat(1 << 20);
    assert!(finds(
        &index_tokens(&word),
        &SearchQuery::parse(&word).unwrap()
    ));
    assert!(index_tokens(&word).len() < 100);
}

proptest! {
    #[test]
    fn every_name_is_found_by_itself(name in "[\\PC]{1,30}") {
        if let Some(query) = SearchQuery::parse(&name) {
            prop_assert!(finds(&index_tokens(&name), &query), "{} {}", index_tokens(&name), query.to_tsquery());
        }
    }

    #[test]
    fn spacing_and_case_do_not_matter(words in prop::collection::vec("[a-zA-Z]{1,8}", 1..4)) {
        let index = index_tokens(&words.join(" "));
        for query in [words.concat(), words.concat().to_uppercase(), words.join("-"), words.join("  ").to_lowercase()] {
            prop_assert!(finds(&index, &SearchQuery::parse(&query).unwrap()));
        }
    }

    #[test]
    fn tokens_are_letters_and_digits(text in any::<String>()) {
        let index = index_tokens(&text);
        prop_assert!(index.chars().all(|c| c == ' ' || c.is_alphanumeric()));
        if let Some(query) = SearchQuery::parse(&text) {
            prop_assert!(query.terms().all(|term| term.token.chars().all(char::is_alphanumeric) && !term.token.is_empty()));
        }
    }
}
