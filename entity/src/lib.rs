//! Tables, typed ids, closed sets of words, and the values that are parsed once at the edge.
//!
//! One file a table, in SeaORM's compact format: the dense one generates types for nested reads and writes besides,
//! which nobody calls. Everything above imports this crate; it imports nothing of ours and knows no GraphQL.

pub mod access_change;
pub mod announced_visit;
pub mod arrival;
pub mod attempt;
pub mod audit_customer;
pub mod audit_entry;
pub mod card;
pub mod category;
pub mod company;
pub mod consent;
pub mod contact_point;
pub mod customer;
pub mod customer_merge;
pub mod customer_merge_move;
pub mod customer_note;
pub mod customer_reference;
pub mod customer_total;
pub mod duplicate_dismissal;
pub mod enquiry_entry;
pub mod enums;
pub mod event;
pub mod idempotency;
pub mod ids;
pub mod job;
pub mod job_schedule;
pub mod lease;
pub mod membership;
pub mod open_reference;
pub mod product;
pub mod product_price;
pub mod programme;
pub mod purchase;
pub mod purchase_line;
pub mod refresh_token;
pub mod region;
pub mod session;
pub mod sight;
pub mod signing_key;
pub mod special_day;
pub mod staff;
pub mod staff_grant;
pub mod store;
pub mod taste;
pub mod tier;
pub mod tier_change;
pub mod transfer;
pub mod transfer_chunk;
pub mod values;
pub mod visit;
