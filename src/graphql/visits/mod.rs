//! The API of visits.
