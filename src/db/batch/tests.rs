//! Whatever goes into a batch comes out of both engines as it was.

use super::{Batch, Table};
use crate::testing::TestDb;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

static SAMPLE: Table = Table {
    name: "sample",
    columns: &[
        ("id", "bigint"),
        ("letters", "text"),
        ("bytes", "bytea"),
        ("key", "uuid"),
        ("whole", "integer"),
        ("yes", "boolean"),
        ("day", "date"),
        ("moment", "timestamptz"),
        ("document", "jsonb"),
    ],
    conflict: "",
};

#[derive(Clone, Debug, PartialEq)]
struct Row {
    letters: Option<String>,
    bytes: Option<Vec<u8>>,
    key: Option<Uuid>,
    whole: Option<i32>,
    yes: Option<bool>,
    day: Option<NaiveDate>,
    moment: Option<DateTime<Utc>>,
    document: Option<serde_json::Value>,
}

impl Row {
    /// The row without the columns whose bits are set: a column may be null in all rows of a batch.
    fn without(mut self, silent: u8) -> Self {
        let is_told = |bit: u8| silent & (1 << bit) == 0;
        self.letters = self.letters.filter(|_| is_told(0));
        self.bytes = self.bytes.filter(|_| is_told(1));
        self.key = self.key.filter(|_| is_told(2));
        self.whole = self.whole.filter(|_| is_told(3));
        self.yes = self.yes.filter(|_| is_told(4));
        self.day = self.day.filter(|_| is_told(5));
        self.moment = self.moment.filter(|_| is_told(6));
        self.document = self.document.filter(|_| is_told(7));
        self
    }
}

/// Anything but the control character that no text may hold, and what means something in an array's text.
fn letters() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\\x00]{0,40}",
        Just(String::new()),
        Just("NULL".to_owned()),
        Just("\\".to_owned()),
        Just("\"},{\",\\\"".to_owned()),
        Just(" 王芳\n\r\t'%_$1?{} ".to_owned()),
    ]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (-300_000_i64..300_000)
        .prop_map(|days| NaiveDate::default() + TimeDelta::days(days))
        // Four digits, as every date of the trade has.
        .prop_filter("of four digits", |day| {
            ("0001-01-01"..="9999-12-31").contains(&day.to_string().as_str())
        })
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_000_000_i64).prop_filter_map("in range", DateTime::from_timestamp_micros)
}

fn row() -> impl Strategy<Value = Row> {
    let some = prop::option::of::<BoxedStrategy<String>>;
    (
        some(letters().boxed()),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        prop::option::of(any::<u128>().prop_map(Uuid::from_u128)),
        any::<Option<i32>>(),
        any::<Option<bool>>(),
        prop::option::of(day()),
        prop::option::of(moment()),
        some(letters().boxed())
            .prop_map(|text| text.map(|text| serde_json::json!({ "of": [text, 1, null] }))),
    )
        .prop_map(
            |(letters, bytes, key, whole, yes, day, moment, document)| Row {
                letters,
                bytes,
                key,
                whole,
                yes,
                day,
                moment,
                document,
            },
        )
}

fn values(id: i64, row: &Row) -> Vec<Value> {
    vec![
        id.into(),
        row.letters.clone().into(),
        row.bytes.clone().into(),
        row.key.into(),
        row.whole.into(),
        row.yes.into(),
        row.day.into(),
        row.moment.into(),
        row.document.clone().into(),
    ]
}

fn read(row: &QueryResult) -> Row {
    Row {
        letters: row.try_get("", "letters").unwrap(),
        bytes: row.try_get("", "bytes").unwrap(),
        key: row.try_get("", "key").unwrap(),
        whole: row.try_get("", "whole").unwrap(),
        yes: row.try_get("", "yes").unwrap(),
        day: row.try_get("", "day").unwrap(),
        moment: row.try_get("", "moment").unwrap(),
        document: row.try_get("", "document").unwrap(),
    }
}

async fn write(test: &TestDb, rows: &[(i64, Row)]) {
    let (earlier, later) = rows.split_at(rows.len() / 2);
    test.db
        .write(|tx| async move {
            let (mut batch, mut rest) = (Batch::new(), Batch::new());
            batch.insert(&SAMPLE, earlier.iter().map(|(id, row)| values(*id, row)));
            rest.insert(&SAMPLE, later.iter().map(|(id, row)| values(*id, row)));
            batch.append(rest);
            batch.write(&*tx).await
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_written_is_what_is_read() {
    for test in TestDb::all().await {
        let (bytes, truth, moment, json) = match test.db.engine() {
            crate::db::Engine::Sqlite => ("blob", "integer", "text", "text"),
            crate::db::Engine::Postgres => ("bytea", "boolean", "timestamptz", "jsonb"),
        };
        let (key, day) = match test.db.engine() {
            crate::db::Engine::Sqlite => ("blob", "text"),
            crate::db::Engine::Postgres => ("uuid", "date"),
        };
        test.run(&format!(
            "create table sample (id bigint primary key, letters text, bytes {bytes}, key {key}, whole integer, \
             yes {truth}, day {day}, moment {moment}, document {json})"
        ))
        .await;
        // The same rows on both engines.
        let mut runner = TestRunner::deterministic();
        let rows = (prop::collection::vec(row(), 0..400), any::<u8>())
            .prop_map(|(rows, silent)| rows.into_iter().map(|row| row.without(silent)).collect());
        let mut next = 0;
        for _ in 0..40 {
            let drawn: Vec<Row> = rows.new_tree(&mut runner).unwrap().current();
            let rows: Vec<(i64, Row)> = drawn
                .into_iter()
                .zip(next..)
                .map(|(row, id)| (id, row))
                .collect();
            write(&test, &rows).await;
            let mut sql = test.db.sql();
            sql.push("select * from sample where id >= ")
                .bind(next)
                .push(" order by id");
            let found = test.db.read().query_all_raw(sql.build()).await.unwrap();
            let found: Vec<Row> = found.iter().map(read).collect();
            let expected: Vec<Row> = rows.iter().map(|(_, row)| row.clone()).collect();
            assert_eq!(found, expected, "{:?}", test.db.engine());
            next += i64::try_from(rows.len()).unwrap();
        }
        assert!(next > 1000);
        test.done().await;
    }
}
