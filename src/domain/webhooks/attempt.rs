//! One try to deliver: may it still be told, the message, and what comes of it.

use super::kinds::{EventKind, TEST};
use super::message::{self, GlobalIds};
use super::queue::{self, End};
use super::rights::{self, Fact};
use super::{hooks, secrets};
use crate::access::{Ctx, audit};
use crate::channels::{Answer, Fault, Message, Sender};
use crate::error::Result;
use crate::jobs::Jitter;
use chrono::TimeDelta;
use entity::enums::{WebhookDeliveryState, WebhookErrorKind};
use entity::ids::WebhookAttemptId;
use entity::{webhook, webhook_attempt, webhook_delivery};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The longest time that a receiver may take.
const TIME: Duration = Duration::from_secs(15);
/// The waits between tries, as Standard Webhooks proposes them: a little more than three days in all.
const WAITS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];
/// The longest wait that a receiver can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);
/// What is added to a wait at most, by chance, so that what failed together does not come back together.
const SPREAD: f64 = 0.1;
/// The status by which a receiver says that it is gone for good.
const GONE: u16 = 410;

/// What tries share.
pub(super) struct Attempts {
    pub ctx: Ctx,
    pub sender: Sender,
    pub ids: GlobalIds,
    pub jitter: Jitter,
    pub node: Uuid,
}

impl Attempts {
    /// Tries a claimed delivery and writes down what came of it.
    pub async fn perform(&self, row: &webhook_delivery::Model) -> Result<()> {
        let found = webhook::Entity::find_by_id(row.webhook_id)
            .one(self.ctx.db.read())
            .await?;
        let hook = match found {
            Some(hook) if self.may_be_told(&hook, row).await? => hook,
            _ => return self.call_off(row).await,
        };
        let (now, body) = (self.ctx.now(), message::body(self.ids, row)?);
        let keys = secrets::good(&self.ctx, hook.id).await?;
        let message = Message {
            headers: message::headers(row, now, &body, keys)?,
            url: hook.url,
            body,
            time: TIME,
        };
        let begun = Instant::now();
        let outcome = self.sender.send(message).await;
        let took = begun.elapsed();
        metrics::histogram!("regulars_webhook_attempt_seconds").record(took.as_secs_f64());
        let attempt = webhook_attempt::ActiveModel {
            id: Set(WebhookAttemptId::new()),
            delivery_id: Set(row.id),
            at: Set(now),
            status: Set(outcome.as_ref().ok().map(|answer| answer.status.into())),
            error: Set(outcome.as_ref().err().map(|fault| error_kind(*fault))),
            millis: Set(i32::try_from(took.as_millis()).unwrap_or(i32::MAX)),
            answer: Set(outcome.as_ref().ok().map(|answer| answer.beginning.clone())),
        };
        self.conclude(row, &attempt, &outcome).await
    }

    async fn may_be_told(
        &self,
        hook: &webhook::Model,
        row: &webhook_delivery::Model,
    ) -> Result<bool> {
        if hook.disabled_at.is_some() {
            return Ok(false);
        }
        let viewers = rights::viewers(&self.ctx.db, &[hook.client_id]).await?;
        let Some(viewer) = viewers.get(&hook.client_id) else {
            return Ok(false);
        };
        if row.kind == TEST {
            return Ok(true);
        }
        let Some(kind) = EventKind::of_word(&row.kind) else {
            return Ok(false);
        };
        let fact = Fact {
            kind,
            customer: row.customer_id,
            store: row.store_id,
        };
        let told = rights::told(&self.ctx, viewer, None, &[fact]).await?;
        Ok(!told.is_empty())
    }

    async fn call_off(&self, row: &webhook_delivery::Model) -> Result<()> {
        let (now, end) = (self.ctx.now(), WebhookDeliveryState::Cancelled);
        count_end(end);
        self.ctx
            .db
            .write(|tx| async move {
                queue::conclude(&*tx, now, self.node, row, row.attempts, End::Over(end)).await?;
                Ok(())
            })
            .await
    }

    async fn conclude(
        &self,
        row: &webhook_delivery::Model,
        attempt: &webhook_attempt::ActiveModel,
        outcome: &Result<Answer, Fault>,
    ) -> Result<()> {
        let (ctx, end) = (&self.ctx, self.end(row, outcome));
        let is_gone = outcome.as_ref().is_ok_and(|answer| answer.status == GONE);
        let concluded = ctx
            .db
            .write(|tx| async move {
                if is_gone {
                    // Whoever switches it off by hand locks it before its deliveries, too.
                    hooks::locked(&*tx, row.webhook_id).await?;
                }
                webhook_attempt::Entity::insert(attempt.clone())
                    .exec_without_returning(&*tx)
                    .await?;
                let attempts = row.attempts.saturating_add(1);
                let ours = queue::conclude(&*tx, ctx.now(), self.node, row, attempts, end).await?;
                if ours && end == End::Over(WebhookDeliveryState::Failed) {
                    given_up(&*tx, ctx, row).await?;
                }
                if is_gone {
                    hooks::gone(&*tx, ctx, row.webhook_id).await?;
                }
                Ok(ours)
            })
            .await?;
        let word = match (outcome, end) {
            (Ok(_), End::Over(WebhookDeliveryState::Delivered)) => "delivered",
            (Ok(_), _) => "refused",
            (Err(_), _) => "failed",
        };
        metrics::counter!("regulars_webhook_attempts_total", "outcome" => word).increment(1);
        if let (true, End::Over(state)) = (concluded, end) {
            count_end(state);
        }
        Ok(())
    }

    fn end(&self, row: &webhook_delivery::Model, outcome: &Result<Answer, Fault>) -> End {
        let answer = outcome.as_ref().ok();
        if answer.is_some_and(|answer| (200..300).contains(&answer.status)) {
            return End::Over(WebhookDeliveryState::Delivered);
        }
        let wait = usize::try_from(row.attempts)
            .ok()
            .and_then(|tried| WAITS.get(tried));
        match wait {
            Some(wait) if answer.is_none_or(|answer| answer.status != GONE) => {
                let asked = answer.and_then(|answer| answer.retry_after);
                let wait = wait.to_std().unwrap_or(LONGEST_WAIT);
                let wait = wait.max(asked.unwrap_or_default().min(LONGEST_WAIT));
                let wait = wait.mul_f64(1.0 + SPREAD * (self.jitter)().clamp(0.0, 1.0));
                let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
                End::Again(self.ctx.now() + wait)
            }
            _ => End::Over(WebhookDeliveryState::Failed),
        }
    }
}

/// That nobody will be told is written down: somebody may have to be told in another way.
async fn given_up(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    row: &webhook_delivery::Model,
) -> Result<()> {
    let entry = audit::Entry::new(ctx, "webhook.delivery_failed")
        .about(row.customer_id)
        .detail(json!({ "webhook": row.webhook_id, "delivery": row.id, "kind": row.kind }));
    audit::write(tx, &[entry]).await
}

fn count_end(state: WebhookDeliveryState) {
    let word = state.as_str().to_ascii_lowercase();
    metrics::counter!("regulars_webhook_deliveries_total", "state" => word).increment(1);
}

fn error_kind(fault: Fault) -> WebhookErrorKind {
    match fault {
        Fault::Refused => WebhookErrorKind::AddressRefused,
        Fault::Unresolved => WebhookErrorKind::NameUnknown,
        Fault::Unreachable => WebhookErrorKind::Unreachable,
        Fault::Tls => WebhookErrorKind::Tls,
        Fault::Timeout => WebhookErrorKind::Timeout,
        Fault::Broken => WebhookErrorKind::Broken,
    }
}
