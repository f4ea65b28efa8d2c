//! Files that are written whole: whoever reads one finds what it was before, or all of what it is now.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes `bytes` to `path`: into a temporary file beside it, which then takes its name. All of it is on the disk, and
/// the folder's entry too, when this returns.
///
/// # Errors
/// What the system says; the file is then what it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if let Err(error) = written {
        // What cannot be removed now is no file that anybody reads.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    settle(path)
}

/// Removes a file; it stays removed when this returns. One that is not there is removed already.
///
/// # Errors
/// What the system says.
pub(crate) fn remove_whole(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => settle(path),
    }
}

/// Puts the folder's entries on the disk.
fn settle(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
