//! A boundary on disk: the normal in a `.npy` file, and a JSON file with its meaning.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::catalog::array_file::read_arrays;
use crate::catalog::atomic_write::{remove_durably, write_atomically};
use crate::catalog::boundary_name::BoundaryName;
use crate::catalog::{CatalogError, ModelFolder, NpyArray};
use crate::latent::{Accuracy, Boundary, LatentSpace, Provenance, StyleChannel, UnknownSpace};

/// The extensions of boundary files.
pub const BOUNDARY_EXTENSIONS: [&str; 2] = ["npy", "pt"];

/// The most numbers of a normal. The largest published one has 18 × 512.
const MOST_NUMBERS: usize = 1 << 20;

/// The JSON file of a boundary: the meaning of the normal, and how it was found.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryMetadata {
    /// The attribute of the boundary. If absent, the name of the file says it.
    #[serde(default)]
    pub attribute: Option<String>,
    /// The latent space: `z`, `w` or `w+`. If absent, the name of the file or the shape of the normal says it.
    #[serde(default)]
    pub space: Option<String>,
    /// The intercept b in n·code + b, for the normal as stored; 0 if unknown.
    #[serde(default)]
    pub intercept: f64,
    /// Number of codes that were sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// Number of codes selected at each end of the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<u64>,
    /// If there were only two different scores: how many codes had the lower one, and how many the higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<[u64; 2]>,
    /// Why the sampling ended at this number of codes, if that was found while sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<String>,
    /// Seed of the sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Name of the classifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<String>,
    /// SHA-256 of the classifier's graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier_digest: Option<String>,
    /// SHA-256 of the generator; a boundary of another generator is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it was found, in words, such as `ridge regression`, `svm` or `sefa`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Date and time of the fit, in the format of RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Length of the normal where it comes from, if it has another one here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<f64>,
    /// The ranked channels of a boundary in s, the best one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelMetadata>,
    /// Accuracy of the boundary.
    #[serde(default)]
    pub accuracy: AccuracyMetadata,
}

/// A channel of a style: [`StyleChannel`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelMetadata {
    /// The layer, counted from 0.
    pub layer: usize,
    /// The channel of the layer, counted from 0.
    pub channel: usize,
    /// The change of each score.
    pub effects: Vec<(String, f64)>,
}

/// How well a boundary separates its samples: [`Accuracy`].
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyMetadata {
    /// Share of the selected codes that the boundary was trained on.
    pub train: Option<f64>,
    /// Share of the selected codes that were held out.
    pub held_out: Option<f64>,
    /// Share of all codes that were held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_all: Option<f64>,
    /// Share of all codes.
    pub all: Option<f64>,
    /// Correlation between distance and score on codes that were held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    /// Expected cosine between the normal and the one of unlimited samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// Rise of the score with one unit of distance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_per_unit: Option<f64>,
}

impl From<StyleChannel> for ChannelMetadata {
    fn from(found: StyleChannel) -> Self {
        Self {
            layer: found.layer,
            channel: found.channel,
            effects: found.effects,
        }
    }
}

impl From<ChannelMetadata> for StyleChannel {
    fn from(found: ChannelMetadata) -> Self {
        Self {
            layer: found.layer,
            channel: found.channel,
            effects: found.effects,
        }
    }
}

impl BoundaryMetadata {
    /// The metadata of a boundary.
    #[must_use]
    pub fn of(boundary: &Boundary) -> Self {
        let known = boundary.provenance().clone();
        Self {
            attribute: Some(boundary.attribute().to_owned()),
            space: Some(boundary.space().to_string()),
            intercept: boundary.intercept(),
            samples: known.samples,
            chosen: known.chosen,
            classes: known.classes,
            sampling: known.sampling,
            seed: known.seed,
            classifier: known.classifier,
            classifier_digest: known.classifier_digest,
            model: known.model,
            method: known.method,
            date: known.date,
            length: known.length,
            channels: known.channels.into_iter().map(ChannelMetadata::from).collect(),
            accuracy: AccuracyMetadata {
                train: known.accuracy.train,
                held_out: known.accuracy.held_out,
                held_out_all: known.accuracy.held_out_all,
                all: known.accuracy.all,
                correlation: known.accuracy.correlation,
                cosine: known.accuracy.cosine,
                score_per_unit: known.accuracy.score_per_unit,
            },
        }
    }

