//! What is sent: the body, and the headers by which a receiver knows that it comes from here.

use super::kinds::{EventKind, Subject, TEST};
use crate::error::{Error, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use entity::webhook_delivery;
use serde::Serialize;
use standardwebhooks::Webhook;
use uuid::Uuid;

/// How the API calls things: the ids that messages name them by. Handed in by `app`, since it is the API's matter.
#[derive(Clone, Copy, Debug)]
pub struct GlobalIds(pub fn(Subject, Uuid) -> Option<String>);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: Data,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    position: Option<String>,
    customer_id: Option<String>,
    store_id: Option<String>,
    subject_id: Option<String>,
}

/// The body of a delivery, the same with every try.
pub(super) fn body(ids: GlobalIds, row: &webhook_delivery::Model) -> Result<String> {
    let subject = match EventKind::of_word(&row.kind) {
        Some(kind) => kind.subject(),
        None if row.kind == TEST => Subject::Webhook,
        None => Subject::Nameless,
    };
    let customer = row.customer_id.map(Uuid::from);
    let body = Body {
        kind: &row.kind,
        timestamp: row.occurred_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        data: Data {
            position: row.event_position.map(|position| position.to_string()),
            customer_id: customer.and_then(|id| (ids.0)(Subject::Customer, id)),
            store_id: row.store_id.and_then(|id| (ids.0)(Subject::Store, id.0)),
            subject_id: (ids.0)(subject, row.subject_id),
        },
    };
    serde_json::to_string(&body)
        .map_err(|_| Error::internal("a message of a webhook cannot be written as JSON"))
}

/// The headers of a try: the message's id, the moment, and a signature by each secret.
pub(super) fn headers(
    row: &webhook_delivery::Model,
    now: DateTime<Utc>,
    body: &str,
    secrets: Vec<Vec<u8>>,
) -> Result<Vec<(&'static str, String)>> {
    let (id, at) = (row.id.to_string(), now.timestamp());
    let sign = |secret: Vec<u8>| {
        Webhook::from_bytes(secret)
            .and_then(|signer| signer.sign(&id, at, body.as_bytes()))
            .map_err(|_| Error::internal("a message of a webhook cannot be signed"))
    };
    let signatures: Vec<String> = secrets.into_iter().map(sign).collect::<Result<_>>()?;
    Ok(vec![
        (standardwebhooks::HEADER_WEBHOOK_ID, id),
        (standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, at.to_string()),
        (
            standardwebhooks::HEADER_WEBHOOK_SIGNATURE,
            signatures.join(" "),
        ),
    ])
}
