//! Commands.

pub mod staff;
