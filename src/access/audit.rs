//! The audit log (rule R4): every change of customer data, and every request that reads contact details in
//! full, leaves one entry.
//!
//! A change writes its entry in its own transaction ([`write()`]). A request that only reads notes in its
//! [`ReadTrail`] whose details it has shown; before the answer leaves, the trail is handed to the
//! [`AuditLog`], which writes the entries of many requests in one transaction and says when they are safe.

use super::Ctx;
use crate::db::{Batch, Db, Table};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::enums::ActorKind;
use entity::ids::{AuditEntryId, CustomerId};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

/// An entry before it is written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// What, such as `card.issue`.
    pub action: &'static str,
    /// From which address.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Uuid,
    /// Which customers it concerns.
    pub customers: Vec<CustomerId>,
    /// Ids and field names; never personal values.
    pub detail: serde_json::Value,
}

impl Entry {
    /// An entry about what the context's viewer does now.
    pub fn new(ctx: &Ctx, action: &'static str) -> Self {
        Self {
            at: ctx.now(),
            actor_kind: ctx.viewer.actor_kind(),
            actor_id: ctx.viewer.actor_id(),
            action,
            address: ctx.origin.address.map(|address| address.to_string()),
            request_id: ctx.origin.request_id,
            customers: Vec::new(),
            detail: serde_json::json!({}),
        }
    }

    /// Names the customers that it concerns.
    #[must_use]
    pub fn about(mut self, customers: impl IntoIterator<Item = CustomerId>) -> Self {
        self.customers.extend(customers);
        self
    }

    /// Adds detail: ids and field names, never personal values.
    #[must_use]
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Writes entries within a transaction.
///
/// # Errors
/// Those of the database.
pub async fn write(tx: &impl ConnectionTrait, entries: &[Entry]) -> Result<()> {
    let mut batch = Batch::new();
    gather(&mut batch, entries);
    batch.write(tx).await
}

static ENTRY: Table = Table {
    name: "audit_entry",
    columns: &[
        ("id", "uuid"),
        ("at", "timestamptz"),
        ("actor_kind", "text"),
        ("actor_id", "uuid"),
        ("action", "text"),
        ("address", "text"),
        ("request_id", "uuid"),
        ("customer_count", "integer"),
        ("detail", "jsonb"),
    ],
    conflict: "",
};

static CONCERNED: Table = Table {
    name: "audit_customer",
    columns: &[("customer_id", "uuid"), ("entry_id", "uuid")],
    conflict: "on conflict do nothing",
};

/// Adds entries to a batch, for callers who write more in the same statement.
pub fn gather(batch: &mut Batch, entries: &[Entry]) {
    for entry in entries {
        let id = AuditEntryId::new();
        let count = i32::try_from(entry.customers.len()).unwrap_or(i32::MAX);
        batch.insert(
            &ENTRY,
            [vec![
                id.into(),
                entry.at.into(),
                entry.actor_kind.as_str().into(),
                entry.actor_id.into(),
                entry.action.into(),
                entry.address.clone().into(),
                entry.request_id.into(),
                count.into(),
                entry.detail.clone().into(),
            ]],
        );
        batch.insert(
            &CONCERNED,
            entry
                .customers
                .iter()
                .map(|customer| vec![(*customer).into(), id.into()]),
        );
    }
}

/// Whose contact details one request has shown in full. Cheap to clone; all clones are the same trail.
#[derive(Clone, Debug, Default)]
pub struct ReadTrail(Arc<Mutex<BTreeSet<CustomerId>>>);

impl ReadTrail {
    /// Notes that this customer's details are shown in full.
    pub fn shown(&self, customer: CustomerId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(customer);
    }

    /// Takes what was noted.
    pub fn take(&self) -> Vec<CustomerId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
            .into_iter()
            .collect()
    }
}

/// An entry, and whom to tell whether it is written.
type Waiting = (Entry, oneshot::Sender<bool>);

async fn write_all(db: &Db, batch: Vec<Waiting>) {
    let (entries, answers): (Vec<Entry>, Vec<_>) = batch.into_iter().unzip();
    let written = db
        .append(|| {
            let mut rows = Batch::new();
            gather(&mut rows, &entries);
            rows
        })
        .await;
    if let Err(error) = &written {
        tracing::error!(error = ?error, entries = entries.len(), "audit entries could not be written");
    }
    for answer in answers {
        // A caller who has gone away needs no answer.
        let _ = answer.send(written.is_ok());
    }
}

/// Writes the entries of reads, many requests in one transaction.
#[derive(Clone, Debug)]
pub struct AuditLog(mpsc::Sender<Waiting>);

impl AuditLog {
    /// Starts the task that writes; it ends when the last handle is gone.
    pub fn start(db: Db) -> Self {
        let (sender, mut waiting) = mpsc::channel::<Waiting>(4096);
        // While one batch waits for the disk the next one may be on its way, where the engine can do both.
        let lanes = Arc::new(Semaphore::new(db.lanes().min(2)));
        tokio::spawn(async move {
            while let Ok(lane) = Arc::clone(&lanes).acquire_owned().await {
                let mut batch = Vec::new();
                // Whatever has gathered meanwhile goes together: no timer is needed.
                if waiting.recv_many(&mut batch, 1000).await == 0 {
                    break;
                }
                let db = db.clone();
                tokio::spawn(async move {
                    write_all(&db, batch).await;
                    drop(lane);
                });
            }
        });
        Self(sender)
    }

    /// Writes what the request has shown, and waits until it is safe.
    ///
    /// # Errors
    /// [`Error::Internal`] when it could not be written: the answer must not leave then.
    pub async fn settle(&self, ctx: &Ctx) -> Result<()> {
        let shown = ctx.reads.take();
        if shown.is_empty() {
            return Ok(());
        }
        let lost = || Error::internal("the audit entry of a read could not be written");
        let (answer, written) = oneshot::channel();
        let entry = Entry::new(ctx, "customer.read_contact").about(shown);
        self.0.send((entry, answer)).await.map_err(|_| lost())?;
        if written.await.unwrap_or(false) {
            Ok(())
        } else {
            Err(lost())
        }
    }
}
