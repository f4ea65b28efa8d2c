//! The bytes of pickles, in order.

use std::io::Read;

use crate::checkpoint::error::Fault;
use crate::checkpoint::stored_bytes::{Cursor, StoredBytes};

/// Bytes that are read from the file at a time.
const BUFFER: u64 = 1 << 14;

/// Most bytes of a line: of a number, a name or a text of protocol 0.
const LONGEST_LINE: usize = 1 << 16;

/// Reads pickles from stored bytes, one after the other.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: StoredBytes,
    /// Where the buffer begins.
    start: u64,
    buffer: Vec<u8>,
    /// The bytes of the buffer that are taken.
    taken: usize,
}

impl Input {
    /// Reads from the first byte.
    pub(crate) fn new(bytes: StoredBytes) -> Self {
        Self {
            bytes,
            start: 0,
            buffer: Vec::new(),
            taken: 0,
        }
    }

    /// The offset of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.start + self.taken as u64
    }

    /// The number of bytes that are left.
    fn left(&self) -> u64 {
        self.bytes.len().saturating_sub(self.position())
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// The next bytes of a number.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        if self.buffer.len() - self.taken < N {
            self.fill(N as u64)?;
        }
        let end = self.taken + N;
        let array = self.buffer[self.taken..end].try_into().expect("N bytes");
        self.taken = end;
        Ok(array)
    }

    /// Bytes to keep in memory. The caller limits their number.
    pub(super) fn take(&mut self, len: u64) -> Result<Vec<u8>, Fault> {
        if let Ok(len) = usize::try_from(len)
            && let Some(buffered) = self.buffer.get(self.taken..).and_then(|rest| rest.get(..len))
        {
            let bytes = buffered.to_vec();
            self.taken += len;
            return Ok(bytes);
        }
        Ok(self.skip(len)?.read()?)
    }

    /// Bytes to leave in the file.
    pub(super) fn skip(&mut self, len: u64) -> Result<StoredBytes, Fault> {
        let position = self.position();
        let part = self.bytes.part(position, len).ok_or_else(|| self.truncated())?;
        self.start = position + len;
        match usize::try_from(len) {
            Ok(len) if len <= self.buffer.len() - self.taken => {
                self.start -= (self.taken + len) as u64;
                self.taken += len;
            }
            _ => {
                self.buffer.clear();
                self.taken = 0;
            }
        }
        Ok(part)
    }

    /// The bytes until the end of the line, without it.
    pub(super) fn line(&mut self) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(line),
                _ if line.len() == LONGEST_LINE => {
                    return Err(Fault::malformed(
                        format!("a line of more than {LONGEST_LINE} bytes in a pickle"),
                        "a name or a number",
                    ));
                }
                byte => line.push(byte),
            }
        }
    }

    /// Reads on, so that the buffer has at least `least` bytes that are not taken.
    fn fill(&mut self, least: u64) -> Result<(), Fault> {
        if self.left() < least {
            return Err(self.truncated());
        }
        let position = self.position();
        let len = self.left().min(BUFFER);
        let part = self.bytes.part(position, len).ok_or_else(|| self.truncated())?;
        self.buffer.clear();
        let mut reader: Cursor = part.cursor();
        reader.read_to_end(&mut self.buffer)?;
        self.start = position;
        self.taken = 0;
        Ok(())
    }

    fn truncated(&self) -> Fault {
        Fault::Truncated {
            within: format!("a pickle, after byte {}", self.position()),
        }
    }
}
