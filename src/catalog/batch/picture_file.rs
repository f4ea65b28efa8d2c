//! The file of a picture.

/// The seeds with pictures in one folder: file systems and file browsers get slow with more files.
const SEEDS_OF_FOLDER: u32 = 1000;

/// The picture of a face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFile {
    seed: u32,
    pub(super) name: String,
}

impl PictureFile {
    /// The picture of a seed, with the `position` of a trajectory, in files of the type `ending`.
    #[must_use]
    pub fn new(seed: u32, position: Option<usize>, ending: &str) -> Self {
        let name = match position {
            Some(position) => format!("seed{seed}-{position:03}.{ending}"),
            None => format!("seed{seed}.{ending}"),
        };
        Self { seed, name }
    }

    /// Its path in the folder or the bucket: `pictures/1000/seed1234.png`.
    pub(super) fn key(&self) -> String {
        let thousand = self.seed / SEEDS_OF_FOLDER * SEEDS_OF_FOLDER;
        format!("pictures/{thousand}/{}", self.name)
    }
}
