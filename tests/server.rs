//! How long connections last.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::Client;

const WHOLE: &str = "GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n";

/// What comes of what is said on a connection of its own, until the service closes it.
async fn heard(address: std::net::SocketAddr, said: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(said.as_bytes()).await.unwrap();
    let mut heard = String::new();
    // A connection may as well be reset.
    let _ = socket.read_to_string(&mut heard).await;
    heard
}

#[tokio::test]
async fn a_connection_that_asks_nothing_for_too_long_is_closed() {
    let client = Client::sketch();
    let address = client.listen_to(Duration::from_millis(50)).await;
    for said in ["", "GET", "GET /health/live HTTP/1.1\r\nHost: test\r\n"] {
        assert_eq!(heard(address, said).await, "", "{said:?} is no request");
    }
    let twice = heard(address, &WHOLE.repeat(2)).await;
    assert_eq!(twice.matches("HTTP/1.1 200 OK").count(), 2, "{twice}");
}
