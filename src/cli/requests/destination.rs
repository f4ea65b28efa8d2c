//! Where responses go: standard output, a file, or a folder with a file for each.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::RequestError;
use crate::api::{LocalResponse, Operation};
use crate::catalog::{check_writable, create_folder, write_atomically};

/// The word for JSON of the parameter `format`.
pub(super) const JSON: &str = "json";

/// The parameters with words that are endings of files, too.
const FORMATS: [&str; 2] = ["format", "layout"];

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

    /// The parameter that chooses the format by the name of the file.
    pub(super) fn format(&self, operation: &Operation) -> Result<Option<(String, String)>, RequestError> {
        let Self::File(file) = self else {
            return Ok(None);
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

    /// Writes a response. A file is written whole, or not at all. `name` is that of a file in a folder, without its ending.
    pub(super) async fn write(self, name: &str, response: LocalResponse) -> Result<(), RequestError> {
        let ending = ending_of(&response.media_type);
        let (file, in_folder) = match self {
            Self::StandardOutput => return print(response, ending == JSON).await,
            Self::File(file) => (file, false),
            Self::Folder(folder) => (folder.join(format!("{name}.{ending}")), true),
        };
        let bytes = response.bytes().await?;
        let write = move || {
            let written = match file.parent() {
                Some(folder) if in_folder => create_folder(folder),
                _ => Ok(()),
            };
            let written = written.and_then(|()| {
                if is_special(&file) {
                    fs::write(&file, &bytes)
                } else {
                    write_atomically(&file, &bytes)
                }
            });
            written.map_err(|source| unwritable(&file, source))
        };
        let written = tokio::task::spawn_blocking(write).await;
        written.expect("writing a file does not panic")
    }
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
