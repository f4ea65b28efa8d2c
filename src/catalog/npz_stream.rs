//! A `.npz` file that is written array by array and taken in pieces, so that it never lies in memory as a whole.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::catalog::npy::header;

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

/// The numbers that are converted to bytes at a time, since all of them may take hundreds of megabytes.
const PIECE: usize = 1 << 14;

impl Default for NpzStream {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl NpzStream {
    /// A file with room for `bytes` that are not taken yet.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let pieces = Pieces(Arc::new(Mutex::new(Vec::with_capacity(bytes))));
        Self {
            zip: ZipWriter::new_stream(pieces.clone()),
            pieces,
        }
    }

    /// Begins an array of the type `<f4`. [`extend_f4`](Self::extend_f4) adds its values.
    pub fn begin_f4(&mut self, name: &str, shape: &[usize]) {
        let values = shape.iter().product::<usize>() * size_of::<f32>();
        self.begin(name, &header(shape, "<f4"), values);
    }

    /// Adds values to the array that was begun, in C order.
    pub fn extend_f4(&mut self, values: impl IntoIterator<Item = f32>) {
        let mut values = values.into_iter().peekable();
        while values.peek().is_some() {
            let piece = values.by_ref().take(PIECE);
            let bytes: Vec<u8> = piece.flat_map(f32::to_le_bytes).collect();
            self.write(&bytes);
        }
    }

    /// Adds an array of the type `<f8`.
    pub fn add_f8(&mut self, name: &str, shape: &[usize], values: &[f64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.add(name, &header(shape, "<f8"), &bytes);
    }

    /// Adds an array of whole numbers, of the type `<i8`.
    pub fn add_i8(&mut self, name: &str, shape: &[usize], values: &[i64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.add(name, &header(shape, "<i8"), &bytes);
    }

    /// Adds an array of texts: each character is four bytes, and shorter texts end in zeros.
    pub fn add_texts(&mut self, name: &str, shape: &[usize], texts: &[String]) {
        let longest = texts.iter().map(|text| text.chars().count()).max();
        let longest = longest.unwrap_or(0).max(1);
        let letters = texts.iter().flat_map(|text| {
            let letters = text.chars().map(u32::from);
            letters.chain(std::iter::repeat(0)).take(longest)
        });
        let bytes: Vec<u8> = letters.flat_map(u32::to_le_bytes).collect();
        self.add(name, &header(shape, &format!("<U{longest}")), &bytes);
    }

    fn add(&mut self, name: &str, header: &[u8], values: &[u8]) {
        self.begin(name, header, values.len());
        self.write(values);
    }

    /// Begins an array with `values` bytes of values.
    fn begin(&mut self, name: &str, header: &[u8], values: usize) {
        let length = header.len() + values;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(u32::try_from(length).is_err());
        self.zip.start_file(format!("{name}.npy"), options).expect(MEMORY);
        self.write(header);
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
        npz.add_i8("seeds", &[2], &[7, 8]);
        npz.begin_f4("w", &[2, 3]);
        let mut file = npz.take();
        npz.extend_f4([1.0, 2.0, 3.0]);
        file.extend(npz.take());
        npz.extend_f4([4.0, 5.0, 6.5]);
        npz.add_f8("distances", &[2, 1], &[0.25, -0.5]);
        npz.add_texts("boundaries", &[1], &["smile".to_owned()]);
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
