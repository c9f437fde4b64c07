//! What goes into the mutations of arrivals, announced visits and enquiries.

use super::input::{moment, who};
use super::transcript::EnquiryAuthor;
use crate::access::Ctx;
use crate::db::IdempotencyKey;
use crate::domain::visits::announced::{AnnouncementChange, NewAnnouncement};
use crate::domain::visits::arrivals::NewArrival;
use crate::domain::visits::enquiries::NewEntry;
use crate::error::Result;
use crate::graphql::idempotency::key;
use crate::graphql::ids::{need, need_option};
use crate::graphql::patch::patch_with;
use crate::graphql::scalars::DateTime;
use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::ids::VisitId;
use serde::{Serialize, Serializer};

/// A customer who is here.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerArriveInput {
    /// Who came: a customer in sight. Give this or `cardNumber`.
    customer_id: Option<ID>,
    /// Who came: the holder of the card that is shown, even if this store has not seen them before. Give this
    /// or `customerId`.
    card_number: Option<String>,
    /// To which store; your only store when absent.
    store_id: Option<ID>,
}

impl CustomerArriveInput {
    pub(super) fn read(self) -> Result<NewArrival> {
        Ok(NewArrival {
            who: who(self.customer_id.as_ref(), self.card_number)?,
            store: need_option(self.store_id.as_ref(), "storeId", "store")?,
        })
    }
}

/// A visit that is announced: an appointment.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct VisitAnnounceInput {
    /// Who will come: a customer in sight.
    customer_id: ID,
    /// To which store; your only store when absent.
    store_id: Option<ID>,
    /// When, at most 366 days ahead.
    #[serde(serialize_with = "instant")]
    expected_at: DateTime,
    /// Who will attend to them, and sees them until the day is over: somebody who serves in the store. All who do when absent.
    attended_by_id: Option<ID>,
    /// What is wanted, and what to prepare; at most 2,000 characters.
    note: Option<String>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives
    /// the same answer, and nothing is done twice. Remembered for 7 days.
    #[serde(skip)]
    idempotency_key: Option<String>,
}

fn instant<S: Serializer>(at: &DateTime, serializer: S) -> Result<S::Ok, S::Error> {
    at.0.timestamp_micros().serialize(serializer)
}

impl VisitAnnounceInput {
    pub(super) fn read(self, ctx: &Ctx) -> Result<NewAnnouncement> {
        Ok(NewAnnouncement {
            key: key(ctx, "visitAnnounce", self.idempotency_key.as_deref(), &self)?,
            customer: need(&self.customer_id, "customerId", "customer")?,
            store: need_option(self.store_id.as_ref(), "storeId", "store")?,
            expected_at: self.expected_at.0,
            attended_by: need_option(
                self.attended_by_id.as_ref(),
                "attendedById",
                "member of staff",
            )?,
            note: self.note,
        })
    }
}

/// A change of an announced visit; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct AnnouncedVisitUpdateInput {
    /// Which one.
    pub(super) id: ID,
    /// The version that the change is based on.
    version: i32,
    /// To which store.
    store_id: Option<ID>,
    /// When; whoever missed their visit may be given another day.
    expected_at: Option<DateTime>,
    /// Who will attend to them: somebody who serves in the store; null leaves it to all who do.
    attended_by_id: MaybeUndefined<ID>,
    /// What is wanted, and what to prepare; null clears it.
    note: MaybeUndefined<String>,
}

impl AnnouncedVisitUpdateInput {
    pub(super) fn read(self) -> Result<AnnouncementChange> {
        let attended_by = match self.attended_by_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(need(&id, "attendedById", "member of staff")?)),
        };
        Ok(AnnouncementChange {
            id: need(&self.id, "id", "announced visit")?,
            version: self.version.into(),
            store: need_option(self.store_id.as_ref(), "storeId", "store")?,
            expected_at: self.expected_at.map(|at| at.0),
            attended_by,
            note: patch_with(self.note, |note| note),
        })
    }
}

/// Which announced visit is called off, and why.
#[derive(Clone, Debug, InputObject)]
pub struct AnnouncedVisitCancelInput {
    /// Which one.
    pub(super) id: ID,
    /// The version that the change is based on.
    pub(super) version: i32,
    /// Why; at most 2,000 characters.
    pub(super) reason: Option<String>,
}

/// What one side said in an enquiry.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct EnquiryEntryInput {
    /// Which side said it.
    #[serde(serialize_with = "side")]
    author: EnquiryAuthor,
    /// What was said; at most 4,000 characters.
    text: String,
    /// When; now when absent.
    #[serde(serialize_with = "moment")]
    at: Option<DateTime>,
}

fn side<S: Serializer>(author: &EnquiryAuthor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{author:?}"))
}

impl From<EnquiryEntryInput> for NewEntry {
    fn from(input: EnquiryEntryInput) -> Self {
        Self {
            author: input.author.into(),
            text: input.text,
            at: input.at.map(|at| at.0),
        }
    }
}

/// What was said since, in an enquiry that was recorded before.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct EnquiryContinueInput {
    /// The enquiry: a visit with the channel ENQUIRY.
    visit_id: ID,
    /// What was said, in its order; at most 200 entries at once, and 2,000 in all.
    entries: Vec<EnquiryEntryInput>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives
    /// the same answer, and nothing is done twice. Remembered for 7 days.
    #[serde(skip)]
    idempotency_key: Option<String>,
}

/// What was said since, as the service is told.
pub(super) type Continued = (VisitId, Vec<NewEntry>, Option<IdempotencyKey>);

impl EnquiryContinueInput {
    pub(super) fn read(self, ctx: &Ctx) -> Result<Continued> {
        let key = key(
            ctx,
            "enquiryContinue",
            self.idempotency_key.as_deref(),
            &self,
        )?;
        let id = need(&self.visit_id, "visitId", "visit")?;
        Ok((id, self.entries.into_iter().map(Into::into).collect(), key))
    }
}
