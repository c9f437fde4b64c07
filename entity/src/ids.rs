//! Typed ids: one newtype a table, so that a card's id can never be handed in where a customer's is due.
//!
//! Ids are UUIDs of version 7, made by the program: they sort by the time of their making, which keeps
//! fresh rows together in every index.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        // SeaORM asks for this on every key; a key made by the program is never a row number.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )+};
}

ids! {
    /// The company that this deployment serves.
    CompanyId;
    /// A region of the company.
    RegionId;
    /// A store.
    StoreId;
    /// A member of staff.
    StaffId;
    /// A role given to a member of staff.
    GrantId;
    /// A sign-in, from the password to the sign-out; also the family of its refresh tokens.
    SessionId;
    /// A third-party program that signs in with a secret of its own.
    ClientId;
    /// A place in which a client may do something.
    ClientPlaceId;
    /// A secret of a client.
    ClientSecretId;
    /// An address at which a client is told of events.
    WebhookId;
    /// A secret by which what is told is signed.
    WebhookSecretId;
    /// One event for one webhook; also the id of the message.
    WebhookDeliveryId;
    /// A try to deliver.
    WebhookAttemptId;
    /// An entry of the audit log.
    AuditEntryId;
    /// A job of the queue.
    JobId;
    /// A customer.
    CustomerId;
    /// A way to reach a customer.
    ContactPointId;
    /// One statement of consent.
    ConsentId;
    /// Something a customer likes or dislikes.
    TasteId;
    /// A day worth remembering.
    SpecialDayId;
    /// A note on a customer.
    NoteId;
    /// An attribute that the shop defines for its customers.
    AttributeId;
    /// What an attribute says of a customer.
    CustomerAttributeId;
    /// A group that customers join and leave.
    GroupId;
    /// A customer's membership in a group.
    GroupMemberId;
    /// A merge of two customers' files.
    MergeId;
    /// A category of products.
    CategoryId;
    /// Something that is sold.
    ProductId;
    /// A list price of a product, from a moment on.
    ProductPriceId;
    /// A loyalty programme.
    ProgrammeId;
    /// A tier of a programme.
    TierId;
    /// A customer's membership in a programme.
    MembershipId;
    /// A membership card.
    CardId;
    /// A change of a membership's tier.
    TierChangeId;
    /// A visit.
    VisitId;
    /// A customer who is here.
    ArrivalId;
    /// A visit that was announced before.
    AnnouncedVisitId;
    /// What one side said in an enquiry.
    EnquiryEntryId;
    /// Data on their way out or in.
    TransferId;
    /// A purchase: one receipt.
    PurchaseId;
    /// A line of a receipt.
    PurchaseLineId;
    /// A reference of another system's file that is still open.
    OpenReferenceId;
}
