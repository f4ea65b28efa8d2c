//! A loaded model: its networks, its boundaries, and what its manifest says of them.

use std::sync::Arc;

use ndarray::Array2;

use crate::catalog::{ClassifierPackage, EncoderEntry, GradientEntry, ModelPackage, OutputEntry};
use crate::editor::boundaries::digest_with;
use crate::editor::{EditorError, LoadError};
use crate::engine::{Engine, GeneratorShape, SynthesisInput};
use crate::imaging::{Alignment, ImageRange};
use crate::latent::{Boundary, LatentCode, LatentSpace, Truncation, Whitening};

/// A model that is loaded; its boundaries are what they are, and a model with others is another one.
#[derive(Clone)]
pub struct Model {
    name: String,
    description: String,
    license: Option<String>,
    /// SHA-256 of its files but the boundaries'.
    files: String,
    digest: String,
    generator_digest: String,
    pub(crate) engine: Engine,
    pub(crate) image_range: ImageRange,
    pub(crate) rescale_z: bool,
    pub(crate) mean: Option<Mean>,
    outputs: Vec<OutputEntry>,
    /// For each output the classifier's file and its digest.
    scorers: Vec<(String, String)>,
    /// Attributes and spaces of the boundaries that the model folder has.
    shipped: Arc<[(String, LatentSpace)]>,
    boundaries: Vec<Arc<Boundary>>,
    encoder: Option<EncoderEntry>,
    /// How far the encoder's answers lie from the truth.
    pub(crate) spread: Arc<Whitening>,
    alignment: Alignment,
    gradient: Option<GradientEntry>,
}

/// The mean w code, and the truncation that a request gets unless it names another.
#[derive(Clone)]
pub(crate) struct Mean {
    pub(crate) w_avg: Vec<f32>,
    pub(crate) truncation: Truncation,
}

