//! A small HTTP/1.1 client: one connection that is kept, JSON out, a body of known length in.

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// An answer, without its body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Milliseconds that the picture's run took, where the server says so.
    pub(crate) run: Option<f64>,
    keep: bool,
}

impl Client {
    /// Connects to HOST:PORT.
    pub(crate) async fn connect(host: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await.context("connecting")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: host.to_owned(),
            buffer: Vec::with_capacity(1 << 20),
        })
    }

    /// Sends a request without waiting for its answer.
    pub(crate) async fn send(&mut self, path: &str, body: &str) -> anyhow::Result<()> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.context("sending")
    }

    /// Sends a request and reads its answer. A connection that the server closes is opened anew before the next.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<Answer> {
        self.send(path, body).await?;
        let answer = self.receive().await?;
        if !answer.keep {
            *self = Self::connect(&self.host).await?;
        }
        Ok(answer)
    }

    async fn receive(&mut self) -> anyhow::Result<Answer> {
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
            .context("an answer opens with its status")?
            .parse()?;
        let header = |name: &str| {
            text.lines().find_map(|line| {
                let (found, value) = line.split_once(':')?;
                found.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let keep = header("connection") != Some("close");
        let run = header("server-timing").and_then(|parts| {
            let part = parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix("synthesis;dur="));
            part?.parse().ok()
        });
        let answer = Answer { status, run, keep };
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
            None => bail!("an answer without Content-Length"),
        }
        Ok(answer)
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await.context("reading")?;
        ensure!(read > 0, "the server hung up");
        Ok(())
    }
}
