//! Which topic each table belongs to, and in which order the picture shows them.
//!
//! Somebody has to decide that for each new table: an entity that stands in no group fails the picture, with advice.

use super::read::Table;
use crate::failure::{During, Result};

/// A topic and its tables.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What it is called.
    pub title: &'static str,
    /// Its tables, in the order in which they are explained.
    pub tables: &'static [&'static str],
}

/// A group with its tables as they were read.
#[derive(Clone, Debug)]
pub struct Grouped {
    /// What it is called.
    pub title: &'static str,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// The groups from the top of the picture down: the topics of `src/domain`, then what serves them all.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Organization",
        tables: &[
            "company",
            "region",
            "store",
            "staff",
            "staff_grant",
            "staff_identity",
        ],
    },
    Group {
        title: "Customers",
        tables: &[
            "customer",
            "contact_point",
            "consent",
            "taste",
            "special_day",
            "customer_note",
            "field_confirmation",
            "completeness_rules",
        ],
    },
    Group {
        title: "Attributes and groups",
        tables: &[
            "attribute",
            "customer_attribute",
            "customer_group",
            "group_member",
        ],
    },
    Group {
        title: "Cards",
        tables: &["programme", "tier", "membership", "card", "tier_change"],
    },
    Group {
        title: "Visits",
        tables: &[
            "announced_visit",
            "arrival",
            "visit",
            "enquiry_entry",
            "purchase",
            "purchase_line",
            "customer_total",
        ],
    },
    Group {
        title: "Catalog",
        tables: &["category", "product", "product_price"],
    },
    Group {
        title: "Identity: one person, one file",
        tables: &[
            "customer_merge",
            "customer_merge_move",
            "duplicate_dismissal",
        ],
    },
    Group {
        title: "Moving in, exports and imports",
        tables: &[
            "customer_reference",
            "open_reference",
            "transfer",
            "transfer_chunk",
        ],
    },
    Group {
        title: "Access: sign-in, sight, audit",
        tables: &[
            "session",
            "refresh_token",
            "company_sign_in",
            "sign_in_ticket",
            "signing_key",
            "access_change",
            "client",
            "client_place",
            "client_secret",
            "client_change",
            "webhook",
            "webhook_secret",
            "webhook_delivery",
            "webhook_attempt",
            "attempt",
            "cost_budget",
            "sight",
            "audit_entry",
            "audit_customer",
        ],
    },
    Group {
        title: "Operations: jobs and events",
        tables: &[
            "job",
            "job_schedule",
            "event",
            "lease",
            "idempotency",
            "document",
        ],
    },
];

/// Puts tables into their groups; one that is in none or in two fails, and so does a name that no table has.
pub fn gather(mut tables: Vec<Table>, groups: &[Group]) -> Result<Vec<Grouped>> {
    let mut grouped = Vec::new();
    for group in groups {
        let mut members = Vec::new();
        for name in group.tables {
            let at = tables.iter().position(|table| table.name == *name).during(
                format_args!(
                    "the group `{}` names the table `{name}`, which no entity has or another group has taken: correct \
                     GROUPS in xtask/src/data_model/groups.rs",
                    group.title
                ),
            )?;
            members.push(tables.remove(at));
        }
        grouped.push(Grouped {
            title: group.title,
            tables: members,
        });
    }
    if let Some(table) = tables.first() {
        fail!(
            "the table `{}` (entity/src/{}) is in no group: add it to GROUPS in xtask/src/data_model/groups.rs, and to \
             docs/data-model.md if it holds something personal; then run `cargo xtask data-model`",
            table.name,
            table.file
        );
    }
    Ok(grouped)
}
