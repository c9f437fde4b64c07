//! Ways in which a row of an export is spoiled, and what must become of it: each has one that the documentation promises.

use super::sheet::Cells;

/// What must become of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It comes in.
    Sound,
    /// It is rejected with this code.
    Rejected(&'static str),
    /// It comes in without a detail, of which this code tells.
    LeftOut(&'static str),
    /// It comes in, or waits, and this reference stays open: its kind, and what it names.
    Waits(&'static str, String),
}

/// Spoils a row, given the last sound one and a number of its own; nothing when this row cannot be spoiled so.
pub type Damage = fn(&mut Cells, Option<&Cells>, u64) -> Option<Fate>;

/// Stands for bytes that are no text.
pub const BROKEN_BYTES: char = '\u{e000}';
/// Stands for a field with text behind its closing quote.
pub const STRAY_QUOTE: char = '\u{e001}';

fn rejected(code: &'static str) -> Option<Fate> {
    Some(Fate::Rejected(code))
}

/// Writes a text into a column, for which the row is rejected.
fn with(cells: &mut Cells, column: &str, text: &str, code: &'static str) -> Option<Fate> {
    cells.set(column, text);
    rejected(code)
}

/// Takes the last cells away.
fn cut(cells: &mut Cells) -> Option<Fate> {
    cells.values.truncate(cells.values.len().saturating_sub(2));
    rejected("FIELD_COUNT")
}

fn nobody(number: u64) -> String {
    format!("NOBODY-{number}")
}

/// Ways to spoil a customer.
pub const CUSTOMERS: &[Damage] = &[
    |c, _, _| with(c, "birth_date", "1990-02-30", "BAD_DATE"),
    |c, _, _| with(c, "mobile", "12", "BAD_PHONE"),
    |c, _, n| {
        let wanted = nobody(n);
        c.set("referred_by", wanted.clone());
        Some(Fate::Waits("REFERRED_BY", wanted))
    },
    |c, _, _| with(c, "email", "nobody at home", "BAD_EMAIL"),
    |c, _, _| with(c, "customer", "", "MISSING"),
    |c, _, _| cut(c),
    |c, _, _| with(c, "kind", "ALIEN", "UNKNOWN_WORD"),
    // The number of another customer, who is called otherwise.
    |c, last, _| {
        let last = last.filter(|last| last.get("name") != c.get("name"))?;
        c.set("customer", last.get("customer"));
        rejected("CONTRADICTION")
    },
    |c, _, _| {
        if c.get("consent_care") != "GRANTED" {
            return None;
        }
        c.set("consent_care_evidence", "");
        Some(Fate::LeftOut("NO_EVIDENCE"))
    },
    |c, _, _| {
        with(
            c,
            "consent_service_at",
            "2999-01-01T00:00:00Z",
            "FUTURE_DATE",
        )
        .filter(|_| !c.get("consent_service").is_empty())
    },
    |c, _, _| {
        let own = c.get("customer").to_owned();
        with(c, "referred_by", &own, "REFERS_TO_ITSELF")
    },
    |c, _, _| with(c, "name", "王", "BAD_VALUE"),
    |c, _, _| with(c, "name", &STRAY_QUOTE.to_string(), "BAD_QUOTE"),
    |c, _, _| with(c, "name", "Ada\u{1}Lin", "CONTROL_CHARACTER"),
    |c, _, _| with(c, "employer", &format!("Tea {BROKEN_BYTES}"), "ENCODING"),
    |c, _, _| {
        c.set("home_store", "NOWHERE");
        Some(Fate::Waits("HOME_STORE", "NOWHERE".to_owned()))
    },
    |c, _, _| {
        c.set("keeper", "nobody@shop.example");
        Some(Fate::Waits("KEEPER", "nobody@shop.example".to_owned()))
    },
];

/// Ways to spoil a card.
pub const CARDS: &[Damage] = &[
    |c, _, _| with(c, "number", "", "MISSING"),
    |c, _, _| with(c, "number", "?!", "BAD_VALUE"),
    |c, _, n| {
        c.set("customer", nobody(n));
        Some(Fate::Waits("CARD", nobody(n)))
    },
    |c, _, _| with(c, "status", "MELTED", "UNKNOWN_WORD"),
    |c, _, _| with(c, "issued_on", "2024-02-30", "BAD_DATE"),
    |c, _, _| {
        // Only a card in use tells of a tier.
        if c.get("status") == "EXPIRED" {
            return None;
        }
        c.set("tier", "Platinum");
        Some(Fate::Waits("CARD", c.get("customer").to_owned()))
    },
    |c, _, _| with(c, "valid_until", "1999-01-01", "BAD_DATE"),
    |c, _, _| with(c, "issued_on", "2999-01-01", "FUTURE_DATE"),
    // The number of another holder's card.
    |c, last, _| {
        c.set("number", last?.get("number"));
        rejected("CONTRADICTION")
    },
    |c, _, _| cut(c),
    |c, _, _| with(c, "customer", "", "MISSING"),
    |c, _, _| {
        c.set("programme", "no-such-club");
        Some(Fate::Waits("CARD", c.get("customer").to_owned()))
    },
    // A second active card of somebody: as long as they wait for their holder both are there, then only the first comes in.
    |c, last, _| {
        let last = last.filter(|last| last.get("status") == "ACTIVE")?;
        if c.get("status") != "ACTIVE" {
            return None;
        }
        c.set("customer", last.get("customer"));
        c.set("tier", last.get("tier"));
        Some(Fate::Waits("CARD", last.get("customer").to_owned()))
    },
];

/// Ways to spoil a line of a receipt.
pub const PURCHASES: &[Damage] = &[
    |c, _, _| with(c, "date", "2024-13-01", "BAD_DATE"),
    |c, _, _| with(c, "amount", "12.345,6", "BAD_AMOUNT"),
    |c, _, _| with(c, "quantity", "0", "BAD_QUANTITY"),
    |c, _, _| {
        if c.get("amount").starts_with(['-', '0']) {
            return None;
        }
        with(c, "quantity", "-1", "BAD_QUANTITY")
    },
    |c, _, _| with(c, "customer", "", "MISSING"),
    |c, _, _| with(c, "store", "NOWHERE", "UNKNOWN_STORE"),
    |c, _, _| with(c, "currency", "EUR", "BAD_CURRENCY"),
    |c, _, _| cut(c),
    |c, _, _| with(c, "time", "25:61", "BAD_TIME"),
    |c, _, _| with(c, "date", "2999-01-01", "FUTURE_DATE"),
    |c, _, _| with(c, "amount", "", "MISSING"),
    // The receipt of somebody else.
    |c, last, _| {
        let last = last.filter(|last| last.get("customer") != c.get("customer"))?;
        c.set("receipt", last.get("receipt"));
        c.set("store", last.get("store"));
        rejected("RECEIPT_CONFLICT")
    },
    |c, _, _| with(c, "name", &"x".repeat(201), "TOO_LONG"),
    |c, _, _| with(c, "name", &format!("Tea {BROKEN_BYTES}"), "ENCODING"),
    |c, _, _| with(c, "name", &STRAY_QUOTE.to_string(), "BAD_QUOTE"),
    |c, _, _| {
        // With a quantity below zero that is what is told.
        with(c, "amount", "99999999999999.99", "BAD_AMOUNT")
            .filter(|_| !c.get("quantity").starts_with('-'))
    },
];

/// Ways to spoil a product.
pub const PRODUCTS: &[Damage] = &[
    |c, _, _| with(c, "sku", "", "MISSING"),
    |c, _, _| with(c, "list_price", "-5.00", "BAD_AMOUNT"),
    |c, _, _| with(c, "barcode", "4006381333932", "BAD_VALUE"),
    |c, last, _| {
        c.set("barcode", last?.get("barcode"));
        rejected("TAKEN")
    },
    |c, last, _| {
        c.set("sku", last?.get("sku"));
        rejected("CONTRADICTION")
    },
    |c, _, _| with(c, "member_only", "perhaps", "UNKNOWN_WORD"),
    |c, _, _| with(c, "introduced_on", "2024-06-31", "BAD_DATE"),
    |c, _, _| cut(c),
    |c, _, n| {
        let code = format!("nowhere-{n}");
        c.set("category", code.clone());
        Some(Fate::Waits("CATEGORY", code))
    },
    |c, _, _| {
        // A name in any language is one.
        with(c, "name", "", "MISSING").filter(|_| c.get("name_en").is_empty())
    },
    |c, _, _| with(c, "category_path", "Tea > > Green", "BAD_VALUE"),
    |c, _, _| with(c, "list_price", "", "MISSING"),
];

/// Ways to spoil an account.
pub const STAFF: &[Damage] = &[
    |c, _, _| with(c, "email", "nobody at home", "BAD_EMAIL"),
    |c, _, _| with(c, "roles", "KING", "UNKNOWN_WORD"),
    |c, _, _| with(c, "roles", "ASSOCIATE@NOWHERE", "UNKNOWN_PLACE"),
    |c, _, _| with(c, "name", "", "MISSING"),
    |c, _, _| with(c, "roles", "ASSOCIATE", "BAD_VALUE"),
    |c, last, _| {
        c.set("email", last?.get("email"));
        rejected("CONTRADICTION")
    },
    |c, _, _| cut(c),
];
