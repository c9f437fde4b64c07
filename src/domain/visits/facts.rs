//! What is told about a visit, after every value was checked and before anything is written.

use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::{NoPurchaseReason, VisitChannel, VisitOutcome};
use entity::ids::{CustomerId, PurchaseLineId, StaffId, StoreId, VisitId};
use entity::visit;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A visit.
#[derive(Clone, Debug)]
pub struct VisitFacts {
    /// Who came.
    pub customer: CustomerId,
    /// To which store.
    pub store: StoreId,
    /// By which way.
    pub channel: VisitChannel,
    /// When.
    pub at: DateTime<Utc>,
    /// The store's business day.
    pub business_date: NaiveDate,
    /// Who served.
    pub served_by: Option<StaffId>,
    /// Why nothing was bought.
    pub no_purchase_reason: Option<NoPurchaseReason>,
    /// What was said.
    pub note: Option<String>,
    /// The receipt, when something was bought or brought back.
    pub purchase: Option<PurchaseFacts>,
    /// Has it been told already that the customer is here, so that the visit need not tell it?
    pub arrival_told: bool,
}

impl VisitFacts {
    /// The visit as it is written under an id.
    pub fn row(&self, id: VisitId, history: bool, recorded_at: DateTime<Utc>) -> visit::Model {
        let outcome = match &self.purchase {
            Some(purchase) if !purchase.lines.is_empty() => VisitOutcome::Purchase,
            Some(_) => VisitOutcome::Return,
            None => VisitOutcome::NoPurchase,
        };
        visit::Model {
            id,
            customer_id: self.customer,
            store_id: self.store,
            channel: self.channel,
            at: self.at,
            business_date: self.business_date,
            served_by_id: self.served_by,
            outcome,
            no_purchase_reason: self.no_purchase_reason,
            note: self.note.clone(),
            history,
            recorded_at,
        }
    }
}

/// A receipt.
#[derive(Clone, Debug)]
pub struct PurchaseFacts {
    /// The system that numbers its receipts.
    pub source: String,
    /// Its number there; unique within the source for good.
    pub number: String,
    /// What the receipt says, see [`content_hash`].
    pub content_hash: Vec<u8>,
    /// Lines bought.
    pub lines: Vec<LineFacts>,
    /// Lines given back.
    pub returns: Vec<ReturnFacts>,
}

/// A line bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFacts {
    /// The product's number.
    pub sku: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Thousandths, above 0.
    pub quantity_milli: i64,
    /// List price of one, in minor units.
    pub list_price_minor: Option<i64>,
    /// What was paid for the line, in minor units, 0 or more.
    pub amount_minor: i64,
    /// What one cost the shop, in minor units.
    pub unit_cost_minor: Option<i64>,
    /// Why less than the list price was paid.
    pub discount_reason: Option<String>,
}

/// A line given back.
#[derive(Clone, Debug)]
pub struct ReturnFacts {
    /// The line that it undoes; none in history, where it is not known.
    pub undoes: Option<PurchaseLineId>,
    /// Thousandths, above 0.
    pub quantity_milli: i64,
    /// What was paid back, in minor units, 0 or more.
    pub amount_minor: i64,
    /// What the line was, copied from the line that it undoes.
    pub line: LineFacts,
}

/// What is claimed to be given back, before it is known what is left.
#[derive(Clone, Debug)]
pub struct ReturnClaim {
    /// The line that it undoes; none in history, where it is not known.
    pub undoes: Option<PurchaseLineId>,
    /// Thousandths, above 0; all that are left when absent.
    pub quantity_milli: Option<i64>,
    /// In minor units, 0 or more; in proportion when absent.
    pub amount_minor: Option<i64>,
}

/// A hash of what a receipt says, without when it was sent or by whom: the same receipt sent twice has the
/// same one. Returns go in as they were claimed, since what is left of a line changes by the return itself.
///
/// Each value goes in with its length before it, so that no two receipts run together.
pub fn content_hash(
    customer: CustomerId,
    store: StoreId,
    channel: VisitChannel,
    lines: &[LineFacts],
    returns: &[ReturnClaim],
) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut put = |value: &[u8]| {
        hash.update(u64::try_from(value.len()).unwrap_or_default().to_le_bytes());
        hash.update(value);
    };
    let number = |value: Option<i64>| {
        value
            .map(|value| value.to_le_bytes().to_vec())
            .unwrap_or_default()
    };
    put(customer.0.as_bytes());
    put(store.0.as_bytes());
    put(channel.as_str().as_bytes());
    for line in lines {
        put(b"line");
        for text in [
            &line.sku,
            &line.name,
            &line.category,
            &line.brand,
            &line.discount_reason,
        ] {
            put(text.as_deref().unwrap_or_default().as_bytes());
        }
        for value in [
            Some(line.quantity_milli),
            line.list_price_minor,
            Some(line.amount_minor),
            line.unit_cost_minor,
        ] {
            put(&number(value));
        }
    }
    for claim in returns {
        put(b"return");
        put(claim
            .undoes
            .map(|id| id.0.as_bytes().to_vec())
            .unwrap_or_default()
            .as_slice());
        put(&number(claim.quantity_milli));
        put(&number(claim.amount_minor));
    }
    hash.finalize().to_vec()
}
