//! Several files as one zip archive. Equal files give equal archives.

use std::io::{Cursor, Write as _};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::imaging::ImagingError;

/// The archive's overhead of an entry, in bytes: an estimate, for the first allocation.
const OVERHEAD: usize = 256;

/// The archive of `files`, each with its name. They are stored without compression, since images are compressed already, and dated
/// 1980-01-01, the earliest date of the format.
pub(crate) fn archive(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, ImagingError> {
    let bytes = files.iter().map(|(_, file)| OVERHEAD + file.len()).sum();
    let write = || -> Result<Vec<u8>, ZipError> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes)));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default());
        for (name, file) in files {
            zip.start_file(name, options)?;
            zip.write_all(file)?;
        }
        Ok(zip.finish()?.into_inner())
    };
    write().map_err(|error| ImagingError::Encoding {
        format: "zip",
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn files_are_stored_under_their_names_and_equal_files_give_equal_archives() {
        let files = [
            ("a.png".to_owned(), vec![1; 300]),
            ("b.png".to_owned(), vec![2; 10]),
        ];
        let zip = archive(&files).unwrap();
        assert_eq!(zip, archive(&files).unwrap());
        let mut read = ZipArchive::new(Cursor::new(zip)).unwrap();
        for (name, file) in &files {
            let mut entry = read.by_name(name).unwrap();
            assert_eq!(entry.compression(), CompressionMethod::Stored);
            let mut found = Vec::new();
            entry.read_to_end(&mut found).unwrap();
            assert_eq!(&found, file);
        }
    }
}
