//! Files that change atomically: a reader finds the old content or the new one, never a part.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes `bytes` to a temporary file beside `path` and renames it to `path`. When this returns, the file and its entry in
/// the folder are on the disk.
///
/// # Errors
/// The error of the operating system; the old file is then unchanged.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // In containers, all processes have one id.
    let temporary = path.with_file_name(format!(".{name}.{}", getrandom::u64()?));
    let written = (|| {
        let mut file = File::create_new(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if let Err(error) = written {
        // If the temporary file cannot be removed either, no reader opens it.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder(path)
}

/// Whether `path` is a temporary file that [`write_atomically`] writes, or left behind when it was killed.
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    number.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Creates the folder `path`, if it does not exist. When this returns, its entry is on the disk.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    sync_folder(path)
}

/// Removes the file `path`, if it exists. When this returns, the removal is on the disk.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn remove_durably(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(path),
    }
}

/// Writes the entries of the folder of `path` to the disk.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
