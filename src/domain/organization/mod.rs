//! Services of organization.
