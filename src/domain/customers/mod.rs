//! Services of customers.
