//! Where responses go: standard output, a file, or a folder with a file for each.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Cursor, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::RequestError;
use crate::api::{LocalResponse, Operation};
use crate::catalog::{check_writable, create_folder, write_atomically};

/// The word for JSON of the parameter `format`.
pub(super) const JSON: &str = "json";

/// The word of the parameter `layout` for an archive with a file for each face.
const ZIP: &str = "zip";

/// The parameter that says how several faces share a response.
const LAYOUT: &str = "layout";

/// The parameters with words that are endings of files, too.
const FORMATS: [&str; 2] = ["format", LAYOUT];

/// Where responses go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    StandardOutput,
    File(PathBuf),
    Folder(PathBuf),
}

impl Destination {
    /// The destination that `--output` names.
    pub(super) fn of(output: Option<&Path>) -> Self {
        let Some(path) = output else {
            return Self::StandardOutput;
        };
        let bytes = path.as_os_str().as_encoded_bytes();
        if bytes.ends_with(b"/") || path.is_dir() {
            Self::Folder(path.to_owned())
        } else {
            Self::File(path.to_owned())
        }
    }

    /// The parameter that chooses the format: by the name of the file, or for a folder an archive to unpack.
    pub(super) fn format(&self, operation: &Operation) -> Result<Option<(String, String)>, RequestError> {
        let file = match self {
            Self::File(file) => file,
            Self::Folder(_) => return Ok(files_of_all(operation)),
            Self::StandardOutput => return Ok(None),
        };
        let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
        let word = match &*ending.to_ascii_lowercase() {
            "jpg" => "jpeg".to_owned(),
            ending => ending.to_owned(),
        };
        let has_word = |name: &&str| {
            let parameter = operation.parameter(name);
            parameter.is_some_and(|parameter| parameter.words.contains(&word))
        };
        if let Some(name) = FORMATS.iter().find(|name| has_word(name)) {
            return Ok(Some(((*name).to_owned(), word)));
        }
        let formats = operation.parameter("format");
        if formats.is_none() && word == JSON {
            return Ok(None);
        }
        let words = formats.map_or(vec![JSON], |formats| {
            formats.words.iter().map(String::as_str).collect()
        });
        Err(RequestError::Ending {
            file: file.clone(),
            expected: words.join(", ."),
        })
    }

    /// Refuses a destination that cannot have the response: an image on a terminal, a file in a folder that does not exist.
    pub(super) fn check(&self, is_text: bool) -> Result<(), RequestError> {
        match self {
            Self::StandardOutput if !is_text && io::stdout().is_terminal() => Err(RequestError::Terminal),
            Self::StandardOutput => Ok(()),
            Self::Folder(folder) => Ok(check_writable(folder)?),
            Self::File(file) if is_special(file) => Ok(()),
            Self::File(file) => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                if !folder.is_dir() {
                    return Err(unwritable(file, io::ErrorKind::NotFound.into()));
                }
                Ok(check_writable(folder)?)
            }
        }
    }

    /// Writes a response. A file is written whole, or not at all. In a folder it has this name, and an archive is unpacked.
    pub(super) async fn write(self, name: &str, response: LocalResponse) -> Result<(), RequestError> {
        let ending = ending_of(&response.media_type);
        let (file, folder) = match self {
            Self::StandardOutput => return print(response, ending == JSON).await,
            Self::File(file) => (file, None),
            Self::Folder(folder) => (folder.join(format!("{name}.{ending}")), Some(folder)),
        };
        let bytes = response.bytes().await?;
        let write = move || {
            let Some(folder) = folder else {
                return write_file(&file, &bytes);
            };
            create_folder(&folder).map_err(|source| unwritable(&folder, source))?;
            if ending == ZIP {
                unpack(&folder, &bytes)
            } else {
                write_file(&file, &bytes)
            }
        };
        let written = tokio::task::spawn_blocking(write).await;
        written.expect("writing a file does not panic")
    }
}

fn write_file(file: &Path, bytes: &[u8]) -> Result<(), RequestError> {
    let written = if is_special(file) {
        fs::write(file, bytes)
    } else {
        write_atomically(file, bytes)
    };
    written.map_err(|source| unwritable(file, source))
}

/// Writes the files of an archive into `folder`.
fn unpack(folder: &Path, archive: &[u8]) -> Result<(), RequestError> {
    let broken = |error: ZipError| unwritable(folder, error.into());
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(broken)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let file = folder.join(&*entry.name().map_err(broken)?);
        let mut bytes = Vec::new();
        let read = entry.read_to_end(&mut bytes);
        read.map_err(|source| unwritable(&file, source))?;
        write_file(&file, &bytes)?;
    }
    Ok(())
}

/// The parameter for a file of each face, if the operation makes several of one request. The others get a request for each.
fn files_of_all(operation: &Operation) -> Option<(String, String)> {
    let has_archive = operation
        .parameter(LAYOUT)
        .is_some_and(|layout| layout.words.iter().any(|word| word == ZIP));
    let is_of_one_face = operation.parameter("seed").is_some();
    (has_archive && !is_of_one_face).then(|| (LAYOUT.to_owned(), ZIP.to_owned()))
}

/// Whether a path is there and no file that can be replaced, such as `/dev/stdout`.
fn is_special(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| !found.is_file())
}

fn unwritable(file: &Path, source: io::Error) -> RequestError {
    RequestError::Unwritable {
        file: file.to_owned(),
        source,
    }
}

/// The ending of a file of this media type.
fn ending_of(media_type: &str) -> String {
    let (_, name) = media_type.rsplit_once('/').unwrap_or_default();
    if name == "jpeg" { "jpg" } else { name }.to_owned()
}

/// Prints a response as it comes, so that a reader can begin.
async fn print(response: LocalResponse, is_text: bool) -> Result<(), RequestError> {
    let mut output = io::stdout();
    let failed = |source| unwritable(Path::new("standard output"), source);
    response
        .write_to(|part| output.write_all(part).map_err(failed))
        .await?;
    if is_text && output.is_terminal() {
        output.write_all(b"\n").map_err(failed)?;
    }
    output.flush().map_err(failed)
}
