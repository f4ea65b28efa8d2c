//! The bytes of a request's body: they are received and unpacked within the memory budget.

use std::io::Read as _;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;

use crate::api::held_bytes::held;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::transfer_limits::SlowRequest;
use crate::engine::{ByteBudget, MemoryError, MemoryUse, Reservation};

/// The largest body, in bytes, that counts as small: large requests never keep it out, and it is decoded on the async thread, in
/// about a millisecond.
pub(crate) const SMALL: usize = 64 * 1024;

/// How much a gzip body is unpacked at a time, in bytes.
const UNPACKED_CHUNK: usize = 256 * 1024;

/// A body in memory, with the reservation of its memory.
pub(crate) struct ReceivedBody {
    bytes: Vec<u8>,
    memory: Reservation,
}

impl ReceivedBody {
    /// Receives the body of a request, and unpacks it if it is packed by gzip. It has at most `limit` bytes, packed and unpacked.
    pub(crate) async fn of(request: Request, api: &Api, limit: usize) -> Result<Self, Problem> {
        let packed = is_packed(request.headers())?;
        let received = Self::receive(request, &api.memory, limit).await?;
        if !packed {
            return Ok(received);
        }
        if received.bytes.len() > limit {
            return Err(Problem::BodyTooLarge { limit });
        }
        let memory = api.memory.clone();
        api.decode_large(move || received.unpack(&memory, limit)).await
    }

    async fn receive(request: Request, memory: &ByteBudget, limit: usize) -> Result<Self, Problem> {
        let length = content_length(request.headers()).unwrap_or(0);
        if length > limit as u64 {
            return Err(Problem::BodyTooLarge { limit });
        }
        let length = usize::try_from(length).expect("the limit is a number of bytes in memory");
        let mut body = Self::with_capacity(memory, length)?;
        let mut chunks = request.into_body().into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| not_received(&error))?;
            body.push(&chunk, memory, limit)?;
        }
        Ok(body)
    }

    fn with_capacity(memory: &ByteBudget, capacity: usize) -> Result<Self, MemoryError> {
        let memory = memory.reserve(use_of(capacity), capacity)?;
        Ok(Self {
            bytes: Vec::with_capacity(capacity),
            memory,
        })
    }

    /// Appends a chunk. If the length of the body was not known, its memory doubles.
    fn push(&mut self, chunk: &[u8], memory: &ByteBudget, limit: usize) -> Result<(), Problem> {
        let length = self.bytes.len() + chunk.len();
        if length > limit {
            return Err(Problem::BodyTooLarge { limit });
        }
        if length > self.memory.bytes() {
            let capacity = length.max(2 * self.bytes.len()).min(limit);
            if use_of(capacity) == use_of(self.memory.bytes()) {
                self.memory.grow(capacity - self.memory.bytes())?;
            } else {
                self.memory = memory.reserve(use_of(capacity), capacity)?;
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Unpacks a gzip file of one or more members.
    fn unpack(self, memory: &ByteBudget, limit: usize) -> Result<Self, Problem> {
        let mut unpacked = Self::with_capacity(memory, 0)?;
        let mut gzip = MultiGzDecoder::new(&self.bytes[..]);
        let mut chunk = vec![0; UNPACKED_CHUNK];
        loop {
            let length = gzip.read(&mut chunk).map_err(|error| Problem::Undecodable {
                reason: format!(
                    "the Content-Encoding of the body is gzip, and it cannot be unpacked: {error}"
                ),
            })?;
            if length == 0 {
                return Ok(unpacked);
            }
            unpacked.push(&chunk[..length], memory, limit)?;
        }
    }

    /// Its size, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Reserves as many bytes again, for what is decoded from the body.
    pub(crate) fn reserve_decoded(&mut self) -> Result<(), MemoryError> {
        self.memory.grow(self.bytes.len())
    }

    /// The bytes, and the reservation that must outlive them.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Reservation) {
        (self.bytes, self.memory)
    }

    /// The bytes. They hold their reservation.
    pub(crate) fn into_bytes(self) -> Bytes {
        held(self.bytes, self.memory)
    }
}

fn not_received(error: &axum::Error) -> Problem {
    if SlowRequest::is_reason_of(error) {
        return Problem::SlowRequest;
    }
    Problem::Undecodable {
        reason: format!("found a body that breaks off ({error}), expected all of its bytes"),
    }
}

/// The use of memory of a body of `bytes`.
fn use_of(bytes: usize) -> MemoryUse {
    if bytes <= SMALL {
        MemoryUse::SmallBody
    } else {
        MemoryUse::Body
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the body is packed by gzip, by its Content-Encoding.
fn is_packed(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut packed = false;
    for encoding in headers.get_all(header::CONTENT_ENCODING) {
        let found = encoding.to_str().unwrap_or("unreadable").trim();
        match found.to_ascii_lowercase().as_str() {
            "identity" => {}
            "gzip" | "x-gzip" if !packed => packed = true,
            _ => {
                return Err(Problem::ContentEncoding {
                    found: found.to_owned(),
                });
            }
        }
    }
    Ok(packed)
}
