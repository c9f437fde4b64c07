//! Every table of the database, and what a merge, an erasure and an export do with what stands in it of a customer.
//!
//! Read by the tests, which hold it to the schema: a new table or a new column that refers to a customer fails them until
//! somebody has decided. The decisions themselves are carried out by the topics.

/// What a table has to do with customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing.
    Nobody,
    /// What customers did, or what was done, by ids and figures alone.
    Ids,
    /// Something personal, which an export holds and an erasure removes.
    Person,
}

/// What a merge does with a column that refers to a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Its rows become the kept customer's, and are noted in the journal.
    Moves,
    /// It says what was when it was written, and stays.
    Stays,
    /// It is written anew from what has moved.
    Computed,
}

/// What an erasure does with a column that refers to a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erase {
    /// The rows are removed.
    Removes,
    /// The rows stay, what is personal in them is taken out.
    Cleans,
    /// The rows stay as they are: the id has become nobody's.
    Keeps,
    /// The reference is cleared.
    Clears,
}

/// A column that refers to a customer.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Its name.
    pub column: &'static str,
    /// What a merge does.
    pub merge: Merge,
    /// What an erasure does.
    pub erase: Erase,
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it has to do with customers.
    pub about: About,
    /// Its columns that refer to a customer.
    pub references: &'static [Reference],
}

const fn nobody(name: &'static str) -> Table {
    Table {
        name,
        about: About::Nobody,
        references: &[],
    }
}

const fn table(name: &'static str, about: About, references: &'static [Reference]) -> Table {
    Table {
        name,
        about,
        references,
    }
}

const fn to(column: &'static str, merge: Merge, erase: Erase) -> Reference {
    Reference {
        column,
        merge,
        erase,
    }
}

use About::{Ids, Person};
use Erase::{Cleans, Clears, Keeps, Removes};
use Merge::{Computed, Moves, Stays};

/// All of them, by name.
pub const TABLES: &[Table] = &[
    nobody("access_change"),
    table(
        "announced_visit",
        Person,
        &[to("customer_id", Moves, Cleans)],
    ),
    table("arrival", Person, &[to("customer_id", Moves, Keeps)]),
    nobody("attempt"),
    nobody("attribute"),
    table("audit_customer", Ids, &[to("customer_id", Stays, Keeps)]),
    table("audit_entry", Ids, &[]),
    table("card", Person, &[to("customer_id", Moves, Cleans)]),
    nobody("category"),
    nobody("client"),
    nobody("client_change"),
    nobody("client_place"),
    nobody("client_secret"),
    nobody("company"),
    nobody("company_sign_in"),
    nobody("completeness_rules"),
    // Hang on a contact point and go with it.
    table("consent", Person, &[]),
    table(
        "contact_point",
        Person,
        &[to("customer_id", Moves, Removes)],
    ),
    nobody("cost_budget"),
    table(
        "customer",
        Person,
        &[
            to("id", Stays, Cleans),
            to("referred_by_id", Moves, Clears),
            to("gift_from_id", Moves, Clears),
            to("merged_into_id", Moves, Keeps),
        ],
    ),
    table(
        "customer_attribute",
        Person,
        &[to("customer_id", Moves, Removes)],
    ),
    nobody("customer_group"),
    table(
        "customer_merge",
        Ids,
        &[
            to("kept_id", Stays, Removes),
            to("merged_id", Stays, Removes),
        ],
    ),
    // The journal goes with its merge.
    table("customer_merge_move", Ids, &[]),
    table(
        "customer_note",
        Person,
        &[to("customer_id", Moves, Removes)],
    ),
    table(
        "customer_reference",
        Person,
        &[to("customer_id", Moves, Cleans)],
    ),
    // Made from the file: the same words as there.
    table(
        "customer_search",
        Ids,
        &[to("customer_id", Computed, Removes)],
    ),
    table(
        "customer_total",
        Person,
        &[to("customer_id", Computed, Keeps)],
    ),
    nobody("document"),
    table(
        "duplicate_dismissal",
        Ids,
        &[
            to("first_id", Stays, Removes),
            to("second_id", Stays, Removes),
        ],
    ),
    // Hang on an enquiry; chats are people's own words.
    table("enquiry_entry", Person, &[]),
    table("event", Ids, &[to("customer_id", Stays, Keeps)]),
    table(
        "field_confirmation",
        Person,
        &[to("customer_id", Moves, Removes)],
    ),
    // What stays says that nobody was in a group from when to when.
    table("group_member", Person, &[to("customer_id", Moves, Cleans)]),
    // Keys are the callers' own words, and go where what came of them is the customer's.
    table("idempotency", Ids, &[]),
    nobody("job"),
    nobody("job_schedule"),
    nobody("lease"),
    table("membership", Person, &[to("customer_id", Moves, Keeps)]),
    // Names customers by their ids and other systems' numbers, as text: an erasure forgets both.
    table("open_reference", Ids, &[]),
    nobody("product"),
    nobody("product_price"),
    nobody("product_search"),
    nobody("programme"),
    table("purchase", Person, &[to("customer_id", Moves, Keeps)]),
    // Hang on a receipt; a reason of a discount is taken out.
    table("purchase_line", Person, &[]),
    nobody("refresh_token"),
    nobody("region"),
    nobody("schema_change"),
    nobody("session"),
    table("sight", Ids, &[to("customer_id", Moves, Removes)]),
    nobody("sign_in_ticket"),
    nobody("signing_key"),
    table("special_day", Person, &[to("customer_id", Moves, Removes)]),
    nobody("staff"),
    nobody("staff_grant"),
    nobody("staff_identity"),
    nobody("store"),
    table("taste", Person, &[to("customer_id", Moves, Removes)]),
    nobody("tier"),
    table("tier_change", Person, &[to("customer_id", Moves, Keeps)]),
    nobody("transfer"),
    // Files hold what was known of everybody: an erasure forgets all of them.
    table("transfer_chunk", Ids, &[]),
    table("visit", Person, &[to("customer_id", Moves, Cleans)]),
    nobody("webhook"),
    nobody("webhook_attempt"),
    table("webhook_delivery", Ids, &[to("customer_id", Stays, Keeps)]),
    nobody("webhook_secret"),
];
