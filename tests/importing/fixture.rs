//! A tiny checkpoint that an original program wrote, and what that program computed with it.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use faceplane::checkpoint::Checkpoint;
use faceplane::importing::{Imported, import};
use ndarray::ArrayD;
use npyz::NpyFile;
use zip::ZipArchive;

use crate::reference;

/// The largest difference from the recorded values.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// A folder of `checkpoints` in the references.
pub(crate) struct Fixture {
    folder: PathBuf,
}

impl Fixture {
    /// The fixture `name`. If the folder of references does not exist, the test says so, and passes without it.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let folder = reference::folder("checkpoints")?.join(name);
        assert!(folder.is_dir(), "no fixture {name:?}");
        Some(Self { folder })
    }

    /// The file of the checkpoint: the one that is not about it.
    pub(crate) fn file(&self) -> PathBuf {
        let mut files = self.folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let about = ["README.md", "expected.npz", "tensors.tsv"];
        files
            .find(|file| about.iter().all(|name| !file.ends_with(name)))
            .unwrap()
    }

    /// The checkpoint, read and converted.
    pub(crate) fn import(&self) -> Imported {
        import(&Checkpoint::read(&self.file()).unwrap()).unwrap()
    }

    /// A recorded array as f32, if the fixture has it.
    pub(crate) fn try_expected(&self, name: &str) -> Option<ArrayD<f32>> {
        let file = self.recorded(name)?;
        let file = NpyFile::new(&file[..]).unwrap();
        let lengths = file
            .shape()
            .iter()
            .map(|&length| usize::try_from(length).unwrap());
        let shape: Vec<_> = lengths.collect();
        let values: Vec<f32> = if file.dtype().descr() == "'|u1'" {
            file.into_vec::<u8>()
                .unwrap()
                .into_iter()
                .map(f32::from)
                .collect()
        } else {
            file.into_vec().unwrap()
        };
        Some(ArrayD::from_shape_vec(shape, values).unwrap())
    }

    /// A recorded number of layers, if the fixture has it.
    pub(crate) fn count(&self, name: &str) -> Option<usize> {
        let file = self.recorded(name)?;
        let values: Vec<i64> = NpyFile::new(&file[..]).unwrap().into_vec().unwrap();
        Some(usize::try_from(values[0]).unwrap())
    }

    /// A recorded array as f32.
    pub(crate) fn expected(&self, name: &str) -> ArrayD<f32> {
        self.try_expected(name)
            .unwrap_or_else(|| panic!("no {name:?} in {}", self.folder.display()))
    }

    /// The `.npy` file of a recorded array.
    fn recorded(&self, name: &str) -> Option<Vec<u8>> {
        let mut archive = ZipArchive::new(File::open(self.folder.join("expected.npz")).unwrap()).unwrap();
        let mut file = archive.by_name(&format!("{name}.npy")).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        Some(bytes)
    }
}
