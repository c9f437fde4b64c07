//! Sheets: what to know of a customer at a moment, gathered from all topics below (rule V5). They grow with each part of
//! the product.
//!
//! Called by `graphql/sheets`. Never writes, and never shows more than the topics themselves would.

pub mod arrival;
