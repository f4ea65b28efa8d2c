//! `faceplane health`: checks whether a running service is ready. For container images without another HTTP client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

/// Timeout of connecting, of sending, and of each read.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Longest response that is read, in bytes. Only its first line counts.
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
    pub listen: SocketAddr,
}

/// The service is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The service does not respond.
    #[error("no response from {address}, expected a running `faceplane serve --listen {address}`")]
    NoResponse {
        /// The address that was checked.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The service responds that it is not ready.
    #[error("{address} is not ready: found the status line {status_line:?}, expected HTTP/1.1 200")]
    NotReady {
        /// The address that was checked.
        address: SocketAddr,
        /// The first line of the response.
        status_line: String,
    },
}

/// Sends `GET /health/ready` to the service that listens on `listen`. If that is the unspecified address (`0.0.0.0` or
/// `::`), the loopback address is used.
///
/// # Errors
/// [`HealthError`] unless the response is 200.
pub fn check_health(listen: SocketAddr) -> Result<(), HealthError> {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listen.port()),
        _ => listen,
    };
    let status_line = status_line(address).map_err(|source| HealthError::NoResponse { address, source })?;
    if status_line.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(HealthError::NotReady { address, status_line })
}

fn status_line(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response)?;
    let line = response.split(|&byte| byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}
