//! Email addresses.
//!
//! Called for contact points, sign-in and the import. Accepts what mail systems in use accept,
//! not all that the standard allows: no quoted names, no comments, no address literals, ASCII
//! only. Never asks the network whether the address exists.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmailError {
    /// Nothing was given.
    #[error("must not be empty; give an email address")]
    Empty,
    /// Not exactly one `@` between a name and a domain, or characters that addresses do not have.
    #[error("is not an email address; write it like name@example.com")]
    Malformed,
    /// The domain is none that mail can be sent to.
    #[error("has no valid domain after the @; write it like name@example.com")]
    BadDomain,
    /// More than 64 characters before the `@` or 254 in all.
    #[error("is too long for an email address; at most 64 characters before the @ and 254 in all")]
    TooLong,
}

/// An address, as given (with its domain in lower case) and in normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    shown: String,
    normal: String,
}

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// See [`EmailError`].
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        if text.len() > 1024 {
            return Err(EmailError::TooLong);
        }
        // Input methods of East Asia produce full-width letters and signs.
        let folded: String = text.trim().nfkc().collect();
        if folded.is_empty() {
            return Err(EmailError::Empty);
        }
        let (local, domain) = folded.split_once('@').ok_or(EmailError::Malformed)?;
        if domain.contains('@') || !local_is_valid(local) {
            return Err(EmailError::Malformed);
        }
        if local.len() > 64 || folded.len() > 254 {
            return Err(EmailError::TooLong);
        }
        if !domain_is_valid(domain) {
            return Err(EmailError::BadDomain);
        }
        let shown = format!("{local}@{}", domain.to_ascii_lowercase());
        let normal = shown.to_ascii_lowercase();
        Ok(Self { shown, normal })
    }

    /// As given, the domain in lower case: what mail is sent to.
    #[must_use]
    pub fn as_given(&self) -> &str {
        &self.shown
    }

    /// In lower case: what is stored as key, compared and searched.
    #[must_use]
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// For those who may not see it in full, see [`mask`].
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.normal)
    }
}

impl fmt::Debug for Email {
    /// Masked: addresses do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl TryFrom<&str> for Email {
    type Error = EmailError;

    fn try_from(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

/// Masks an address: `a***@example.com`; a name of one character shows nothing: `***@example.com`.
#[must_use]
pub fn mask(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let mut chars = local.chars();
    let first = chars.next().filter(|_| chars.next().is_some());
    let head = first.map(String::from).unwrap_or_default();
    if domain.is_empty() {
        format!("{head}***")
    } else {
        format!("{head}***@{domain}")
    }
}

fn local_is_valid(local: &str) -> bool {
    !local.is_empty()
        && local.split('.').all(|part| !part.is_empty())
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b))
}

fn domain_is_valid(domain: &str) -> bool {
    let mut labels = 0;
    let mut last = "";
    for label in domain.split('.') {
        let shape = (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-');
        if !shape {
            return false;
        }
        labels += 1;
        last = label;
    }
    labels >= 2 && last.len() >= 2 && last.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_addresses() {
        for (text, shown, normal) in [
            (
                "Ann.Lee@Example.COM",
                "Ann.Lee@example.com",
                "ann.lee@example.com",
            ),
            (" a@b.co ", "a@b.co", "a@b.co"),
            (
                "o'neil+shop@mail.example.co.kr",
                "o'neil+shop@mail.example.co.kr",
                "o'neil+shop@mail.example.co.kr",
            ),
            ("ann＠example．com", "ann@example.com", "ann@example.com"),
            ("12345678@qq.com", "12345678@qq.com", "12345678@qq.com"),
            (
                "x@xn--fiqs8s.xn--fiqs8s",
                "x@xn--fiqs8s.xn--fiqs8s",
                "x@xn--fiqs8s.xn--fiqs8s",
            ),
        ] {
            let email = Email::parse(text).unwrap();
            assert_eq!(email.as_given(), shown);
            assert_eq!(email.normal(), normal);
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "a",
            "@",
            "a@",
            "@b.co",
            "a@b@c.co",
            "a b@c.co",
            ".a@c.co",
            "a.@c.co",
            "a..b@c.co",
            "\"a b\"@c.co",
            "a\0@c.co",
            "a\u{202E}@c.co",
            "王@c.co",
            "a,b@c.co",
            "<a@b.co>",
        ] {
            let error = Email::parse(text).unwrap_err();
            assert!(
                matches!(error, EmailError::Malformed | EmailError::BadDomain),
                "{text} {error:?}"
            );
        }
        for text in [
            "a@b",
            "a@b.",
            "a@.co",
            "a@b..co",
            "a@-b.co",
            "a@b-.co",
            "a@b.c",
            "a@1.2.3.4",
            "a@[1.2.3.4]",
            "a@b_c.co",
            "a@b c.co",
            "a@例子.co",
            "a@b.co\0",
        ] {
            assert_eq!(Email::parse(text), Err(EmailError::BadDomain), "{text}");
        }
        assert_eq!(Email::parse(" "), Err(EmailError::Empty));
        let long = format!("{}@example.com", "a".repeat(65));
        assert_eq!(Email::parse(&long), Err(EmailError::TooLong));
        let long = format!("a@{}com", "abcdefghi.".repeat(26));
        assert_eq!(Email::parse(&long), Err(EmailError::TooLong));
        assert_eq!(Email::parse(&"a".repeat(1 << 20)), Err(EmailError::TooLong));
        let edge = format!("{}@example.com", "a".repeat(64));
        assert!(Email::parse(&edge).is_ok());
    }

    #[test]
    fn masks() {
        assert_eq!(mask("ann@example.com"), "a***@example.com");
        assert_eq!(mask("a@example.com"), "***@example.com");
        assert_eq!(mask(""), "***");
        assert_eq!(
            format!("{:?}", Email::parse("ann@example.com").unwrap()),
            "a***@example.com"
        );
    }

    proptest! {
        #[test]
        fn normal_form_is_stable(text in "[A-Za-z0-9.+]{1,10}@[A-Za-z0-9-]{1,8}\\.[a-zA-Z]{1,4}") {
            if let Ok(email) = Email::parse(&text) {
                let again = Email::parse(email.normal()).unwrap();
                prop_assert_eq!(again.normal(), email.normal());
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Email::parse(&text);
            let _ = mask(&text);
        }
    }
}