    /// The boundary with this metadata and the normal `array`. Errors name the files `npy` and `json`.
    pub(crate) fn boundary(self, array: NpyArray, npy: &str, json: &str) -> Result<Boundary, CatalogError> {
        let missing = |key: &str| CatalogError::BoundaryMetadata {
            file: json.to_owned(),
            reason: format!("missing field `{key}`"),
        };
        let attribute = self.attribute.ok_or_else(|| missing("attribute"))?;
        let space = self.space.ok_or_else(|| missing("space"))?;
        let space: LatentSpace = space
            .parse()
            .map_err(|reason: UnknownSpace| CatalogError::Latent {
                file: json.to_owned(),
                reason: reason.into(),
            })?;
        let shape = space
            .rows_and_columns(&array.shape)
            .ok_or_else(|| CatalogError::BoundaryShape {
                file: npy.to_owned(),
                space,
                expected: match space {
                    LatentSpace::WPlus => "(layers, dim) or (1, layers, dim)",
                    LatentSpace::Z | LatentSpace::W | LatentSpace::S => "(dim,) or (1, dim)",
                },
                found: array.shape.clone(),
            })?;
        let normal =
            Array2::from_shape_vec(shape, array.values).expect("the shape holds as many values as the array");
        let provenance = Provenance {
            samples: self.samples,
            chosen: self.chosen,
            classes: self.classes,
            sampling: self.sampling,
            seed: self.seed,
            classifier: self.classifier,
            classifier_digest: self.classifier_digest,
            model: self.model,
            method: self.method,
            date: self.date,
            length: self.length,
            channels: self.channels.into_iter().map(StyleChannel::from).collect(),
            accuracy: Accuracy {
                train: self.accuracy.train,
                held_out: self.accuracy.held_out,
                held_out_all: self.accuracy.held_out_all,
                all: self.accuracy.all,
                correlation: self.accuracy.correlation,
                cosine: self.accuracy.cosine,
                score_per_unit: self.accuracy.score_per_unit,
            },
        };
        let made = Boundary::from_outside(attribute, space, normal, self.intercept, provenance);
        made.map_err(|reason| CatalogError::Latent {
            file: npy.to_owned(),
            reason,
        })
    }
}

/// Reads the boundaries of a `file`, a path relative to `folder`, and its JSON file if it has one. What the JSON does not say comes from
/// the file's name and the shape of the normal; if the file holds several normals, from their keys. A normal of one row, if nothing
/// names its space, has the space `of_rows`.
pub(crate) fn read_boundary_file(
    folder: &ModelFolder,
    file: &str,
    of_rows: Option<LatentSpace>,
) -> Result<Vec<Boundary>, CatalogError> {
    let (path, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let stem = path.rsplit('/').next().unwrap_or(path);
    let json = format!("{path}.json");
    let metadata: BoundaryMetadata = if folder.has(&json) {
        serde_json::from_slice(&folder.read(&json)?).map_err(|error| CatalogError::BoundaryMetadata {
            file: folder.name(&json),
            reason: error.to_string(),
        })?
    } else {
        BoundaryMetadata::default()
    };
    let arrays = read_arrays(&folder.read(file)?, MOST_NUMBERS).map_err(|reason| CatalogError::Array {
        file: folder.name(file),
        reason,
    })?;
    let is_alone = arrays.len() == 1;
    let read = |(place, array): (String, NpyArray)| {
        let said = match place.parse::<usize>() {
            _ if is_alone => BoundaryName::of(stem),
            Ok(index) => BoundaryName::of(stem).numbered(index + 1),
            Err(_) => BoundaryName::of(&place),
        };
        let file = if is_alone {
            folder.name(file)
        } else {
            format!("{}: {place}", folder.name(file))
        };
        let source = Source {
            file,
            json: folder.name(&json),
            extension,
        };
        source.boundary(array, said, metadata.clone(), of_rows)
    };
    arrays.into_iter().map(read).collect()
}

/// The files of a boundary, for errors.
struct Source<'a> {
    /// The file of the normal, with its place in it if the file holds several.
    file: String,
    json: String,
    extension: &'a str,
}

