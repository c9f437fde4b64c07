//! Addresses of web pages and services that secrets may be sent to.
//!
//! Called by the configuration and by the company's sign-in. Knows the form of an address, and opens none.

use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

/// Bytes of an address at most.
const LONGEST: usize = 2000;

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebAddressError {
    /// It is no absolute address of the web.
    #[error("must be an address such as https://login.example.com")]
    Malformed,
    /// What is sent there could be read on the way.
    #[error("must begin with https://; http:// is for this machine only, such as http://127.0.0.1")]
    NotSecure,
    /// It holds a user, a password or a fragment.
    #[error("must have no user, no password and no fragment (#)")]
    Superfluous,
}

/// An absolute `https` address, or an `http` one of this very machine, without user, password and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    text: String,
    url: Url,
}

impl WebAddress {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, WebAddressError> {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>');
        if text.len() > LONGEST || !text.chars().all(plain) {
            return Err(WebAddressError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| WebAddressError::Malformed)?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        // The parser is lenient: it takes `https:/x` and `https:x` as well.
        if !is_web || !text.contains("://") {
            return Err(WebAddressError::Malformed);
        }
        let has_more =
            !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        if has_more {
            return Err(WebAddressError::Superfluous);
        }
        if url.scheme() == "http" && !is_this_machine(&url) {
            return Err(WebAddressError::NotSecure);
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// The address as it was written: an issuer is compared letter by letter.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address in normal form.
    pub fn normal(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path, at least `/`.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Is there nothing behind the origin?
    pub fn is_origin(&self) -> bool {
        self.url.path() == "/" && self.url.query().is_none()
    }

    /// Does this allowed address cover the other one? An origin covers all its pages, an address with a path that very
    /// page, whatever its query.
    pub fn covers(&self, other: &Self) -> bool {
        self.origin() == other.origin() && (self.is_origin() || self.path() == other.path())
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_can_read_on_the_way() {
        for good in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/shop?x=1",
            "http://localhost:3000/",
            "http://127.0.0.1:9",
            "http://[::1]/",
        ] {
            assert_eq!(WebAddress::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", WebAddressError::Malformed),
            ("login.example.com", WebAddressError::Malformed),
            ("//login.example.com", WebAddressError::Malformed),
            ("https:login.example.com", WebAddressError::Malformed),
            ("https:\\\\login.example.com", WebAddressError::Malformed),
            (
                "https://a.example\n.evil.example",
                WebAddressError::Malformed,
            ),
            ("javascript://x/%0aalert(1)", WebAddressError::Malformed),
            ("ftp://a.example", WebAddressError::Malformed),
            ("http://login.example.com", WebAddressError::NotSecure),
            ("http://localhost.evil.example", WebAddressError::NotSecure),
            ("http://127.0.0.1.evil.example", WebAddressError::NotSecure),
            (
                "https://a.example@evil.example",
                WebAddressError::Superfluous,
            ),
            ("https://:b@evil.example", WebAddressError::Superfluous),
            ("https://a.example/#x", WebAddressError::Superfluous),
        ] {
            assert_eq!(WebAddress::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn an_origin_covers_its_pages_and_a_page_itself() {
        let read = |text: &str| WebAddress::parse(text).unwrap();
        let origin = read("https://a.example");
        let page = read("https://a.example/in");
        assert!(origin.covers(&read("https://A.example:443/any?x=1")));
        assert!(!origin.covers(&read("https://a.example.evil.example/")));
        assert!(!origin.covers(&read("https://a.example:8443/")));
        assert!(page.covers(&read("https://a.example/in?next=2")));
        assert!(!page.covers(&read("https://a.example/in/x")));
        assert!(!page.covers(&read("https://a.example/")));
    }
}
