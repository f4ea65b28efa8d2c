//! The format of a file, by its first bytes.

use std::rc::Rc;

use zip::ZipArchive;

use crate::checkpoint::containers::{legacy, numpy, plain_pickle, safetensors, torch_zip};
use crate::checkpoint::error::Fault;
use crate::checkpoint::npy_header::NPY_MAGIC;
use crate::checkpoint::object::Object;
use crate::checkpoint::pickle::Budget;
use crate::checkpoint::stored_bytes::StoredBytes;

/// What a file holds.
pub(crate) struct Content {
    /// The format, in words.
    pub(crate) format: &'static str,
    pub(crate) root: Object,
}

/// Reads a file.
pub(crate) fn read(bytes: &StoredBytes, file: &Rc<str>, budget: &mut Budget) -> Result<Content, Fault> {
    let first = bytes.first(512)?;
    if first.starts_with(b"PK\x03\x04") {
        return read_zip(bytes, file, budget);
    }
    if legacy::is_legacy(&first) {
        return Ok(Content {
            format: "PyTorch file (legacy)",
            root: legacy::read(bytes, file, budget)?,
        });
    }
    if first.starts_with(NPY_MAGIC) {
        return Ok(Content {
            format: "NumPy array",
            root: numpy::read_npy(bytes, file, budget)?,
        });
    }
    if safetensors::is_safetensors(&first) {
        return Ok(Content {
            format: "safetensors",
            root: safetensors::read(bytes, file)?,
        });
    }
    // The opcode of the protocol, which every pickle since protocol 2 begins with.
    if let [0x80, 0..=5, ..] = first.as_slice() {
        return Ok(Content {
            format: "pickle",
            root: plain_pickle::read(bytes.clone(), file, budget)?,
        });
    }
    Err(Fault::Foreign {
        found: kind(&first).to_owned(),
    })
}

fn read_zip(bytes: &StoredBytes, file: &Rc<str>, budget: &mut Budget) -> Result<Content, Fault> {
    let archive = ZipArchive::new(bytes.cursor()).map_err(|error| match error {
        zip::result::ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Fault::Io(error)
        }
        _ => Fault::Truncated {
            within: "a zip archive".to_owned(),
        },
    })?;
    if let Some(folder) = torch_zip::folder(&archive) {
        if torch_zip::is_program(&archive, &folder) {
            return Err(Fault::Foreign {
                found: "a TorchScript program of torch.jit.save".to_owned(),
            });
        }
        return Ok(Content {
            format: "PyTorch zip",
            root: torch_zip::read(bytes, archive, folder, file, budget)?,
        });
    }
    if numpy::is_npz(&archive) {
        return Ok(Content {
            format: "NumPy arrays",
            root: numpy::read_npz(bytes, archive, file, budget)?,
        });
    }
    Err(Fault::Foreign {
        found: "a zip archive that torch.save or numpy.savez did not write".to_owned(),
    })
}

/// What a file is that is no checkpoint.
fn kind(first: &[u8]) -> &'static str {
    let text = first.trim_ascii_start();
    match first {
        [] => "an empty file",
        [0x89, b'P', b'N', b'G', ..] => "a PNG image",
        [0xff, 0xd8, 0xff, ..] => "a JPEG image",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file",
        [0x1f, 0x8b, ..] => "a gzip archive, which has to be unpacked first",
        _ if text.starts_with(b"<") => "an HTML or XML page, perhaps the page of a download",
        _ if text.starts_with(b"version https://git-lfs") => {
            "a pointer of Git LFS; fetch the file itself with git lfs pull"
        }
        _ if first.get(257..262) == Some(b"ustar") => "a tar archive, which has to be unpacked first",
        _ => "an unknown format",
    }
}
