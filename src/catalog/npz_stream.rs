//! A `.npz` file that is written array by array and taken in pieces, so that it never lies in memory as a whole.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::catalog::npy::header;
use crate::catalog::scored_samples::texts;

/// A `.npz` file in progress. It is not compressed, since codes are noise.
pub struct NpzStream {
    zip: ZipWriter<StreamWriter<Pieces>>,
    pieces: Pieces,
}

/// The bytes that were written and not yet taken. Clones share them.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Vec<u8>>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const MEMORY: &str = "memory can be written to";

impl Default for NpzStream {
    fn default() -> Self {
        let pieces = Pieces::default();
        Self {
            zip: ZipWriter::new_stream(pieces.clone()),
            pieces,
        }
    }
}

impl NpzStream {
    /// Begins an array of the type `<f4`. [`extend_f4`](Self::extend_f4) adds its values.
    pub fn begin_f4(&mut self, name: &str, shape: &[usize]) {
        self.begin(name, &header(shape, "<f4"));
    }

    /// Adds values to the array that was begun, in C order.
    pub fn extend_f4(&mut self, values: impl IntoIterator<Item = f32>) {
        let values = values.into_iter();
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        self.write(&bytes);
    }

    /// Adds an array of the type `<f8`.
    pub fn add_f8(&mut self, name: &str, shape: &[usize], values: &[f64]) {
        self.begin(name, &header(shape, "<f8"));
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write(&bytes);
    }

    /// Adds a list of whole numbers, of the type `<i8`.
    pub fn add_i8(&mut self, name: &str, values: impl ExactSizeIterator<Item = i64>) {
        self.begin(name, &header(&[values.len()], "<i8"));
        let bytes: Vec<u8> = values.flat_map(i64::to_le_bytes).collect();
        self.write(&bytes);
    }

    /// Adds a list of texts.
    pub fn add_texts(&mut self, name: &str, list: &[String]) {
        self.begin(name, &texts(&[list.len()], list));
    }

    fn begin(&mut self, name: &str, start: &[u8]) {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default());
        self.zip.start_file(format!("{name}.npy"), options).expect(MEMORY);
        self.write(start);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.zip.write_all(bytes).expect(MEMORY);
    }

    /// Takes the bytes that were written since the last call.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let mut pieces = self.pieces.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *pieces)
    }

    /// Ends the file, and takes its last bytes.
    ///
    /// # Panics
    /// Never: memory can be written to.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let Self { zip, pieces } = self;
        drop(zip.finish().expect(MEMORY));
        let mut pieces = pieces.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *pieces)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;
    use crate::catalog::NpyArray;

    #[test]
    fn the_pieces_together_are_a_file_with_all_arrays() {
        let mut npz = NpzStream::default();
        npz.add_i8("seeds", [7, 8].into_iter());
        npz.begin_f4("w", &[2, 3]);
        let mut file = npz.take();
        npz.extend_f4([1.0, 2.0, 3.0]);
        file.extend(npz.take());
        npz.extend_f4([4.0, 5.0, 6.5]);
        npz.add_f8("distances", &[2, 1], &[0.25, -0.5]);
        npz.add_texts("boundaries", &["smile".to_owned()]);
        file.extend(npz.take());
        file.extend(npz.finish());
        let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
        let names: Vec<_> = archive
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        assert_eq!(names, ["seeds.npy", "w.npy", "distances.npy", "boundaries.npy"]);
        let mut array = |name: &str| {
            let mut bytes = Vec::new();
            archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
            NpyArray::read(&bytes).unwrap()
        };
        assert_eq!(array("seeds.npy").values, [7.0, 8.0]);
        let w = array("w.npy");
        assert_eq!(
            (&w.shape[..], &w.values[..]),
            (&[2, 3][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5][..])
        );
        assert_eq!(array("distances.npy").values, [0.25, -0.5]);
    }
}
