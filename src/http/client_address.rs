//! Whose address a request is counted under.
//!
//! Called once for each request. A forwarding header is believed only when the peer is a configured proxy, and read
//! from the right: the first address that is not a proxy of ours is the client. Never guesses.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use ipnet::IpNet;

use super::settings::{ForwardedHeader, HttpSettings};

/// Most proxies in a row that are followed.
const LONGEST_CHAIN: usize = 20;

/// The client's address as far as it can be trusted.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, settings: &HttpSettings) -> IpAddr {
    let peer = plain(peer);
    let trusted = |address: IpAddr| {
        settings
            .trusted_proxies
            .iter()
            .any(|network: &IpNet| network.contains(&address))
    };
    if !trusted(peer) {
        if is_forwarded(headers) {
            super::metrics::forwarded_by_stranger();
        }
        return peer;
    }
    let (header, read): (HeaderName, fn(&str) -> Option<IpAddr>) = match settings.forwarded_header {
        ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, node),
        ForwardedHeader::Forwarded => (FORWARDED, forwarded_for),
    };
    // Several headers count as one list in their order.
    let values: Vec<&str> = headers
        .get_all(header)
        .filter_map(|value| value.to_str().ok())
        .collect();
    let mut nearest = peer;
    for entry in values
        .iter()
        .rev()
        .flat_map(|value| value.rsplit(','))
        .take(LONGEST_CHAIN)
    {
        // What cannot be read was not written by a proxy of ours in good order: the last known hop has to answer for it.
        let Some(address) = read(entry.trim()) else {
            return nearest;
        };
        nearest = address;
        if !trusted(address) {
            break;
        }
    }
    nearest
}

/// Whether the request came through any proxy, trusted or not.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

/// An IPv4 address mapped into IPv6 is that IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// An address with or without port and brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| {
            text.strip_prefix('[')?
                .strip_suffix(']')?
                .parse::<IpAddr>()
                .ok()
        })
        .map(plain)
}

fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case("for")
            .then(|| node(value.trim()))?
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn resolve(peer: &str, header: ForwardedHeader, values: &[&'static str]) -> String {
        let settings = HttpSettings {
            trusted_proxies: ["10.0.0.0/8", "fd00::/8"]
                .iter()
                .map(|network| network.parse().unwrap())
                .collect(),
            forwarded_header: header,
            ..HttpSettings::default()
        };
        let mut headers = HeaderMap::new();
        for value in values {
            let name = match header {
                ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
                ForwardedHeader::Forwarded => FORWARDED,
            };
            headers.append(name, HeaderValue::from_static(value));
        }
        client_address(peer.parse().unwrap(), &headers, &settings).to_string()
    }

    #[test]
    fn believes_only_proxies_of_ours_and_reads_from_the_right() {
        use ForwardedHeader::XForwardedFor as X;
        assert_eq!(resolve("203.0.113.9", X, &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(resolve("10.0.0.1", X, &[]), "10.0.0.1");
        assert_eq!(resolve("10.0.0.1", X, &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(
            resolve("10.0.0.1", X, &["6.6.6.6, 1.2.3.4, 10.0.0.2"]),
            "1.2.3.4"
        );
        assert_eq!(resolve("10.0.0.1", X, &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(resolve("10.0.0.1", X, &["6.6.6.6, nonsense"]), "10.0.0.1");
        assert_eq!(resolve("10.0.0.1", X, &["6.6.6.6, , 10.0.0.2"]), "10.0.0.2");
        assert_eq!(resolve("10.0.0.1", X, &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(
            resolve("::ffff:10.0.0.1", X, &["[2001:db8::1]:443"]),
            "2001:db8::1"
        );
    }

    #[test]
    fn reads_the_standard_header_too() {
        use ForwardedHeader::Forwarded as F;
        assert_eq!(
            resolve("fd00::1", F, &["for=1.2.3.4;proto=https"]),
            "1.2.3.4"
        );
        assert_eq!(
            resolve(
                "fd00::1",
                F,
                &["for=6.6.6.6, proto=https;For=\"[2001:db8::2]:80\""]
            ),
            "2001:db8::2"
        );
        assert_eq!(resolve("fd00::1", F, &["for=unknown"]), "fd00::1");
        assert_eq!(resolve("fd00::1", F, &["by=1.2.3.4"]), "fd00::1");
    }
}
