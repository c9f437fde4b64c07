//! The API of customers.
