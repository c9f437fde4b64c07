//! The API of organization.
