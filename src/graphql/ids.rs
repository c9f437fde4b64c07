//! Global object identification: opaque, typed ids.
//!
//! An id is the base64url text of one letter that names the type and the 16 bytes of the key. An id of
//! another type, or no id at all, is treated like one of an object that does not exist.

use crate::error::{Error, Result};
use async_graphql::ID;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::ids::{
    AnnouncedVisitId, ArrivalId, AttributeId, AuditEntryId, CardId, CategoryId, ClientId,
    ClientSecretId, CompanyId, ContactPointId, CustomerAttributeId, CustomerId, EnquiryEntryId,
    GroupId, GroupMemberId, JobId, MembershipId, MergeId, NoteId, ProductId, ProductPriceId,
    ProgrammeId, PurchaseId, PurchaseLineId, RegionId, SessionId, SpecialDayId, StaffId, StoreId,
    TasteId, TierChangeId, TierId, TransferId, VisitId, WebhookDeliveryId, WebhookId,
};
use uuid::Uuid;

/// A key that is shown as a global id.
pub trait GlobalKey: From<Uuid> + Into<Uuid> + Copy {
    /// The letter that names the type; no two types share one.
    const LETTER: u8;

    /// The global id.
    fn global(self) -> ID {
        ID(encode(Self::LETTER, self.into()))
    }

    /// Reads a global id of this type; `None` when it is none.
    fn parse(id: &ID) -> Option<Self> {
        match decode(id)? {
            (letter, key) if letter == Self::LETTER => Some(Self::from(key)),
            _ => None,
        }
    }
}

fn encode(letter: u8, key: Uuid) -> String {
    let mut bytes = [letter; 17];
    if let Some(rest) = bytes.get_mut(1..) {
        rest.copy_from_slice(key.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The letter and the key of a global id; `None` when it is none of ours.
pub fn decode(id: &ID) -> Option<(u8, Uuid)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?;
    let (letter, key) = bytes.split_first()?;
    Some((*letter, Uuid::from_slice(key).ok()?))
}

/// The letter of two customers who may be one: an object that has no key of its own, but those of the two.
const PAIR: u8 = b'd';

/// The global id of two customers who may be one.
pub fn pair(first: CustomerId, second: CustomerId) -> ID {
    let mut bytes = vec![PAIR];
    for key in [first, second] {
        bytes.extend_from_slice(Uuid::from(key).as_bytes());
    }
    ID(URL_SAFE_NO_PAD.encode(bytes))
}

/// The two customers of such an id; `None` when it is none.
pub fn parse_pair(id: &ID) -> Option<(CustomerId, CustomerId)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?;
    let (first, second) = bytes.strip_prefix(&[PAIR])?.split_at_checked(16)?;
    Some((
        Uuid::from_slice(first).ok()?.into(),
        Uuid::from_slice(second).ok()?.into(),
    ))
}

/// The key behind a global id. What is none becomes a key that nothing has, and so is not found like any other
/// that does not exist: by the service, which asks the policy first.
pub fn key<K: GlobalKey>(id: &ID) -> K {
    K::parse(id).unwrap_or_else(|| K::from(Uuid::nil()))
}

/// The key of a mutation's input.
///
/// # Errors
/// A user error at `field`, as for an object that does not exist, when the id is not of this type.
pub fn need<K: GlobalKey>(id: &ID, field: &str, what: &str) -> Result<K> {
    K::parse(id).ok_or_else(|| Error::not_found(field, what))
}

/// The key of a mutation's input, where it may be absent.
///
/// # Errors
/// As [`need`].
pub fn need_option<K: GlobalKey>(id: Option<&ID>, field: &str, what: &str) -> Result<Option<K>> {
    id.map(|id| need(id, field, what)).transpose()
}

macro_rules! letters {
    ($($key:ty = $letter:literal,)+) => {
        $(impl GlobalKey for $key {
            const LETTER: u8 = $letter;
        })+

        #[cfg(test)]
        const LETTERS: &[u8] = &[$($letter),+];
    };
}

letters! {
    CompanyId = b'O',
    RegionId = b'R',
    StoreId = b'S',
    StaffId = b'U',
    SessionId = b'I',
    ClientId = b'c',
    ClientSecretId = b's',
    WebhookId = b'W',
    WebhookDeliveryId = b'w',
    AuditEntryId = b'A',
    JobId = b'J',
    TransferId = b'E',
    CategoryId = b'Y',
    ProductId = b'X',
    ProductPriceId = b'Z',
    CustomerId = b'C',
    ContactPointId = b'P',
    TasteId = b'F',
    SpecialDayId = b'D',
    NoteId = b'N',
    AttributeId = b't',
    CustomerAttributeId = b'k',
    GroupId = b'g',
    GroupMemberId = b'n',
    ProgrammeId = b'G',
    TierId = b'T',
    TierChangeId = b'H',
    MembershipId = b'M',
    CardId = b'K',
    VisitId = b'V',
    ArrivalId = b'a',
    AnnouncedVisitId = b'v',
    EnquiryEntryId = b'q',
    PurchaseId = b'B',
    PurchaseLineId = b'L',
    MergeId = b'm',
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_types_share_a_letter() {
        let mut letters = LETTERS.to_vec();
        letters.push(PAIR);
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), LETTERS.len() + 1);
    }

    #[test]
    fn the_id_of_a_pair_is_read_as_that_pair_only() {
        let (one, other) = (CustomerId::new(), CustomerId::new());
        assert_eq!(parse_pair(&pair(one, other)), Some((one, other)));
        assert_eq!(decode(&pair(one, other)), None);
        assert_eq!(parse_pair(&one.global()), None);
        for text in ["", "ZA", "ZGRk", "d", "日本"] {
            assert_eq!(parse_pair(&ID::from(text)), None, "{text}");
        }
    }

    #[test]
    fn an_id_is_read_only_as_its_own_type() {
        let customer = CustomerId::new();
        assert_eq!(CustomerId::parse(&customer.global()), Some(customer));
        assert_eq!(CardId::parse(&customer.global()), None);
        for text in [
            "",
            "x",
            "QQ",
            "Q2VydGFpbmx5IG5vdCBhbiBpZCBvZiBvdXJz",
            "\u{0}",
            "日本",
        ] {
            assert_eq!(CustomerId::parse(&ID::from(text)), None, "{text}");
        }
    }
}
