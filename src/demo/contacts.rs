//! How invented people are reached: numbers that no subscriber has, addresses in domains that nobody owns.

use super::draw::{chance, one_of};
use super::names::Script;
use crate::error::{Error, Result};
use entity::values::{ContactKind, ContactValue, PhoneRegion};
use rand::RngExt;
use rand::rngs::StdRng;

/// Area codes of North America whose exchange 555 keeps 0100 to 0199 for fiction.
const AREAS: [u16; 24] = [
    202, 206, 212, 213, 305, 312, 404, 415, 416, 503, 512, 514, 602, 604, 612, 617, 646, 702, 713,
    718, 773, 778, 808, 917,
];

/// Domains that RFC 2606 keeps for examples.
const DOMAINS: [&str; 4] = [
    "mail.example",
    "post.example",
    "example.com",
    "letters.example",
];

/// The contact points of a customer: mobile and email mostly, WeChat often where people use it.
pub(super) fn draw(
    lots: &mut StdRng,
    script: Script,
    latin: &str,
    number: u32,
    country: PhoneRegion,
) -> Result<Vec<ContactValue>> {
    let mut points = Vec::with_capacity(3);
    let mut add = |kind: ContactKind, text: &str| -> Result<()> {
        let point = ContactValue::parse(kind, text, country)
            .map_err(|error| Error::internal(format!("an invented contact point {error}")))?;
        points.push(point);
        Ok(())
    };
    let reachable = chance(lots, 960);
    if reachable {
        add(ContactKind::Mobile, &mobile(lots, script, number))?;
    }
    if !reachable || chance(lots, 620) {
        let domain = one_of(lots, &DOMAINS);
        add(ContactKind::Email, &format!("{latin}.{number}@{domain}"))?;
    }
    let habit = if script == Script::Chinese { 700 } else { 60 };
    if chance(lots, habit) {
        add(
            ContactKind::WeChat,
            &format!("demo_{latin}_{number}").replace('.', "_"),
        )?;
    }
    Ok(points)
}

/// A mobile number, each customer's their own as far as the range reaches.
///
/// China keeps none for fiction: the block 1740-0 to 1740-5 belongs to satellite phones at sea. In Korea no
/// subscriber's number begins with 010-0 or 010-1. North America keeps 555-0100 to 555-0199 of each area.
pub(super) fn mobile(lots: &mut StdRng, script: Script, number: u32) -> String {
    match script {
        Script::Chinese => format!("+861740{:07}", number.wrapping_mul(7_919) % 6_000_000),
        Script::Korean => format!("+82100{:07}", number.wrapping_mul(7_919) % 10_000_000),
        Script::Latin => {
            let area = one_of(lots, &AREAS);
            format!("+1{area}55501{:02}", lots.random_range(0..100))
        }
    }
}
