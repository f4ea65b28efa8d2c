//! Bytes of a file that are read only when they are needed.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use zip::{CompressionMethod, ZipArchive};

use crate::checkpoint::error::Fault;

/// A range of bytes of a file, or bytes in memory. A clone shares them.
#[derive(Clone)]
pub struct StoredBytes {
    source: Rc<Source>,
    start: u64,
    len: u64,
}

/// Where bytes lie.
enum Source {
    File(File),
    Memory(Vec<u8>),
    /// An entry of a zip archive that is compressed. Each read decompresses it from its beginning.
    Compressed(Rc<RefCell<Archive>>, usize),
}

/// A zip archive within stored bytes.
pub(crate) type Archive = ZipArchive<Cursor>;

impl StoredBytes {
    /// All bytes of a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(Fault::Foreign {
                found: "a folder".to_owned(),
            });
        }
        Ok(Self {
            source: Rc::new(Source::File(file)),
            start: 0,
            len: metadata.len(),
        })
    }

    /// Bytes in memory.
    pub(crate) fn memory(bytes: Vec<u8>) -> Self {
        Self {
            len: bytes.len() as u64,
            source: Rc::new(Source::Memory(bytes)),
            start: 0,
        }
    }

    /// An entry of the zip archive that these bytes are. If it is compressed, it may have `most_decompressed` bytes.
    pub(crate) fn entry(
        &self,
        archive: &Rc<RefCell<Archive>>,
        index: usize,
        most_decompressed: u64,
    ) -> Result<Self, Fault> {
        let unreadable = |error| {
            Fault::malformed(
                format!("an entry of a zip archive that cannot be read ({error})"),
                "an entry",
            )
        };
        let mut borrowed = archive.borrow_mut();
        let entry = borrowed.by_index(index).map_err(unreadable)?;
        let len = entry.size();
        if entry.compression() != CompressionMethod::Stored {
            if len > most_decompressed {
                return Err(Fault::Limit {
                    found: format!("a compressed entry of {len} bytes"),
                    most: format!("{most_decompressed} bytes"),
                });
            }
            return Ok(Self {
                source: Rc::new(Source::Compressed(Rc::clone(archive), index)),
                start: 0,
                len,
            });
        }
        let start = entry.data_start();
        let part = start.and_then(|start| self.part(start, len));
        part.ok_or_else(|| Fault::Truncated {
            within: "an entry of a zip archive".to_owned(),
        })
    }

    /// Whether they are decompressed when they are read.
    pub(crate) fn is_compressed(&self) -> bool {
        matches!(*self.source, Source::Compressed(..))
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of them, if it lies within.
    pub(crate) fn part(&self, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        (end <= self.len).then(|| Self {
            source: Rc::clone(&self.source),
            start: self.start + start,
            len,
        })
    }

    /// Fills a buffer from an offset.
    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let offset = self.start + offset;
        match &*self.source {
            Source::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(buffer)
            }
            Source::Memory(bytes) => {
                let bytes = usize::try_from(offset)
                    .ok()
                    .and_then(|offset| bytes.get(offset..));
                bytes.unwrap_or_default().read_exact(buffer)
            }
            Source::Compressed(archive, entry) => {
                let mut archive = archive.borrow_mut();
                let mut entry = archive.by_index(*entry)?;
                io::copy(&mut (&mut entry).take(offset), &mut io::sink())?;
                entry.read_exact(buffer)
            }
        }
    }

    /// Reads all of them.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; len];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// The same bytes, decompressed in memory if they are compressed.
    pub(crate) fn decompressed(self) -> io::Result<Self> {
        match &*self.source {
            Source::Compressed(..) => Ok(Self::memory(self.read()?)),
            Source::File(_) | Source::Memory(_) => Ok(self),
        }
    }

    /// The first bytes, at most `most`.
    pub(crate) fn first(&self, most: u64) -> io::Result<Vec<u8>> {
        let part = self.part(0, most.min(self.len)).expect("the length is within");
        part.read()
    }

    /// Reads them in order.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            bytes: self.clone(),
            position: 0,
        }
    }
}

impl fmt::Debug for StoredBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{} bytes>", self.len)
    }
}

/// Reads stored bytes in order.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    bytes: StoredBytes,
    position: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.bytes.len.saturating_sub(self.position);
        let len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if len > 0 {
            self.bytes.read_at(self.position, &mut buffer[..len])?;
            self.position += len as u64;
        }
        Ok(len)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.bytes.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
