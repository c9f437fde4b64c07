//! Registered documents: do they still fit the schema and the limits, and is there one where nothing else runs?

use super::report::Report;
use crate::access::Ctx;
use crate::app::{StartError, gate};
use crate::config::{Documents, Settings};
use crate::domain::organization::documents;

/// Looks at them.
pub(super) async fn look(
    report: &mut Report,
    ctx: &Ctx,
    settings: &Settings,
) -> Result<(), StartError> {
    let gate = gate(settings)?;
    let (mut count, mut unfit) = (0_u64, Vec::new());
    documents::each(ctx, |hash, text| {
        count += 1;
        if gate.check(text).is_err() {
            unfit.push(hash);
        }
    })
    .await?;
    let only_registered = settings.server.documents == Documents::Registered;
    match (unfit.as_slice(), count) {
        ([first, ..], _) => report.warn(
            "documents",
            &format!(
                "{} of {count} registered document(s), such as {first}, would be refused by the schema or the limits: \
                 register what their clients send now, or remove them with `regulars documents remove`",
                unfit.len()
            ),
        ),
        ([], 0) if only_registered => report.warn(
            "documents",
            "only registered ones run, and none is registered: use `regulars documents register`",
        ),
        ([], 0) => report.ok("documents", "none is registered"),
        ([], _) => report.ok("documents", &format!("{count} registered, all fit to run")),
    }
    Ok(())
}
