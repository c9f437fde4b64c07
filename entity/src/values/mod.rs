//! Values that are parsed once, at the edge, and are right ever after.
//!
//! Called by everybody who takes text from outside (GraphQL scalars, the import, the command
//! line) and by the services that compute with what came out. Nothing here reads a clock, draws
//! randomness, knows a database or GraphQL: what a value needs is handed in. Each error names
//! what to do and is fit to be shown to whoever typed the value.

pub mod barcode;
pub mod birth_date;
pub mod business_date;
pub mod card_number;
pub mod clock;
pub mod cursor;
pub mod decimal;
pub mod document_hash;
pub mod email;
pub mod group_role;
pub mod handle;
pub mod localized;
pub mod lunar_date;
pub mod money;
pub mod name;
pub mod opening_hours;
pub mod period;
pub mod phone;
pub mod quantity;
pub mod search;
pub mod text;
pub mod web_address;

pub use barcode::Barcode;
pub use birth_date::BirthDate;
pub use business_date::TimeZone;
pub use card_number::{CardNumber, CardPrefix};
pub use clock::{Clock, ManualClock, SystemClock};
pub use cursor::{CursorKey, CursorValue};
pub use document_hash::DocumentHash;
pub use email::Email;
pub use group_role::{GroupRole, PlaceCode};
pub use handle::{ContactKind, ContactValue};
pub use localized::{LanguageTag, LocalizedText};
pub use lunar_date::LunarDate;
pub use money::Money;
pub use name::{Collation, NameKey};
pub use opening_hours::OpeningHours;
pub use period::{DatePeriod, Period, TimePeriod};
pub use phone::{Phone, PhoneRegion};
pub use quantity::Quantity;
pub use search::{SearchQuery, index_tokens};
pub use text::{TextError, clean_line, clean_text};
pub use web_address::WebAddress;
