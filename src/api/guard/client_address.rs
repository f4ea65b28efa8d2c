//! The address of the client that sends a request, also behind proxies.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The addresses that a request came from: each proxy adds the one that it got the request from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the other end of a connection. The server puts it into the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub IpAddr);

/// The client of a request that came over a connection with `peer`: the last address that is not a trusted proxy's. What a
/// client itself writes into the header stands before that, and does not count.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let lines = headers.get_all(FORWARDED_FOR).iter();
    let forwarded: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    let mut address = peer.to_canonical();
    for text in forwarded.iter().rev() {
        if !is_proxy(&address) {
            break;
        }
        let Some(before) = parse(text.trim()) else {
            break;
        };
        address = before.to_canonical();
    }
    address
}

/// An address, which some proxies write with a port.
fn parse(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok();
    address.or_else(|| text.parse().ok().map(|socket: std::net::SocketAddr| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let proxies: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into();
        let found = |peer: &str, forwarded: &[&'static str]| {
            let lines = forwarded
                .iter()
                .map(|line| (FORWARDED_FOR, line.parse().unwrap()));
            let headers: HeaderMap = lines.collect();
            client_address(peer.parse().unwrap(), &headers, &proxies).to_string()
        };
        for (peer, forwarded, client) in [
            ("203.0.113.7", &[][..], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", &["[2001:db8::5]:80"], "2001:db8::5"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(found(peer, forwarded), client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn several_lines_of_the_header_are_one_list() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in ["1.2.3.4", "198.51.100.1"] {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let client = client_address("10.0.0.1".parse().unwrap(), &headers, &proxies);
        assert_eq!(client.to_string(), "198.51.100.1");
    }
}
