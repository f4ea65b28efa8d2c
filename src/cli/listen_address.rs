//! The address of `--listen`: an address, a host name, or a port alone.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// Where the service listens. Of several addresses, it takes the first one that is free.
#[derive(Clone, Debug)]
pub struct ListenAddress {
    text: String,
    addresses: Vec<SocketAddr>,
}

impl ListenAddress {
    /// The addresses, the preferred one first. There is at least one.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether only this machine can reach the service.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().is_loopback())
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    /// Reads `127.0.0.1:8080`, `localhost:8080`, or `:8080`, which means all addresses of the machine.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut addresses: Vec<SocketAddr> = match text.strip_prefix(':') {
            Some(port) => {
                let port = port.parse().map_err(|_| expected())?;
                // On most systems, the first listens for IPv4 too.
                vec![
                    (Ipv6Addr::UNSPECIFIED, port).into(),
                    (Ipv4Addr::UNSPECIFIED, port).into(),
                ]
            }
            None => text
                .to_socket_addrs()
                .map_err(|error| format!("{error}; {}", expected()))?
                .collect(),
        };
        if !text.starts_with(':') {
            addresses.sort_by_key(SocketAddr::is_ipv6);
        }
        if addresses.is_empty() {
            return Err(expected());
        }
        Ok(Self {
            text: text.to_owned(),
            addresses,
        })
    }
}

fn expected() -> String {
    "expected an address and a port, such as 127.0.0.1:8080, localhost:8080, or :8080 for all addresses of the machine"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_means_all_addresses_and_localhost_this_machine() {
        let parse = |text: &str| text.parse::<ListenAddress>();
        let all = parse(":8080").unwrap();
        let found: Vec<String> = all.addresses().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["[::]:8080", "0.0.0.0:8080"]);
        assert!(!all.is_loopback() && !parse("0.0.0.0:80").unwrap().is_loopback());
        for local in ["localhost:8080", "127.0.0.1:0", "[::1]:8080", "127.9.9.9:80"] {
            assert!(parse(local).unwrap().is_loopback(), "{local}");
        }
        for wrong in ["", ":", "8080", ":http", "127.0.0.1", "127.0.0.1:70000", "a b:80"] {
            let error = parse(wrong).unwrap_err();
            assert!(
                error.contains("expected an address and a port"),
                "{wrong}: {error}"
            );
        }
    }
}
