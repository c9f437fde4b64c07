//! The trade: one folder a topic, each the same shape, in an order in which a lower topic never imports a higher one.

pub mod attributes;
pub mod cards;
pub mod catalog;
pub mod customers;
pub mod groups;
pub mod identity;
pub mod moving;
pub mod organization;
pub mod sheets;
pub mod transfers;
pub mod visits;
pub mod webhooks;
