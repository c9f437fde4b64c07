//! The closed sets of words that tables keep: text in the database, `SCREAMING_CASE` as in the API.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

pub use crate::values::ContactKind;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $(
                $(#[$word_doc])*
                #[sea_orm(string_value = $text)]
                #[serde(rename = $text)]
                $word,
            )+
        }

        impl $name {
            /// The word as the database and the API have it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($text => Ok(Self::$word),)+ _ => Err(UnknownWord(stringify!($name))) }
            }
        }
    )+};
}

/// The text is none of the words of the set it was read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a word of {0}")]
pub struct UnknownWord(pub &'static str);

words! {
    /// What somebody may do (rule R1).
    Role {
        /// Everything.
        Admin = "ADMIN",
        /// All stores: all complaints, approvals, reports.
        Headquarters = "HEADQUARTERS",
        /// All of the stores of their region.
        RegionManager = "REGION_MANAGER",
        /// All of their own stores.
        StoreManager = "STORE_MANAGER",
        /// The shop guide: customers of their store, who have arrived today, or whom they keep.
        Associate = "ASSOCIATE",
        /// Segments, templates, campaigns; contact details masked.
        Marketer = "MARKETER",
        /// Figures only, no personal data.
        Analyst = "ANALYST",
    }
    /// What a revocation says.
    AccessChangeKind {
        /// One sign-in has ended.
        SessionEnded = "SESSION_ENDED",
        /// All sign-ins of the person up to now have ended.
        StaffEnded = "STAFF_ENDED",
        /// The person's roles have changed; their sign-ins go on.
        GrantsChanged = "GRANTS_CHANGED",
    }
    /// Who acted.
    ActorKind {
        /// A member of staff.
        Staff = "STAFF",
        /// A third-party program.
        Client = "CLIENT",
        /// The program itself: a job, a command line.
        System = "SYSTEM",
        /// Nobody known: a sign-in that failed.
        Anonymous = "ANONYMOUS",
    }
    /// Where a job stands.
    JobState {
        /// Waits for its time.
        Queued = "QUEUED",
        /// Is being run by a node.
        Running = "RUNNING",
        /// Has run.
        Done = "DONE",
        /// Has failed as often as it may; a person must look.
        Dead = "DEAD",
    }
    /// Where a delivery of a webhook stands.
    WebhookDeliveryState {
        /// Waits for its time, or is on its way.
        Pending = "PENDING",
        /// Has been taken.
        Delivered = "DELIVERED",
        /// Was not taken as often as it was tried.
        Failed = "FAILED",
        /// Will not be tried: the webhook or its client was switched off, or may not be told any more.
        Cancelled = "CANCELLED",
    }
    /// Why a webhook is off.
    WebhookDisabledReason {
        /// Somebody has switched it off.
        ByHand = "BY_HAND",
        /// Its address has answered that it is gone for good.
        Gone = "GONE",
    }
    /// Why a try to deliver brought no answer.
    WebhookErrorKind {
        /// The address is in a network that is not public.
        AddressRefused = "ADDRESS_REFUSED",
        /// Nobody knows the name.
        NameUnknown = "NAME_UNKNOWN",
        /// No connection could be made.
        Unreachable = "UNREACHABLE",
        /// The certificate is not good.
        Tls = "TLS",
        /// There was no answer in time.
        Timeout = "TIMEOUT",
        /// The connection was lost, or what came over it is no HTTP.
        Broken = "BROKEN",
    }
    /// Which way data go.
    TransferDirection {
        /// Out of the shop's books, into a file.
        Export = "EXPORT",
        /// Out of a file, into the shop's books.
        Import = "IMPORT",
    }
    /// What data are transferred.
    TransferKind {
        /// Customers with what hangs on them.
        Customers = "CUSTOMERS",
        /// Membership cards.
        Cards = "CARDS",
        /// Visits.
        Visits = "VISITS",
        /// Receipts with their lines.
        Purchases = "PURCHASES",
        /// The catalogue.
        Products = "PRODUCTS",
        /// Accounts of staff.
        Staff = "STAFF",
    }
    /// How a file is written.
    FileFormat {
        /// Comma-separated values with a header.
        Csv = "CSV",
        /// One JSON object a line.
        Jsonl = "JSONL",
    }
    /// Where a transfer stands.
    TransferState {
        /// Its file is being uploaded.
        Receiving = "RECEIVING",
        /// Waits for a node to take it up.
        Queued = "QUEUED",
        /// Is being done.
        Running = "RUNNING",
        /// Is done.
        Done = "DONE",
        /// Could not be done; it says why.
        Failed = "FAILED",
        /// Somebody has called it off.
        Cancelled = "CANCELLED",
    }
    /// Why a customer is erased.
    ErasureReason {
        /// The customer asked for it.
        Requested = "REQUESTED",
        /// Nothing asks any more to keep what is known of them.
        NoLongerNeeded = "NO_LONGER_NEEDED",
        /// The file should never have been made.
        RecordedInError = "RECORDED_IN_ERROR",
        /// A court or an authority ordered it.
        Ordered = "ORDERED",
    }
    /// What kind of customer.
    CustomerKind {
        /// A private person.
        Person = "PERSON",
        /// A business.
        Trade = "TRADE",
    }
    /// A customer's gender, as they state it.
    Gender {
        /// Female.
        Female = "FEMALE",
        /// Male.
        Male = "MALE",
        /// Neither of the two.
        Other = "OTHER",
    }
    /// How a customer's income is known.
    IncomeProvenance {
        /// The customer said so.
        Stated = "STATED",
        /// A member of staff estimates it, with a reason.
        Estimated = "ESTIMATED",
    }
    /// A customer's monthly income in the company's currency, in bands relative to the usual.
    IncomeBand {
        /// Far below the usual.
        VeryLow = "VERY_LOW",
        /// Below the usual.
        Low = "LOW",
        /// The usual.
        Middle = "MIDDLE",
        /// Above the usual.
        High = "HIGH",
        /// Far above the usual.
        VeryHigh = "VERY_HIGH",
    }
    /// How much the price decides.
    PriceSensitivity {
        /// Hardly.
        Low = "LOW",
        /// Somewhat.
        Medium = "MEDIUM",
        /// Mostly.
        High = "HIGH",
    }
    /// How much the customer matters.
    Importance {
        /// One of the few who are kept on a list of their own.
        Key = "KEY",
        /// Everyone else.
        Regular = "REGULAR",
    }
    /// How the customer came to the shop.
    AcquisitionSource {
        /// Walked in.
        WalkIn = "WALK_IN",
        /// Another customer referred them.
        Referral = "REFERRAL",
        /// Received a gift bought here.
        Gift = "GIFT",
        /// A storefront on the web or in an app.
        Online = "ONLINE",
        /// An advertisement.
        Advertisement = "ADVERTISEMENT",
        /// An event of the shop's.
        Event = "EVENT",
        /// Moved in with the history of another system.
        Import = "IMPORT",
        /// None of these.
        Other = "OTHER",
    }
    /// What a contact point may be used for.
    Purpose {
        /// What the customer asked for: orders, deliveries, complaints.
        Service = "SERVICE",
        /// Care: thanks, wishes, questions after a purchase.
        Care = "CARE",
        /// Marketing: offers.
        Marketing = "MARKETING",
    }
    /// How a consent was given or withdrawn.
    ConsentMethod {
        /// Said in the store.
        InStore = "IN_STORE",
        /// Said on the phone.
        Phone = "PHONE",
        /// Signed on paper.
        Paper = "PAPER",
        /// Ticked in the app or on the web.
        Online = "ONLINE",
        /// Brought from another system, with evidence.
        Import = "IMPORT",
    }
    /// What a taste is about.
    TasteAspect {
        /// A category of goods.
        Category = "CATEGORY",
        /// A brand.
        Brand = "BRAND",
        /// A size, such as `shoe 42`.
        Size = "SIZE",
        /// A hobby.
        Hobby = "HOBBY",
        /// Another shop where the customer buys.
        OtherShop = "OTHER_SHOP",
    }
    /// For or against.
    Attitude {
        /// The customer likes, has or does it.
        Likes = "LIKES",
        /// The customer dislikes it.
        Dislikes = "DISLIKES",
    }
    /// Where a piece of knowledge comes from: three things kept apart.
    TasteProvenance {
        /// The customer said so.
        Stated = "STATED",
        /// A member of staff noticed it.
        Noted = "NOTED",
        /// Computed from purchases.
        Derived = "DERIVED",
    }
    /// What the values of an attribute are that the shop defines for its customers.
    AttributeKind {
        /// A line of text.
        Text = "TEXT",
        /// A whole number.
        Integer = "INTEGER",
        /// A decimal number.
        Decimal = "DECIMAL",
        /// Yes or no.
        Boolean = "BOOLEAN",
        /// A day.
        Date = "DATE",
        /// One of the choices.
        Choice = "CHOICE",
        /// Any of the choices.
        Choices = "CHOICES",
    }
    /// A part of a customer's file that is either known or missing (rule C7).
    FileField {
        /// The full name, told and not only a number in another system.
        FullName = "FULL_NAME",
        /// How to address them.
        Salutation = "SALUTATION",
        /// Their gender, as they state it.
        Gender = "GENDER",
        /// When they were born.
        BirthDate = "BIRTH_DATE",
        /// A telephone number.
        Phone = "PHONE",
        /// An e-mail address or a name in a chat: another way to reach them.
        EmailOrChat = "EMAIL_OR_CHAT",
        /// Their home address; of a business, its address.
        Address = "ADDRESS",
        /// The region they live in.
        Region = "REGION",
        /// The language in which they are addressed.
        Language = "LANGUAGE",
        /// What they do: occupation, position or employer.
        Occupation = "OCCUPATION",
        /// Their income.
        Income = "INCOME",
        /// Something they like or dislike, as they said or as staff noticed.
        Taste = "TASTE",
        /// A size they wear or use.
        Size = "SIZE",
        /// A day worth remembering.
        SpecialDay = "SPECIAL_DAY",
        /// Who keeps them.
        Keeper = "KEEPER",
        /// The store that is their home.
        HomeStore = "HOME_STORE",
        /// Whether they may be contacted: a statement about a contact point in use, given or refused.
        Consent = "CONSENT",
    }
    /// A card's state (rule M2).
    CardStatus {
        /// In use.
        Active = "ACTIVE",
        /// Held for now.
        Frozen = "FROZEN",
        /// Lost, and not replaced.
        Lost = "LOST",
        /// Past its last day.
        Expired = "EXPIRED",
        /// Another card has taken its place.
        Replaced = "REPLACED",
    }
    /// Why a membership's tier changed (rule M3).
    TierChangeReason {
        /// Joined the programme.
        Enrolled = "ENROLLED",
        /// Spent enough.
        SpendReached = "SPEND_REACHED",
        /// A return made an upgrade unearned.
        ReturnUndid = "RETURN_UNDID",
        /// A person gave or took it.
        Granted = "GRANTED",
        /// The ladder itself was changed.
        LadderChanged = "LADDER_CHANGED",
        /// Two files of one customer became one.
        Merged = "MERGED",
        /// They became two again.
        MergeUndone = "MERGE_UNDONE",
        /// Brought from another system, with its day.
        Imported = "IMPORTED",
    }
    /// What a reference that is still open would tell.
    OpenReferenceKind {
        /// Which customer referred the customer.
        ReferredBy = "REFERRED_BY",
        /// Whose gift brought the customer.
        GiftFrom = "GIFT_FROM",
        /// Who keeps the customer.
        Keeper = "KEEPER",
        /// The customer's home store.
        HomeStore = "HOME_STORE",
        /// The category of a product.
        Category = "CATEGORY",
        /// The holder, the programme or the tier of a card.
        Card = "CARD",
    }
    /// How the customer came to the shop this time (rule V1).
    VisitChannel {
        /// Into the store.
        InStore = "IN_STORE",
        /// Ordered on the web or in an app.
        OnlineOrder = "ONLINE_ORDER",
        /// Ordered on the phone.
        PhoneOrder = "PHONE_ORDER",
        /// Asked something, by chat or call.
        Enquiry = "ENQUIRY",
    }
    /// What became of a visit that was announced.
    AnnouncedVisitState {
        /// The customer is expected, or did not come.
        Announced = "ANNOUNCED",
        /// They came.
        Arrived = "ARRIVED",
        /// It was called off.
        Cancelled = "CANCELLED",
    }
    /// Which side said something in an enquiry.
    EnquiryAuthor {
        /// The customer.
        Customer = "CUSTOMER",
        /// The shop.
        Staff = "STAFF",
    }
    /// What came of a visit.
    VisitOutcome {
        /// Something was bought.
        Purchase = "PURCHASE",
        /// Something was brought back, and nothing bought.
        Return = "RETURN",
        /// Neither.
        NoPurchase = "NO_PURCHASE",
    }
    /// Why nothing was bought.
    NoPurchaseReason {
        /// Only looked round.
        JustLooking = "JUST_LOOKING",
        /// What was wanted was not there.
        OutOfStock = "OUT_OF_STOCK",
        /// Too expensive.
        Price = "PRICE",
        /// Nothing fitted.
        Fit = "FIT",
        /// Waited too long, or nobody had time.
        Waiting = "WAITING",
        /// Came for help or advice.
        Service = "SERVICE",
        /// None of these.
        Other = "OTHER",
    }
}
