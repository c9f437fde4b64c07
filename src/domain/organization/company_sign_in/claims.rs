//! Who somebody is, as the provider says it in a token or at its userinfo endpoint.

use super::ProviderSettings;
use entity::values::Email;
use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Groups that are looked at.
const MOST_GROUPS: usize = 2000;
/// The claim of the standard that says whether the address is verified.
const EMAIL_VERIFIED: &str = "email_verified";

/// What the standard does not name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Others {
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl AdditionalClaims for Others {}

/// What one source says of somebody.
#[derive(Default)]
pub(super) struct Said {
    pub email: Option<String>,
    /// Whether the address is verified, by the standard's claim.
    pub verified: Option<bool>,
    pub name: Option<String>,
    pub others: Others,
}

/// Reads what is said in the claims of an ID token or of the userinfo endpoint, which are two types with the same
/// methods.
macro_rules! said {
    ($claims:expr) => {{
        let claims = $claims;
        $crate::domain::organization::company_sign_in::claims::Said {
            email: claims.email().map(|email| email.to_string()),
            verified: claims.email_verified(),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string())
                .or_else(|| claims.preferred_username().map(|name| name.to_string())),
            others: claims.additional_claims().clone(),
        }
    }};
}
pub(super) use said;

impl Said {
    fn is_verified(&self, settings: &ProviderSettings) -> Option<bool> {
        if settings.verified_claim == EMAIL_VERIFIED {
            return self.verified;
        }
        let value = self.others.claims.get(&settings.verified_claim)?;
        // Some providers write it as a number or a text.
        Some(match value {
            Value::Bool(verified) => *verified,
            Value::Number(number) => number.as_u64() == Some(1),
            Value::String(text) => matches!(text.as_str(), "1" | "true"),
            _ => false,
        })
    }

    fn groups(&self, settings: &ProviderSettings) -> Option<Vec<String>> {
        match self.others.claims.get(&settings.groups_claim)? {
            Value::String(group) => Some(vec![group.clone()]),
            Value::Array(groups) => Some(
                groups
                    .iter()
                    .filter_map(Value::as_str)
                    .take(MOST_GROUPS)
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => None,
        }
    }

    /// Is something missing that the userinfo endpoint may tell?
    pub fn is_short(&self, settings: &ProviderSettings) -> bool {
        self.email.is_none()
            || self.is_verified(settings).is_none()
            || (!settings.groups.is_empty() && self.groups(settings).is_none())
    }
}

/// Somebody whom the provider vouches for. Personal: never logged.
pub(super) struct Person {
    /// What the provider calls them, for good.
    pub subject: String,
    /// Their address, when it is one.
    pub email: Option<Email>,
    /// Has the provider verified that the address is theirs?
    pub is_verified: bool,
    /// Their name.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

impl Person {
    /// Puts together what the ID token says and, where it was asked, what the userinfo endpoint says.
    pub fn new(
        settings: &ProviderSettings,
        subject: &str,
        token: Said,
        userinfo: Option<Said>,
    ) -> Self {
        let groups = token
            .groups(settings)
            .or_else(|| userinfo.as_ref()?.groups(settings))
            .unwrap_or_default();
        // An address and whether it is verified go together: both from the one or both from the other.
        let is_whole = |said: &Said| said.email.is_some() && said.is_verified(settings).is_some();
        let name = token
            .name
            .clone()
            .or_else(|| userinfo.as_ref()?.name.clone());
        let address = match userinfo {
            Some(userinfo) if !is_whole(&token) && userinfo.email.is_some() => userinfo,
            _ => token,
        };
        Self {
            subject: subject.to_owned(),
            is_verified: address.is_verified(settings).unwrap_or(false),
            email: address.email.and_then(|email| Email::parse(&email).ok()),
            name,
            groups,
        }
    }
}
