//! A receipt as the till tells it, and reading it: every value is checked, and whatever is wrong is noted under its own
//! path.
//!
//! Called by [`super::record`]; the API fills the types in. Never asks the database.

use super::booking::LARGEST_MINOR;
use super::facts::{LineFacts, ReturnClaim};
use crate::error::{Code, UserErrors, text_code};
use entity::ids::{PurchaseLineId, VisitId};
use entity::values::{Quantity, clean_line, money};
use iso_currency::Currency;

/// A receipt as it is told.
#[derive(Clone, Debug)]
pub struct NewPurchase {
    /// The numbering system and the number; one is made up when absent.
    pub receipt: Option<(String, String)>,
    /// Lines bought.
    pub lines: Vec<NewLine>,
    /// Lines given back.
    pub returns: Vec<NewReturn>,
}

/// A line bought, as it is told; amounts are in minor units of the company's currency already.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// The product's number.
    pub sku: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// How many, as decimal text; one when absent.
    pub quantity: Option<String>,
    /// List price of one, as decimal text with its currency code.
    pub list_price: Option<Amount>,
    /// What was paid for the line.
    pub amount: Amount,
    /// What one cost the shop.
    pub unit_cost: Option<Amount>,
    /// Why less than the list price was paid.
    pub discount_reason: Option<String>,
}

/// A line given back, as it is told.
#[derive(Clone, Debug)]
pub struct NewReturn {
    /// The line that it undoes.
    pub line: PurchaseLineId,
    /// How many; all that are left when absent.
    pub quantity: Option<String>,
    /// What was paid back; in proportion when absent.
    pub amount: Option<Amount>,
}

/// An amount as decimal text with its currency code.
#[derive(Clone, Debug)]
pub struct Amount {
    /// The amount.
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
}

/// Lines of a receipt, and lines given back, at most.
const MOST_LINES: usize = 200;

/// A receipt whose values were checked.
pub(super) struct Told {
    pub source: String,
    pub number: String,
    pub lines: Vec<LineFacts>,
    pub claims: Vec<ReturnClaim>,
}

/// Reads a receipt; amounts must be in `currency`.
pub(super) fn read_purchase(
    told: &NewPurchase,
    currency: Currency,
    errors: &mut UserErrors,
) -> Told {
    if told.lines.is_empty() && told.returns.is_empty() {
        errors.push(
            Code::Required,
            "purchase.lines",
            "a receipt has at least one line bought or given back",
        );
    }
    for (what, count) in [("lines", told.lines.len()), ("returns", told.returns.len())] {
        if count > MOST_LINES {
            errors.push(
                Code::TooMany,
                &format!("purchase.{what}"),
                format!("a receipt has at most {MOST_LINES} lines"),
            );
        }
    }
    let (source, number) = match &told.receipt {
        Some((source, number)) => (
            errors
                .take("purchase.receipt.source", text_code, clean_line(source, 64))
                .unwrap_or_default(),
            errors
                .take("purchase.receipt.number", text_code, clean_line(number, 64))
                .unwrap_or_default(),
        ),
        None => ("regulars".to_owned(), VisitId::new().to_string()),
    };
    let lines = told
        .lines
        .iter()
        .take(MOST_LINES)
        .enumerate()
        .map(|(n, line)| read_line(line, &format!("purchase.lines.{n}"), currency, errors))
        .collect();
    let claims = told
        .returns
        .iter()
        .take(MOST_LINES)
        .enumerate()
        .map(|(n, back)| {
            let at = format!("purchase.returns.{n}");
            let amount = back.amount.as_ref();
            ReturnClaim {
                undoes: Some(back.line),
                quantity_milli: read_quantity(back.quantity.as_deref(), &at, errors),
                amount_minor: amount.and_then(|amount| {
                    read_amount(amount, &format!("{at}.amount"), currency, errors)
                }),
            }
        })
        .collect();
    Told {
        source,
        number,
        lines,
        claims,
    }
}

fn read_line(told: &NewLine, at: &str, currency: Currency, errors: &mut UserErrors) -> LineFacts {
    let mut text = |name: &str, value: &Option<String>, longest: usize| {
        value.as_deref().and_then(|value| {
            errors.take(
                &format!("{at}.{name}"),
                text_code,
                clean_line(value, longest),
            )
        })
    };
    let (sku, name) = (text("sku", &told.sku, 64), text("name", &told.name, 200));
    let (category, brand) = (
        text("category", &told.category, 100),
        text("brand", &told.brand, 100),
    );
    let discount_reason = text("discountReason", &told.discount_reason, 200);
    LineFacts {
        sku,
        name,
        category,
        brand,
        quantity_milli: read_quantity(told.quantity.as_deref(), at, errors).unwrap_or(1000),
        list_price_minor: told
            .list_price
            .as_ref()
            .and_then(|amount| read_amount(amount, &format!("{at}.listPrice"), currency, errors)),
        amount_minor: read_amount(&told.amount, &format!("{at}.amount"), currency, errors)
            .unwrap_or_default(),
        unit_cost_minor: told
            .unit_cost
            .as_ref()
            .and_then(|amount| read_amount(amount, &format!("{at}.unitCost"), currency, errors)),
        discount_reason,
    }
}

/// A quantity above 0, in thousandths; `None` when none is given or it is wrong.
fn read_quantity(text: Option<&str>, at: &str, errors: &mut UserErrors) -> Option<i64> {
    let parsed = Quantity::parse(text?).and_then(Quantity::positive);
    let quantity = errors
        .take(&format!("{at}.quantity"), |_| Code::OutOfRange, parsed)?
        .thousandths();
    if quantity > 1_000_000_000 {
        return errors.none(
            Code::OutOfRange,
            &format!("{at}.quantity"),
            "a line has at most 1,000,000 pieces",
        );
    }
    Some(quantity)
}

/// An amount of 0 or more in minor units; `None` when it is wrong.
fn read_amount(
    told: &Amount,
    at: &str,
    currency: Currency,
    errors: &mut UserErrors,
) -> Option<i64> {
    if told.currency != currency.code() {
        let message = format!(
            "the company keeps its books in {}; give the amount in it",
            currency.code()
        );
        return errors.none(
            Code::CurrencyMismatch,
            &format!("{at}.currencyCode"),
            message,
        );
    }
    let minor = errors.take(
        &format!("{at}.amount"),
        |_| Code::Invalid,
        money::parse_amount(&told.amount, currency),
    )?;
    if !(0..=LARGEST_MINOR).contains(&minor) {
        let message = if minor < 0 {
            "an amount is 0 or more; what is given back is told as a return"
        } else {
            "the amount is larger than anything that is sold; check it"
        };
        return errors.none(Code::OutOfRange, &format!("{at}.amount"), message);
    }
    Some(minor)
}
