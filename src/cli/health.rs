//! `faceplane health`: checks whether a running service is ready. For container images without another HTTP client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::ListenAddress;

/// Timeout of connecting, of sending, and of each read.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Longest response that is read, in bytes.
const MAX_RESPONSE: u64 = 16 * 1024;

/// The address of the service to check.
#[derive(Clone, Debug, Args)]
pub struct HealthConfig {
    /// Address and port that the service listens on
    #[arg(
        long,
        env = "FACEPLANE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: ListenAddress,
}

/// The service is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The service does not respond.
    #[error("no response from {address}, expected a running `faceplane serve --listen {address}`")]
    NoResponse {
        /// The address that was checked.
        address: ListenAddress,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The service responds that it is not ready.
    #[error(
        "{address} is not ready: found the status line {status_line:?}, expected HTTP/1.1 200; the response says: {reason}"
    )]
    NotReady {
        /// The address that was checked.
        address: SocketAddr,
        /// The first line of the response.
        status_line: String,
        /// The first line of the response's body, which says why.
        reason: String,
    },
}

/// Sends `GET /health/ready` to the service that listens on `listen`. For the unspecified address (`0.0.0.0` or `::`), the
/// loopback address is used. Of several addresses, the first one that responds counts.
///
/// # Errors
/// [`HealthError`] unless the response is 200.
pub fn check_health(listen: &ListenAddress) -> Result<(), HealthError> {
    let mut failure = None;
    for &address in listen.addresses() {
        let address = reachable(address);
        match response(address) {
            Ok(response) => return check_response(address, &response),
            Err(error) => failure = Some(error),
        }
    }
    Err(HealthError::NoResponse {
        address: listen.clone(),
        source: failure.expect("there is an address, and it did not respond"),
    })
}

/// An error unless the response is 200.
fn check_response(address: SocketAddr, response: &str) -> Result<(), HealthError> {
    if response.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    Err(HealthError::NotReady {
        address,
        status_line: first_line(head),
        reason: first_line(body),
    })
}

/// The address by which this machine reaches a service that listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The response to `GET /health/ready`.
fn response(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response)?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}
