//! Signing in, on both engines.
