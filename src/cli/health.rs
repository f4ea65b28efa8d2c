//! `faceplane health`: asks a running service whether it is ready, for containers that have no other client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest time that connecting, sending and each read may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why the service is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nothing answers.
    #[error("no answer from {address}, expected a running `faceplane serve --listen {address}`")]
    NoAnswer {
        /// Where it was asked.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// It says that it is not.
    #[error("{address} is not ready: it answers {answer:?}, expected HTTP/1.1 200")]
    NotReady {
        /// Where it was asked.
        address: SocketAddr,
        /// The answer's first line.
        answer: String,
    },
}

/// Asks `/health/ready` of the service that listens on `listen`; where that is every address, of this machine's own.
///
/// # Errors
/// [`ProbeError`] unless it answers 200.
pub fn ask(listen: SocketAddr) -> Result<(), ProbeError> {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listen.port()),
        _ => listen,
    };
    let line = first_line(address).map_err(|source| ProbeError::NoAnswer { address, source })?;
    if line.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(ProbeError::NotReady {
        address,
        answer: line,
    })
}

fn first_line(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(16 * 1024).read_to_end(&mut answer)?;
    let line = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}
