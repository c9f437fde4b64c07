//! Idempotency keys as they come with an input.

use crate::access::Ctx;
use crate::db::IdempotencyKey;
use crate::error::{Error, Result};
use serde::Serialize;

/// Reads the key of an input. The input's own serialization, which leaves the key out and has its fields in
/// the order of their declaration, is the canonical form that is compared.
///
/// # Errors
/// A user error at `idempotencyKey` when the key is not well formed.
pub fn key<I: Serialize>(
    ctx: &Ctx,
    mutation: &'static str,
    key: Option<&str>,
    input: &I,
) -> Result<Option<IdempotencyKey>> {
    let canonical = serde_json::to_string(input)
        .map_err(|error| Error::internal(format!("canonical input: {error}")))?;
    IdempotencyKey::read(ctx.viewer.caller(), mutation, key, &canonical)
}
