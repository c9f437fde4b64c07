//! Services of visits.