impl Model {
    /// Puts a package and its networks together.
    ///
    /// # Errors
    /// [`LoadError`] where a boundary, the mean code, the encoder's errors or the manifest does not fit the generator.
    pub fn new(package: ModelPackage, engine: Engine) -> Result<Self, LoadError> {
        let generator_digest = package.generator_digest();
        let scorer = |classifier: &ClassifierPackage| {
            let scorer = (classifier.entry.file.clone(), classifier.digest());
            std::iter::repeat_n(scorer, classifier.entry.outputs.len())
        };
        let scorers = package.classifiers.iter().flat_map(scorer).collect();
        let ModelPackage {
            manifest_file: file,
            manifest,
            w_avg,
            encoder_errors,
            boundaries,
            digest: files,
            ..
        } = package;
        let shape = engine.shape();
        let [black, white] = manifest.generator.image_range;
        let image_range = ImageRange::new(black, white).ok_or_else(|| LoadError::Entry {
            file: file.clone(),
            key: "generator.image_range",
            reason: format!("[{black}, {white}], expected black below white, both finite"),
        })?;
        let mean = match (manifest.truncation, w_avg) {
            (Some(entry), Some((mean_file, w_avg))) => {
                let truncation = Truncation::new(entry.psi, entry.layers)
                    .map_err(LoadError::entry(&file, "truncation"))?;
                let (found, expected) = (w_avg.len(), shape.w_dim);
                if found != expected {
                    return Err(LoadError::RowLength {
                        file: mean_file,
                        found,
                        expected,
                    });
                }
                let probe = LatentCode::from_row(LatentSpace::W, w_avg.clone());
                probe
                    .and_then(|w| truncation.apply(&w, &w_avg, layers(shape)))
                    .map_err(LoadError::entry(&file, "truncation"))?;
                Some(Mean { w_avg, truncation })
            }
            _ => None,
        };
        let spread = match encoder_errors {
            Some((file, covariance)) => spread(file, &covariance, shape.w_dim)?,
            None => Whitening::default(),
        };
        for (file, boundary) in &boundaries {
            check(file, boundary, shape)?;
        }
        let boundaries: Vec<_> = boundaries
            .into_iter()
            .map(|(_, boundary)| Arc::new(boundary))
            .collect();
        let shipped = boundaries
            .iter()
            .map(|boundary| (boundary.attribute().to_owned(), boundary.space()));
        Ok(Self {
            name: manifest.name,
            description: manifest.description,
            license: manifest.license,
            digest: digest_with(&files, &boundaries),
            files,
            generator_digest,
            scorers,
            shipped: shipped.collect(),
            image_range,
            rescale_z: manifest.generator.rescale_z,
            mean,
            outputs: manifest
                .classifiers
                .into_iter()
                .flat_map(|classifier| classifier.outputs)
                .collect(),
            encoder: manifest.encoder,
            spread: Arc::new(spread),
            alignment: Alignment {
                side: manifest.alignment.side,
                down: manifest.alignment.down,
            },
            gradient: manifest.gradient,
            boundaries,
            engine,
        })
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the manifest says of it.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// SPDX expression of its licence.
    #[must_use]
    pub fn license(&self) -> Option<&str> {
        self.license.as_deref()
    }

    /// SHA-256 of its files and its boundaries, in hexadecimal: equal ones draw and edit alike.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// SHA-256 of the generator's graphs, in hexadecimal: boundaries of one generator are boundaries of its equals.
    #[must_use]
    pub fn generator_digest(&self) -> &str {
        &self.generator_digest
    }

    /// The classifier's file of each output, and its SHA-256, as far as they are known.
    #[must_use]
    pub fn scorers(&self) -> &[(String, String)] {
        &self.scorers
    }

    /// Whether the model folder has a boundary of `attribute` in `space`.
    pub(crate) fn came_with(&self, attribute: &str, space: LatentSpace) -> bool {
        let same = |(own, own_space): &(String, LatentSpace)| own == attribute && *own_space == space;
        self.shipped.iter().any(same)
    }

    /// The same model with other boundaries, which are known to fit.
    pub(crate) fn with_boundaries(&self, boundaries: Vec<Arc<Boundary>>) -> Self {
        Self {
            digest: digest_with(&self.files, &boundaries),
            boundaries,
            ..self.clone()
        }
    }

    /// The generator's spaces and sizes.
    #[must_use]
    pub fn shape(&self) -> &GeneratorShape {
        self.engine.shape()
    }

    /// The classifiers' outputs, side by side.
    #[must_use]
    pub fn outputs(&self) -> &[OutputEntry] {
        &self.outputs
    }

    /// The boundaries.
    #[must_use]
    pub fn boundaries(&self) -> &[Arc<Boundary>] {
        &self.boundaries
    }

    /// The truncation that a request gets unless it names another; `None` where the model cannot truncate.
    #[must_use]
    pub fn default_truncation(&self) -> Option<Truncation> {
        self.mean.as_ref().map(|mean| mean.truncation)
    }

    /// The space that edits happen in unless a request names another: the least entangled that has boundaries.
    #[must_use]
    pub fn default_space(&self) -> LatentSpace {
        let has = |space| self.boundaries.iter().any(|boundary| boundary.space() == space);
        let spaces = [LatentSpace::W, LatentSpace::Z, LatentSpace::WPlus];
        let bare = if self.shape().has_mapping() {
            LatentSpace::W
        } else {
            LatentSpace::Z
        };
        spaces.into_iter().find(|&space| has(space)).unwrap_or(bare)
    }

    /// Where the model's pictures have the face.
    #[must_use]
    pub fn alignment(&self) -> Alignment {
        self.alignment
    }

    /// The space of the encoder's codes; where there is none, the one that a descent begins in.
    pub(crate) fn encoder_space(&self) -> LatentSpace {
        let entry = self.encoder.as_ref();
        entry.map_or_else(|| self.mean_code().space(), |entry| entry.space)
    }

    /// The mean w code, where the encoder leaves it to others to add it.
    pub(crate) fn added_to_encoded(&self) -> Option<&[f32]> {
        let entry = self.encoder.as_ref().filter(|entry| !entry.adds_w_avg)?;
        let mean = self.mean.as_ref().filter(|_| entry.space != LatentSpace::Z)?;
        Some(&mean.w_avg)
    }

    /// The code that a descent begins with where nothing better is known: the mean, as far as it is known.
    pub(crate) fn mean_code(&self) -> LatentCode {
        let space = if self.shape().has_mapping() {
            LatentSpace::W
        } else {
            LatentSpace::Z
        };
        let values = match &self.mean {
            Some(mean) => mean.w_avg.clone(),
            None => vec![0.0; self.shape().w_dim],
        };
        LatentCode::from_row(space, values).expect("a mean code is finite, and was checked when it was read")
    }

    /// Rows of a w+ code.
    pub(crate) fn layers(&self) -> usize {
        layers(self.shape())
    }

    /// The learning rate and the pull of a descent.
    pub(crate) fn descent_rates(&self) -> (f64, f64) {
        let entry = self.gradient.as_ref();
        entry.map_or((0.1, 0.0), |entry| (entry.rate, entry.pull))
    }

    /// Rows and columns of a code in `space`.
    pub(crate) fn code_shape(&self, space: LatentSpace) -> Result<(usize, usize), EditorError> {
        let shape = self.shape().code_shape(space);
        shape.ok_or_else(|| self.no_such_space(space))
    }

    pub(crate) fn no_such_space(&self, found: LatentSpace) -> EditorError {
        let known = self
            .shape()
            .spaces()
            .into_iter()
            .map(|(space, _)| space)
            .collect();
        EditorError::NoSuchSpace {
            model: self.name.clone(),
            found,
            known,
        }
    }
}

/// Rows of a w+ code; 1 where there is no w+.
fn layers(shape: &GeneratorShape) -> usize {
    match shape.synthesis {
        SynthesisInput::WPlus { layers } => layers,
        SynthesisInput::Z | SynthesisInput::W => 1,
    }
}

/// The spread of an encoder's errors, if it fits rows of `expected` numbers.
fn spread(file: String, covariance: &Array2<f64>, expected: usize) -> Result<Whitening, LoadError> {
    let spread = Whitening::of(covariance.view()).map_err(LoadError::entry(&file, "encoder.errors"))?;
    match covariance.ncols() {
        found if found == expected => Ok(spread),
        found => Err(LoadError::RowLength {
            file,
            found,
            expected,
        }),
    }
}

/// Refuses a boundary that does not fit the generator.
fn check(file: &str, boundary: &Boundary, shape: &GeneratorShape) -> Result<(), LoadError> {
    let (file, space) = (file.to_owned(), boundary.space());
    let found = boundary.normal().dim();
    match shape.code_shape(space) {
        Some(expected) if expected == found => Ok(()),
        Some(expected) => Err(LoadError::BoundaryShape {
            file,
            space,
            found,
            expected,
        }),
        None => Err(LoadError::BoundarySpace {
            file,
            found: space,
            known: shape.spaces().into_iter().map(|(space, _)| space).collect(),
        }),
    }
}
