//! A minimal HTTP/1.1 client with one persistent connection. It sends JSON and reads the complete response.

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection to a server.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Milliseconds of the image's synthesis run; `None` if the server does not report them.
    pub(crate) run: Option<f64>,
    keep_alive: bool,
}

impl Connection {
    /// Connects to HOST:PORT.
    pub(crate) async fn open(host: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await.context("connecting")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: host.to_owned(),
            buffer: Vec::with_capacity(1 << 20),
        })
    }

    /// Sends a request and does not wait for the response.
    pub(crate) async fn send(&mut self, path: &str, body: &str) -> anyhow::Result<()> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.context("sending")
    }

    /// Sends a request and reads the response. If the server closes the connection, a new one is opened for the next request.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<Response> {
        self.send(path, body).await?;
        let response = self.receive().await?;
        if !response.keep_alive {
            *self = Self::open(&self.host).await?;
        }
        Ok(response)
    }

    async fn receive(&mut self) -> anyhow::Result<Response> {
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status: u16 = text
            .split(' ')
            .nth(1)
            .context("the response has no status: expected HTTP/1.1 STATUS")?
            .parse()?;
        let header = |name: &str| {
            text.lines().find_map(|line| {
                let (found, value) = line.split_once(':')?;
                found.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let keep_alive = header("connection") != Some("close");
        let run = header("server-timing").and_then(|parts| {
            let part = parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix("synthesis;dur="));
            part?.parse().ok()
        });
        let response = Response {
            status,
            run,
            keep_alive,
        };
        match header("content-length").map(str::parse::<usize>).transpose()? {
            Some(length) => {
                while self.buffer.len() < head + length {
                    self.read().await?;
                }
            }
            None if header("transfer-encoding") == Some("chunked") => {
                while !self.buffer.ends_with(b"\r\n0\r\n\r\n") {
                    self.read().await?;
                }
            }
            None => bail!("the response has neither Content-Length nor chunks"),
        }
        Ok(response)
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await.context("reading")?;
        ensure!(
            read > 0,
            "the server closed the connection before the response was complete"
        );
        Ok(())
    }
}
