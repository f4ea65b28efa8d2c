//! The idle timeout of connections.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::Client;

const REQUEST: &str = "GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n";

/// Everything that the service sends on a new connection after `sent`, until it closes the connection.
async fn received(address: std::net::SocketAddr, sent: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(sent.as_bytes()).await.unwrap();
    let mut received = String::new();
    // The service may also reset the connection.
    let _ = socket.read_to_string(&mut received).await;
    received
}

#[tokio::test]
async fn a_connection_without_a_complete_request_is_closed_after_the_idle_timeout() {
    let client = Client::sketch();
    let address = client.listen_with_idle_timeout(Duration::from_millis(50)).await;
    for sent in ["", "GET", "GET /health/live HTTP/1.1\r\nHost: test\r\n"] {
        assert_eq!(
            received(address, sent).await,
            "",
            "{sent:?} is not a complete request, so it should get no response"
        );
    }
    let twice = received(address, &REQUEST.repeat(2)).await;
    assert_eq!(twice.matches("HTTP/1.1 200 OK").count(), 2, "{twice}");
}
