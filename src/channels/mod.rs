//! Ways out of the house: what is sent to somebody else's machine.
//!
//! Called by topics of `domain` that tell the outside world something. Where something goes is said by people, so
//! nothing here trusts an address: it is looked at when it is given (`target`) and again when it is connected to
//! ([`Sender`]). Nothing here knows what is sent, or why.

mod address;
mod sender;
mod target;

pub use address::is_public;
pub use sender::{Answer, Fault, Message, Sender};
pub use target::{TargetFault, Targets};
