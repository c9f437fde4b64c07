//! Where something may be sent: the address as somebody has typed it.

use super::address::is_public;
use reqwest::Url;
use std::net::IpAddr;

/// The longest address.
const LONGEST: usize = 2000;
/// Names that lead to the own machine or network, and to nothing else.
const OWN_NAMES: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "lan"];

/// Which targets are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Those in private networks and on this machine too, and without TLS: for development and tests.
    pub private: bool,
}

/// Why nothing is sent to an address, fit to show to who has typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// It is no address at all.
    #[error("this is no address of a web server, such as https://hooks.example/regulars")]
    Malformed,
    /// It is too long.
    #[error("an address has at most {LONGEST} characters")]
    TooLong,
    /// It is not one of HTTPS.
    #[error(
        "the address must begin with https://: what is sent would be open to everybody on the way"
    )]
    Unencrypted,
    /// It has a password in it.
    #[error("the address must not have a name or password in it; messages are signed instead")]
    Credentials,
    /// It has a fragment, which is never sent.
    #[error("the address must not have a part after #, which is never sent")]
    Fragment,
    /// It leads into a network that is not public.
    #[error(
        "the address must be one of the public internet, not of this machine or a private network"
    )]
    Private,
}

impl Targets {
    /// Reads an address and tells whether something may be sent there, as far as it can be told without asking for the
    /// addresses behind a name.
    ///
    /// # Errors
    /// Why not.
    pub fn read(self, text: &str) -> Result<Url, TargetFault> {
        if text.len() > LONGEST {
            return Err(TargetFault::TooLong);
        }
        let url = Url::parse(text).map_err(|_| TargetFault::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.private => {}
            "http" => return Err(TargetFault::Unencrypted),
            _ => return Err(TargetFault::Malformed),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetFault::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetFault::Fragment);
        }
        let host = url.host_str().ok_or(TargetFault::Malformed)?;
        if !self.private && is_own(host) {
            return Err(TargetFault::Private);
        }
        Ok(url)
    }

    /// May this address be connected to?
    pub fn allows(self, address: IpAddr) -> bool {
        self.private || is_public(address)
    }
}

/// Does a host, in its normal form, lead to the own machine or network?
fn is_own(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        return !is_public(address);
    }
    let name = host.trim_end_matches('.');
    // A name of one word is one of the own network, too.
    !name.contains('.')
        || OWN_NAMES.iter().any(|own| {
            name.strip_suffix(own)
                .is_some_and(|rest| rest.ends_with('.'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_with_its_reason() {
        let cases = [
            ("", TargetFault::Malformed),
            ("hooks.example", TargetFault::Malformed),
            ("ftp://hooks.example/", TargetFault::Malformed),
            ("http://hooks.example/", TargetFault::Unencrypted),
            ("https://me:secret@hooks.example/", TargetFault::Credentials),
            ("https://hooks.example/#here", TargetFault::Fragment),
            ("https://localhost/", TargetFault::Private),
            ("https://LOCALHOST./", TargetFault::Private),
            ("https://db/", TargetFault::Private),
            ("https://a.localhost:8443/", TargetFault::Private),
            ("https://printer.local/", TargetFault::Private),
            ("https://metadata.google.internal/", TargetFault::Private),
            ("https://127.0.0.1/", TargetFault::Private),
            // The same address in other clothes.
            ("https://2130706433/", TargetFault::Private),
            ("https://0x7f.1/", TargetFault::Private),
            ("https://017700000001/", TargetFault::Private),
            ("https://127.0.0.1./", TargetFault::Private),
            (
                "https://169.254.169.254/latest/meta-data",
                TargetFault::Private,
            ),
            ("https://[::1]/", TargetFault::Private),
            ("https://[::ffff:10.0.0.1]/", TargetFault::Private),
        ];
        for (text, fault) in cases {
            assert_eq!(Targets::default().read(text), Err(fault), "{text}");
        }
        let long = format!("https://hooks.example/{}", "x".repeat(LONGEST));
        assert_eq!(Targets::default().read(&long), Err(TargetFault::TooLong));
        for text in [
            "https://hooks.example/regulars?a=b",
            "https://1.1.1.1:8443/",
        ] {
            Targets::default().read(text).unwrap();
        }
        for text in ["http://127.0.0.1:9/", "https://localhost/", "http://db/"] {
            Targets { private: true }.read(text).unwrap();
        }
    }
}