impl Source<'_> {
    /// The boundary of a normal, of what the name says, and of what the JSON says.
    fn boundary(
        &self,
        array: NpyArray,
        said: BoundaryName,
        mut metadata: BoundaryMetadata,
        of_rows: Option<LatentSpace>,
    ) -> Result<Boundary, CatalogError> {
        let Self {
            file,
            json,
            extension,
        } = self;
        if metadata.attribute.is_none() {
            metadata.attribute = said.attribute;
        }
        let Some(attribute) = &metadata.attribute else {
            return Err(CatalogError::UnnamedBoundary {
                file: file.clone(),
                json: json.clone(),
            });
        };
        if metadata.space.is_none() {
            let by_shape = LatentSpace::WPlus
                .rows_and_columns(&array.shape)
                .filter(|&(rows, _)| rows > 1)
                .map(|_| LatentSpace::WPlus);
            let published = said.is_published.then_some(LatentSpace::Z);
            let space = said.space.or(by_shape).or(of_rows).or(published);
            let space = space.ok_or_else(|| CatalogError::UnknownBoundarySpace {
                file: file.clone(),
                json: json.clone(),
                names: format!("{attribute}_z.{extension} or {attribute}_w.{extension}"),
                shape: array.shape.clone(),
            })?;
            metadata.space = Some(space.to_string());
        }
        metadata.boundary(array, file, json)
    }
}

/// Writes a boundary into `folder`, in the format of a model folder, and returns the `.npy` file. If the program is killed
/// at any time, a reader never finds the JSON of one boundary with the normal of another.
///
/// # Errors
/// [`CatalogError::Unwritable`].
pub fn write_boundary(folder: &Path, boundary: &Boundary) -> Result<PathBuf, CatalogError> {
    let [npy, json] = boundary_files(folder, boundary.attribute(), boundary.space());
    let unwritable = |file: &Path| {
        let file = file.display().to_string();
        move |reason| CatalogError::Unwritable { file, reason }
    };
    std::fs::create_dir_all(folder).map_err(unwritable(folder))?;
    remove_durably(&json).map_err(unwritable(&json))?;
    write_atomically(&npy, &NpyArray::of_normal(boundary).write_f8()).map_err(unwritable(&npy))?;
    let mut text = serde_json::to_vec_pretty(&BoundaryMetadata::of(boundary))
        .expect("the metadata has finite numbers and texts only");
    text.push(b'\n');
    write_atomically(&json, &text).map_err(unwritable(&json))?;
    Ok(npy)
}

/// The files that [`write_boundary`] writes.
#[must_use]
pub fn boundary_files(folder: &Path, attribute: &str, space: LatentSpace) -> [PathBuf; 2] {
    let stem = file_stem(attribute, space);
    ["npy", "json"].map(|extension| folder.join(format!("{stem}.{extension}")))
}

/// Checks that files can be written into `folder`, or into the folder where it would be created.
///
/// # Errors
/// [`CatalogError::Unwritable`].
pub fn check_writable(folder: &Path) -> Result<(), CatalogError> {
    let existing = folder.ancestors().find(|folder| folder.exists());
    let probe = existing
        .unwrap_or(Path::new("."))
        .join(format!(".writable.{}", std::process::id()));
    std::fs::write(&probe, [])
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|reason| CatalogError::Unwritable {
            file: folder.display().to_string(),
            reason,
        })
}

/// The name of a boundary's files, without the extension.
pub(crate) fn file_stem(attribute: &str, space: LatentSpace) -> String {
    format!("{}_{space}", escaped_attribute(attribute))
}

/// The attribute with all characters escaped that a file name might not have.
pub(crate) fn escaped_attribute(attribute: &str) -> String {
    attribute.bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(byte.into());
        } else {
            write!(name, "%{byte:02X}").expect("writing to a string cannot fail");
        }
        name
    })
}
