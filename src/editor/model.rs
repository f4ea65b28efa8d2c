//! A loaded model: its networks, its boundaries, and how a face becomes a code in the space asked for.

use std::sync::Arc;

use ndarray::{Array2, Axis, concatenate};

use super::boundaries::digest_with;
use super::{EditorError, FaceSource, LoadError, TruncationChoice};
use crate::catalog::{ClassifierPackage, EncoderEntry, GradientEntry, ModelPackage, OutputEntry};
use crate::engine::{Admission, Engine, GeneratorShape, SynthesisInput};
use crate::imaging::{Alignment, ImageRange};
use crate::latent::{Boundary, LatentCode, LatentSpace, Truncation, sample_z};

/// Largest magnitude of a value in a code that a caller gives, and of an amount to move by or to. Sampled codes lie
/// within about ±5, so this catches slips and still leaves room for any honest experiment.
pub(super) const FARTHEST: f64 = 1000.0;

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
    pub(super) engine: Engine,
    pub(super) image_range: ImageRange,
    pub(super) rescale_z: bool,
    mean: Option<Mean>,
    outputs: Vec<OutputEntry>,
    /// For each output the classifier's file and its digest.
    scorers: Vec<(String, String)>,
    /// Attributes and spaces of the boundaries that the model folder has.
    shipped: Arc<[(String, LatentSpace)]>,
    boundaries: Vec<Arc<Boundary>>,
    encoder: Option<EncoderEntry>,
    alignment: Alignment,
    gradient: Option<GradientEntry>,
}

/// The mean w code, and the truncation that a request gets unless it names another.
#[derive(Clone)]
struct Mean {
    w_avg: Vec<f32>,
    truncation: Truncation,
}

