//! The records themselves: is the embedded engine's file whole, and, when asked to look closely, does all agree?

use super::report::Report;
use crate::app::{StartError, consistency};
use crate::db::{Db, Engine, Look, copy};

/// Looks at them.
pub(super) async fn look(
    report: &mut Report,
    db: &Db,
    is_thorough: bool,
) -> Result<(), StartError> {
    // A PostgreSQL server looks after its own files.
    if db.engine() == Engine::Sqlite && !file(report, db, is_thorough).await {
        return Ok(());
    }
    if !is_thorough {
        return Ok(());
    }
    consistency::look(db, |finding| {
        if finding.holds {
            report.ok(&finding.subject, &finding.text);
        } else {
            report.fail(&finding.subject, &finding.text);
        }
    })
    .await
}

/// Is the file whole? Tells whether it is.
async fn file(report: &mut Report, db: &Db, is_thorough: bool) -> bool {
    let look = if is_thorough {
        Look::Thorough
    } else {
        Look::Quick
    };
    if let Some(damage) = copy::damage(db.read(), look).await {
        report.fail(
            "records",
            &format!("the file is damaged ({damage}): bring it back from a backup"),
        );
        return false;
    }
    match copy::orphan(db.read()).await {
        None => {
            report.ok(
                "records",
                "the file is whole, and all that belongs together is there",
            );
            true
        }
        Some(table) => {
            report.fail(
                "records",
                &format!(
                    "rows of {table} refer to nothing: somebody changed the file by hand; bring it back from a backup"
                ),
            );
            false
        }
    }
}
