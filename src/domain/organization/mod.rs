//! The company, its regions, stores and staff, and how staff sign in (rules R1, R2).
//!
//! Called by `graphql/organization`, by `http` (the [`Authenticator`]), by the commands for staff and by
//! higher topics for the company's settings. Every member of staff acts under an account of their own, so
//! each change here names who made it; no event and no audit entry holds a name or an address.

pub mod arrivals;
pub mod attempts;
mod authenticator;
mod by_name;
pub(in crate::domain) mod change;
pub mod client_list;
pub mod client_secrets;
pub mod client_tokens;
pub mod clients;
pub mod company;
pub mod company_sign_in;
pub mod documents;
pub mod fixed;
mod grants;
pub mod keys;
mod opening;
pub mod passwords;
pub mod regions;
pub mod revocation;
pub mod sessions;
mod settings;
pub mod staff;
pub mod staff_list;
pub mod stores;
pub mod tidy;
pub mod tokens;

#[cfg(test)]
mod tests;

pub use authenticator::{AuthError, Authenticator};
pub use company::{CompanySettings, settings};
pub use settings::SignInSettings;

use crate::error::{Code, UserErrors, text_code};
use entity::values::{TimeZone, clean_line};

/// Characters of a name at most.
const NAME_CHARS: usize = 200;
/// Characters of a code at most.
const CODE_CHARS: usize = 32;

fn parse_name(errors: &mut UserErrors, field: &str, name: &str) -> Option<String> {
    errors.take(field, text_code, clean_line(name, NAME_CHARS))
}

/// A company's own short name: what files and tills refer to, so only what every system can write.
pub(in crate::domain) fn parse_code(
    errors: &mut UserErrors,
    field: &str,
    code: &str,
) -> Option<String> {
    let code = errors.take(field, text_code, clean_line(code, CODE_CHARS))?;
    if code
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    {
        return Some(code);
    }
    errors.none(
        Code::Invalid,
        field,
        format!("{field} has characters other than letters A to Z, digits, - _ and ."),
    )
}

fn parse_time_zone(errors: &mut UserErrors, field: &str, zone: &str) -> Option<TimeZone> {
    errors.take(field, |_| Code::Invalid, TimeZone::parse(zone))
}

/// A `like` pattern that finds the text anywhere, for use with [`fold`] and `escape '\'`.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().chars().take(NAME_CHARS) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        // Letters A to Z only, as the databases fold them below.
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}
