//! What is told of each statement: counts for `/metrics`, where the tests read how many one request costs, and a span for
//! a collector of traces.

use crate::spans;
use metrics::Counter;
use sea_orm::DatabaseConnection;
use std::time::Duration;

/// Tells of the statements of one database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Watch {
    statements: Counter,
    failures: Counter,
}

impl Watch {
    /// For whoever counts when the database is opened.
    pub(super) fn new() -> Self {
        Self {
            statements: metrics::counter!("regulars_db_statements_total"),
            failures: metrics::counter!("regulars_db_statement_failures_total"),
        }
    }

    /// A statement has ended.
    pub(super) fn statement(&self, text: &str, took: Duration, has_failed: bool) {
        self.statements.increment(1);
        if has_failed {
            self.failures.increment(1);
        }
        spans::statement(text, took, has_failed);
    }

    /// Has SeaORM tell of its connection's statements.
    pub(super) fn over(self, connection: &mut DatabaseConnection) {
        connection.set_metric_callback(move |info| {
            self.statement(&info.statement.sql, info.elapsed, info.failed);
        });
    }
}
