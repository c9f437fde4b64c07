//! The daily job that lets cards expire (rule M2).

use super::issue;
use crate::domain::organization::company;
use crate::error::Result;
use crate::jobs::{Job, JobContext};
use entity::values::business_date::business_date;
use serde::{Deserialize, Serialize};

/// Lets the cards expire whose last day has passed, by the company's calendar.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireCards {}

/// Holders whose cards expire in one transaction: few, so that no writer waits long.
const AT_ONCE: u64 = 200;

impl Job for ExpireCards {
    const NAME: &'static str = "card.expire";

    fn dedup_key(&self) -> Option<String> {
        Some("all".to_owned())
    }

    async fn run(self, context: &JobContext) -> Result<()> {
        let ctx = &context.ctx;
        let zone = company::settings(ctx).await?.time_zone;
        let today = business_date(ctx.now(), zone);
        while issue::expire_due(ctx, today, AT_ONCE).await? > 0 {}
        Ok(())
    }
}
