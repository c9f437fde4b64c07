//! The input of `visitRecord`.

use super::arrival_input::EnquiryEntryInput;
use super::object::{NoPurchaseReason, VisitChannel};
use crate::access::Ctx;
use crate::domain::visits::receipt::{Amount, NewLine, NewPurchase, NewReturn};
use crate::domain::visits::record::NewVisit;
use crate::domain::visits::who::Who;
use crate::error::{Code, Error, Result, UserErrors};
use crate::graphql::idempotency::key;
use crate::graphql::ids::{GlobalKey, need, need_option};
use crate::graphql::scalars::{DateTime, Decimal, MoneyInput};
use async_graphql::{ID, InputObject};
use entity::ids::PurchaseLineId;
use serde::{Serialize, Serializer};

/// A visit: who came where, and what came of it.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct VisitRecordInput {
    /// Who came: a customer in sight. Give this or `cardNumber`.
    pub customer_id: Option<ID>,
    /// Who came: the holder of the card that is shown, even if this store has not seen them before. Give this
    /// or `customerId`.
    pub card_number: Option<String>,
    /// To which store; your only store when absent.
    pub store_id: Option<ID>,
    /// By which way; into the store when absent.
    #[serde(serialize_with = "word")]
    pub channel: Option<VisitChannel>,
    /// When; now when absent. Not in the future.
    #[serde(serialize_with = "moment")]
    pub at: Option<DateTime>,
    /// Who served; you when absent.
    pub served_by_id: Option<ID>,
    /// Why nothing was bought; only without a purchase.
    #[serde(serialize_with = "word")]
    pub no_purchase_reason: Option<NoPurchaseReason>,
    /// What was said; at most 20,000 characters.
    pub note: Option<String>,
    /// What was said in an enquiry, in its order; at most 200 entries, further ones by `enquiryContinue`. Only with the
    /// channel ENQUIRY.
    #[graphql(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<EnquiryEntryInput>,
    /// The receipt, when something was bought or brought back.
    pub purchase: Option<PurchaseInput>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives
    /// the same answer, and nothing is done twice. Remembered for 7 days; a receipt's number holds for good.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// A receipt.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct PurchaseInput {
    /// How it is known to the system that printed it. The same receipt sent again gives the visit recorded
    /// first; another one under the same number is refused.
    pub receipt: Option<ReceiptInput>,
    /// Lines bought, at most 200.
    #[graphql(default)]
    pub lines: Vec<PurchaseLineInput>,
    /// Lines given back, at most 200.
    #[graphql(default)]
    pub returns: Vec<ReturnLineInput>,
}

/// How a receipt is known to the system that printed it.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct ReceiptInput {
    /// The system that numbers its receipts, such as `till-3`; at most 64 characters.
    pub source: String,
    /// Its number there, unique within the source for good; at most 64 characters.
    pub number: String,
}

/// A line bought.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct PurchaseLineInput {
    /// The product's number.
    pub sku: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// The product's category.
    pub category: Option<String>,
    /// The product's brand.
    pub brand: Option<String>,
    /// How many, above 0 and with at most three decimals; one when absent.
    #[serde(serialize_with = "decimal")]
    pub quantity: Option<Decimal>,
    /// List price of one.
    pub list_price: Option<MoneyInput>,
    /// What was paid for the whole line, 0 or more.
    pub amount: MoneyInput,
    /// What one cost the shop.
    pub unit_cost: Option<MoneyInput>,
    /// Why less than the list price was paid.
    pub discount_reason: Option<String>,
}

/// A line given back.
#[derive(Clone, Debug, InputObject, Serialize)]
pub struct ReturnLineInput {
    /// The line that it undoes, of an earlier purchase of the same customer.
    pub line_id: ID,
    /// How many; all that are left when absent.
    #[serde(serialize_with = "decimal")]
    pub quantity: Option<Decimal>,
    /// What was paid back for them; their share of what was paid when absent.
    pub amount: Option<MoneyInput>,
}

fn word<W: Copy + std::fmt::Debug, S: Serializer>(
    word: &Option<W>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match word {
        Some(word) => serializer.serialize_str(&format!("{word:?}")),
        None => serializer.serialize_none(),
    }
}

pub(super) fn moment<S: Serializer>(
    at: &Option<DateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    at.map(|at| at.0.timestamp_micros()).serialize(serializer)
}

fn decimal<S: Serializer>(decimal: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    decimal
        .as_ref()
        .map(|decimal| decimal.0.as_str())
        .serialize(serializer)
}

/// Who came, named in one way.
///
/// # Errors
/// User errors for an id of nothing, and for a customer named in two ways or in none.
pub(super) fn who(customer_id: Option<&ID>, card_number: Option<String>) -> Result<Who> {
    match (customer_id, card_number) {
        (Some(id), None) => Ok(Who::Customer(need(id, "customerId", "customer")?)),
        (None, Some(number)) => Ok(Who::Card(number)),
        (None, None) => Err(Error::user(
            Code::Required,
            "customerId",
            "say who came: give customerId or cardNumber",
        )),
        (Some(_), Some(_)) => Err(Error::user(
            Code::Invalid,
            "cardNumber",
            "give either customerId or cardNumber, not both",
        )),
    }
}

impl VisitRecordInput {
    /// What the service is told.
    ///
    /// # Errors
    /// User errors for ids of nothing, and for a customer named in two ways or in none.
    pub(super) fn read(self, ctx: &Ctx) -> Result<NewVisit> {
        let key = key(ctx, "visitRecord", self.idempotency_key.as_deref(), &self)?;
        let who = who(self.customer_id.as_ref(), self.card_number)?;
        Ok(NewVisit {
            who,
            store: need_option(self.store_id.as_ref(), "storeId", "store")?,
            channel: self
                .channel
                .map_or(entity::enums::VisitChannel::InStore, Into::into),
            at: self.at.map(|at| at.0),
            served_by: need_option(self.served_by_id.as_ref(), "servedById", "member of staff")?,
            no_purchase_reason: self.no_purchase_reason.map(Into::into),
            note: self.note,
            transcript: self.transcript.into_iter().map(Into::into).collect(),
            purchase: self.purchase.map(PurchaseInput::read).transpose()?,
            key,
        })
    }
}

impl PurchaseInput {
    fn read(self) -> Result<NewPurchase> {
        let mut errors = UserErrors::new();
        let mut returns = Vec::with_capacity(self.returns.len());
        for (n, back) in self.returns.into_iter().enumerate() {
            match PurchaseLineId::parse(&back.line_id) {
                Some(line) => returns.push(NewReturn {
                    line,
                    quantity: back.quantity.map(|quantity| quantity.0),
                    amount: back.amount.map(amount),
                }),
                None => {
                    let message = "no such line among the customer's purchases";
                    errors.push(
                        Code::NotFound,
                        &format!("purchase.returns.{n}.lineId"),
                        message,
                    );
                }
            }
        }
        errors.check()?;
        let lines = self.lines.into_iter().map(|line| NewLine {
            sku: line.sku,
            name: line.name,
            category: line.category,
            brand: line.brand,
            quantity: line.quantity.map(|quantity| quantity.0),
            list_price: line.list_price.map(amount),
            amount: amount(line.amount),
            unit_cost: line.unit_cost.map(amount),
            discount_reason: line.discount_reason,
        });
        Ok(NewPurchase {
            receipt: self.receipt.map(|receipt| (receipt.source, receipt.number)),
            lines: lines.collect(),
            returns,
        })
    }
}

fn amount(input: MoneyInput) -> Amount {
    Amount {
        amount: input.amount.0,
        currency: input.currency_code,
    }
}
