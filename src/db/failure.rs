//! What a failure of the database means: try again, tell the caller to come back, or a defect.

use crate::error::Error;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e))
        | DbErr::Conn(RuntimeErr::SqlxError(e)) => Some(e),
        _ => None,
    }
}

fn database_code(error: &DbErr) -> Option<String> {
    match sqlx_error(error)? {
        sqlx::Error::Database(e) => e.code().map(|code| code.into_owned()),
        _ => None,
    }
}

/// The transaction lost a race (serialization failure, deadlock, busy) and did nothing: running it again
/// from its beginning is safe and likely to succeed.
pub(super) fn is_lost_race(error: &DbErr) -> bool {
    // PostgreSQL: serialization_failure, deadlock_detected. SQLite: BUSY, BUSY_SNAPSHOT, LOCKED, LOCKED_SHAREDCACHE.
    database_code(error)
        .is_some_and(|code| matches!(code.as_str(), "40001" | "40P01" | "5" | "517" | "6" | "262"))
}

/// Two transactions wrote the same unique value. A closure that looks before it writes finds the other's row
/// when it is run again.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// The embedded engine's file is no database, or so damaged that it does not look like one.
pub fn is_no_database(error: &DbErr) -> bool {
    // SQLITE_CORRUPT, SQLITE_NOTADB.
    database_code(error).is_some_and(|code| matches!(code.as_str(), "11" | "26"))
}

/// There is no room on the disk.
pub fn is_disk_full(error: &DbErr) -> bool {
    // disk_full of PostgreSQL, SQLITE_FULL.
    database_code(error).is_some_and(|code| matches!(code.as_str(), "53100" | "13"))
}

/// The connection is gone: nothing was committed by a transaction that had not yet sent its commit.
pub(super) fn is_connection_lost(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_)) => true,
        // admin_shutdown, crash_shutdown, cannot_connect_now
        Some(sqlx::Error::Database(e)) => e
            .code()
            .is_some_and(|code| matches!(code.as_ref(), "57P01" | "57P02" | "57P03")),
        _ => false,
    }
}

/// The database cannot serve right now: away, starting, full, or no connection free in time.
pub fn is_unavailable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_))
        || is_connection_lost(error)
        || is_lost_race(error)
    {
        return true;
    }
    match sqlx_error(error) {
        Some(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)) => true,
        // PostgreSQL: disk_full, out_of_memory, too_many_connections, lock_not_available, query_canceled, and
        // read_only_sql_transaction, which a server says that has become a standby.
        // SQLite: IOERR (and its extensions), FULL, CANTOPEN, READONLY.
        Some(sqlx::Error::Database(e)) => e.code().is_some_and(|code| {
            matches!(
                code.as_ref(),
                "53100"
                    | "53200"
                    | "53300"
                    | "55P03"
                    | "57014"
                    | "25006"
                    | "13"
                    | "14"
                    | "8"
                    | "10"
                    | "9"
            ) || code
                .parse::<i32>()
                .is_ok_and(|extended| code.len() <= 4 && extended & 0xff == 10)
        }),
        _ => matches!(error, DbErr::Conn(_)),
    }
}

// Here and not beside the error's type, which knows nothing of engines.
impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if is_unavailable(&error) {
            Self::Unavailable(error)
        } else {
            Self::Database(error)
        }
    }
}