impl Model {
    /// Puts a package and its networks together.
    ///
    /// # Errors
    /// [`LoadError`] where a boundary, the mean code or the manifest does not fit the generator.
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
                    return Err(LoadError::MeanLength {
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
        for (file, boundary) in &boundaries {
            let space = boundary.space();
            let found = boundary.normal().dim();
            match shape.code_shape(space) {
                Some(expected) if expected == found => {}
                Some(expected) => {
                    return Err(LoadError::BoundaryShape {
                        file: file.clone(),
                        space,
                        found,
                        expected,
                    });
                }
                None => {
                    let known = shape.spaces().into_iter().map(|(space, _)| space).collect();
                    return Err(LoadError::BoundarySpace {
                        file: file.clone(),
                        found: space,
                        known,
                    });
                }
            }
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
    pub(super) fn came_with(&self, attribute: &str, space: LatentSpace) -> bool {
        let same = |(own, own_space): &(String, LatentSpace)| own == attribute && *own_space == space;
        self.shipped.iter().any(same)
    }

    /// The same model with other boundaries, which are known to fit.
    pub(super) fn with_boundaries(&self, boundaries: Vec<Arc<Boundary>>) -> Self {
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
    pub(super) fn encoder_space(&self) -> LatentSpace {
        let entry = self.encoder.as_ref();
        entry.map_or_else(|| self.mean_code().space(), |entry| entry.space)
    }

    /// The mean w code, where the encoder leaves it to others to add it.
    pub(super) fn added_to_encoded(&self) -> Option<&[f32]> {
        let entry = self.encoder.as_ref().filter(|entry| !entry.adds_w_avg)?;
        let mean = self.mean.as_ref().filter(|_| entry.space != LatentSpace::Z)?;
        Some(&mean.w_avg)
    }

    /// The code that a descent begins with where nothing better is known: the mean, as far as it is known.
    pub(super) fn mean_code(&self) -> LatentCode {
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
    pub(super) fn layers(&self) -> usize {
        layers(self.shape())
    }

    /// The learning rate and the pull of a descent.
    pub(super) fn descent_rates(&self) -> (f64, f64) {
        let entry = self.gradient.as_ref();
        entry.map_or((0.1, 0.0), |entry| (entry.rate, entry.pull))
    }

    /// Fills a request's truncation in from the manifest.
    pub(super) fn truncation(&self, choice: TruncationChoice) -> Result<Option<Truncation>, EditorError> {
        let Some(mean) = &self.mean else {
            return match choice {
                TruncationChoice {
                    psi: None,
                    layers: None,
                } => Ok(None),
                _ => Err(EditorError::NoTruncation {
                    model: self.name.clone(),
                }),
            };
        };
        let psi = choice.psi.unwrap_or(mean.truncation.psi());
        let truncation = Truncation::new(psi, choice.layers.or(mean.truncation.layers()))?;
        // Wrong layers are an error even where nothing is mapped with them.
        let w_avg = LatentCode::from_row(LatentSpace::W, mean.w_avg.clone())?;
        truncation.apply(&w_avg, &mean.w_avg, layers(self.shape()))?;
        Ok(Some(truncation))
    }

    /// The codes of faces in `space`; `None` leaves a code in its own and takes a seed to the default space.
    pub(super) async fn codes(
        &self,
        admission: &mut Admission,
        sources: &[FaceSource],
        space: Option<LatentSpace>,
        choice: TruncationChoice,
    ) -> Result<Vec<LatentCode>, EditorError> {
        let truncation = self.truncation(choice)?;
        let start = |source| self.start(source, space, choice);
        let started: Vec<(LatentCode, LatentSpace)> = sources.iter().map(start).collect::<Result<_, _>>()?;
        let to_map = |(code, wanted): &(LatentCode, LatentSpace)| {
            code.space() == LatentSpace::Z && *wanted != code.space()
        };
        let z: Vec<LatentCode> = started
            .iter()
            .filter(|pair| to_map(pair))
            .map(|(code, _)| code.clone())
            .collect();
        let mut mapped = self.map(admission, &z, truncation).await?.into_iter();
        let finish = |pair: (LatentCode, LatentSpace)| {
            let mapped =
                to_map(&pair).then(|| mapped.next().expect("every z code that asks for it is mapped"));
            let (code, wanted) = (mapped.unwrap_or(pair.0), pair.1);
            if wanted == LatentSpace::WPlus {
                Ok(code.broadcast(layers(self.shape()))?)
            } else {
                Ok(code)
            }
        };
        started.into_iter().map(finish).collect()
    }

    /// A source's own code, checked, and the space that it is wanted in.
    fn start(
        &self,
        source: &FaceSource,
        space: Option<LatentSpace>,
        choice: TruncationChoice,
    ) -> Result<(LatentCode, LatentSpace), EditorError> {
        let (code, wanted) = match source {
            FaceSource::Seed(seed) => {
                let z = sample_z(*seed, self.shape().z_dim, self.rescale_z)?;
                (z, space.unwrap_or_else(|| self.default_space()))
            }
            FaceSource::Latent(code) => {
                self.check(code)?;
                if code.space() != LatentSpace::Z && choice != TruncationChoice::default() {
                    return Err(EditorError::TruncatedLater { found: code.space() });
                }
                (code.clone(), space.unwrap_or(code.space()))
            }
        };
        if self.shape().code_shape(wanted).is_none() {
            return Err(self.no_such_space(wanted));
        }
        // The spaces are ordered as codes pass through them: z, w, w+.
        if code.space() > wanted {
            return Err(EditorError::NoWayBack {
                found: code.space(),
                wanted,
            });
        }
        Ok((code, wanted))
    }

    /// Maps z codes to w (or w+, where only the first layers are truncated).
    pub(super) async fn map(
        &self,
        admission: &mut Admission,
        codes: &[LatentCode],
        truncation: Option<Truncation>,
    ) -> Result<Vec<LatentCode>, EditorError> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = codes.iter().map(|code| code.values().view()).collect();
        let z: Array2<f32> = concatenate(Axis(0), &rows).expect("z codes have one length");
        let mapped = admission.map(z).await?;
        let truncate = |row: ndarray::ArrayView1<'_, f32>| {
            let w = LatentCode::from_row(LatentSpace::W, row.to_vec())?;
            match (&self.mean, truncation) {
                (Some(mean), Some(truncation)) => truncation.apply(&w, &mean.w_avg, layers(self.shape())),
                _ => Ok(w),
            }
        };
        Ok(mapped.outer_iter().map(truncate).collect::<Result<_, _>>()?)
    }

    /// Refuses a caller's code that does not fit.
    fn check(&self, code: &LatentCode) -> Result<(), EditorError> {
        let space = code.space();
        let expected = self
            .shape()
            .code_shape(space)
            .ok_or_else(|| self.no_such_space(space))?;
        let found = code.values().dim();
        if found != expected {
            return Err(EditorError::CodeShape {
                model: self.name.clone(),
                space,
                found,
                expected,
            });
        }
        match code
            .values()
            .iter()
            .find(|value| f64::from(value.abs()) > FARTHEST)
        {
            None => Ok(()),
            Some(&value) => Err(EditorError::OutOfRange {
                what: format!("a value of the {space} code"),
                found: f64::from(value),
                limit: FARTHEST,
            }),
        }
    }

    pub(super) fn no_such_space(&self, found: LatentSpace) -> EditorError {
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
