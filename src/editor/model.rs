//! A loaded model: its networks, its boundaries, and the settings in its manifest.

use std::sync::Arc;

use ndarray::Array2;

use crate::catalog::{EncoderEntry, GradientEntry, GraphSource, ModelFiles, ModelFolder, OutputEntry};
use crate::editor::boundary_set::BoundarySet;
use crate::editor::classifiers::Classifiers;
use crate::editor::generator_settings::{GeneratorSettings, generator_settings};
use crate::editor::{EditorError, LoadError, StyleError};
use crate::engine::{self, Engine, EngineOptions, GeneratorShape, Runtime};
use crate::imaging::Alignment;
use crate::latent::{Boundary, LatentCode, LatentSpace, Truncation, Whitening};
use crate::metrics::Metrics;

/// A loaded model.
///
/// A model never changes. A changed set of boundaries makes another model that shares the same networks.
#[derive(Clone)]
pub struct Model {
    name: Arc<str>,
    description: String,
    license: Option<String>,
    /// SHA-256 of its files without the boundaries.
    files_digest: String,
    digest: String,
    generator_digest: String,
    engine: Engine,
    generator: GeneratorSettings,
    classifiers: Classifiers,
    boundaries: BoundarySet,
    inversion: InversionSettings,
    /// Where the synthesis graph is, if the model came from a folder.
    synthesis_source: Option<GraphSource>,
}

/// What the manifest says about inversion.
#[derive(Clone)]
pub(crate) struct InversionSettings {
    pub(crate) encoder: Option<EncoderEntry>,
    /// The covariance of the encoder's errors, as a scale for the optimizer's steps.
    pub(crate) encoder_errors: Arc<Whitening>,
    /// Where the model's images have the face.
    pub(crate) alignment: Alignment,
    pub(crate) gradient: Option<GradientEntry>,
}

impl Model {
    /// Loads a model folder: reads its files, opens its graphs, checks them against each other, and starts the networks
    /// as `options` says.
    ///
    /// # Errors
    /// [`LoadError`] for the first file that is wrong.
    pub fn load(
        folder: &ModelFolder,
        runtime: &Runtime,
        options: EngineOptions,
        metrics: &Metrics,
    ) -> Result<Self, LoadError> {
        let files = ModelFiles::read(folder)?;
        let engine = engine::open(runtime, &files, options, metrics)?;
        of_folder(files, engine)
    }

    /// Combines a model's files and its networks.
    ///
    /// # Errors
    /// [`LoadError`] if a boundary, the mean code, the covariance of the encoder's errors or the manifest does not fit the
    /// generator.
    pub fn new(files: ModelFiles, engine: Engine) -> Result<Self, LoadError> {
        let generator_digest = files.generator_digest();
        let ModelFiles {
            manifest_file: file,
            manifest,
            w_avg,
            classifiers: classifier_packages,
            encoder_errors,
            boundaries,
            digest: files_digest,
            ..
        } = files;
        let shape = engine.shape();
        let generator = generator_settings(&file, &manifest, w_avg, shape)?;
        let encoder_errors = match encoder_errors {
            Some((file, covariance)) => whitening(file, &covariance, shape.w_dim)?,
            None => Whitening::default(),
        };
        for (file, boundary) in &boundaries {
            check_boundary(file, boundary, shape)?;
        }
        let outputs = manifest.scored().into_iter().cloned().collect();
        let name: Arc<str> = manifest.name.into();
        let boundaries = boundaries.into_iter().map(|(_, boundary)| boundary);
        let boundaries = BoundarySet::shipped(Arc::clone(&name), boundaries);
        Ok(Self {
            description: manifest.description,
            license: manifest.license,
            digest: boundaries.digest(&files_digest),
            files_digest,
            generator_digest,
            engine,
            generator,
            classifiers: Classifiers::new(Arc::clone(&name), outputs, &classifier_packages),
            boundaries,
            inversion: InversionSettings {
                encoder: manifest.encoder,
                encoder_errors: Arc::new(encoder_errors),
                alignment: Alignment {
                    side: manifest.alignment.side,
                    down: manifest.alignment.down,
                },
                gradient: manifest.gradient,
            },
            synthesis_source: None,
            name,
        })
    }

    /// Where the synthesis graph is, if the model came from a folder.
    pub(crate) fn synthesis_source(&self) -> Option<&GraphSource> {
        self.synthesis_source.as_ref()
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The manifest's description of the model.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// SPDX expression of the model's licence.
    #[must_use]
    pub fn license(&self) -> Option<&str> {
        self.license.as_deref()
    }

    /// SHA-256 of the model's files and boundaries, in hexadecimal. Models with equal digests synthesize and edit alike.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// SHA-256 of the model's files without its boundaries, in hexadecimal. Models with equal ones invert alike.
    pub(crate) fn files_digest(&self) -> &str {
        &self.files_digest
    }

    /// SHA-256 of the generator's graphs, in hexadecimal. Models with equal generator digests can share boundaries.
    #[must_use]
    pub fn generator_digest(&self) -> &str {
        &self.generator_digest
    }

    /// The networks.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The generator's spaces and sizes.
    #[must_use]
    pub fn shape(&self) -> &GeneratorShape {
        self.engine.shape()
    }

    /// What is known of the generator's codes and images.
    pub(crate) fn generator(&self) -> &GeneratorSettings {
        &self.generator
    }

    /// The classifiers.
    pub(crate) fn classifiers(&self) -> &Classifiers {
        &self.classifiers
    }

    /// The classifiers' outputs, side by side.
    #[must_use]
    pub fn outputs(&self) -> &[OutputEntry] {
        self.classifiers.outputs()
    }

    /// The boundaries.
    #[must_use]
    pub fn boundaries(&self) -> &BoundarySet {
        &self.boundaries
    }

    /// What the manifest says about inversion.
    pub(crate) fn inversion(&self) -> &InversionSettings {
        &self.inversion
    }

    /// Where the model's images have the face.
    #[must_use]
    pub fn alignment(&self) -> Alignment {
        self.inversion.alignment
    }

    /// The truncation for requests that do not name one; `None` if the model cannot truncate.
    #[must_use]
    pub fn default_truncation(&self) -> Option<Truncation> {
        self.generator.mean.as_ref().map(|mean| mean.truncation)
    }

    /// The space of edits for requests that do not name one: the least entangled space that has boundaries.
    #[must_use]
    pub fn default_space(&self) -> LatentSpace {
        let has_boundaries = |&space: &LatentSpace| self.boundaries.iter().any(|one| one.space() == space);
        let spaces = [LatentSpace::W, LatentSpace::Z, LatentSpace::WPlus];
        let found = spaces.into_iter().find(has_boundaries);
        found.unwrap_or_else(|| self.shape().synthesis_space())
    }

    /// The mean w code, or the origin if the mean is not known. Optimization starts there if nothing better is known.
    pub(crate) fn mean_code(&self) -> LatentCode {
        let values = match &self.generator.mean {
            Some(mean) => mean.w_avg.to_vec(),
            None => vec![0.0; self.shape().w_dim],
        };
        LatentCode::from_row(self.shape().synthesis_space(), values)
            .expect("the mean code was checked when the model was loaded")
    }

    /// Rows and columns of a code in `space`.
    ///
    /// # Errors
    /// [`EditorError::NoSuchSpace`] if the generator has no such space.
    pub(crate) fn code_shape(&self, space: LatentSpace) -> Result<(usize, usize), EditorError> {
        if let (LatentSpace::S, Err(reason)) = (space, &self.shape().styles) {
            let (model, reason) = (self.name().to_owned(), reason.clone());
            return Err(StyleError::None { model, reason }.into());
        }
        let shape = self.shape().code_shape(space);
        shape.ok_or_else(|| EditorError::NoSuchSpace {
            model: self.name().to_owned(),
            found: space,
            known: spaces(self.shape()),
        })
    }

    /// Checks that a boundary is this generator's and has the shape of its codes.
    ///
    /// # Errors
    /// [`EditorError::ForeignBoundary`], [`EditorError::NoSuchSpace`] or [`EditorError::BoundaryShape`].
    pub(crate) fn check_boundary(&self, boundary: &Boundary) -> Result<(), EditorError> {
        let origin = boundary.provenance().model.as_deref();
        if let Some(found) = origin.filter(|&origin| origin != self.generator_digest()) {
            return Err(EditorError::ForeignBoundary {
                model: self.name().to_owned(),
                found: found.to_owned(),
                expected: self.generator_digest().to_owned(),
            });
        }
        self.check_boundary_shape(boundary.space(), boundary.normal().dim())
    }

    /// Checks that a normal in `space` has the shape of this generator's codes.
    ///
    /// # Errors
    /// [`EditorError::NoSuchSpace`] or [`EditorError::BoundaryShape`].
    pub(crate) fn check_boundary_shape(
        &self,
        space: LatentSpace,
        found: (usize, usize),
    ) -> Result<(), EditorError> {
        let expected = self.code_shape(space)?;
        if found == expected {
            return Ok(());
        }
        Err(EditorError::BoundaryShape {
            model: self.name().to_owned(),
            space,
            found,
            expected,
        })
    }

    /// The spaces that a sample has codes in: z, and w if the generator has a mapping.
    pub(crate) fn sampled_spaces(&self) -> Vec<LatentSpace> {
        let mut spaces = vec![LatentSpace::Z, self.shape().synthesis_space()];
        spaces.dedup();
        spaces
    }

    /// The same model with other boundaries.
    pub(crate) fn with_boundaries(&self, boundaries: BoundarySet) -> Self {
        Self {
            digest: boundaries.digest(&self.files_digest),
            boundaries,
            ..self.clone()
        }
    }
}

/// Combines the files of a model folder and its networks, as [`Model::new`] does.
pub(crate) fn of_folder(files: ModelFiles, engine: Engine) -> Result<Model, LoadError> {
    let file = &files.manifest.generator.synthesis;
    let source = GraphSource::new(&files.folder, file, &files.synthesis);
    Ok(Model {
        synthesis_source: Some(source),
        ..Model::new(files, engine)?
    })
}

fn spaces(shape: &GeneratorShape) -> Vec<LatentSpace> {
    shape.spaces().into_iter().map(|(space, _)| space).collect()
}

/// The scale of the optimizer's steps from the covariance of the encoder's errors; `expected` is the length of its rows.
fn whitening(file: String, covariance: &Array2<f64>, expected: usize) -> Result<Whitening, LoadError> {
    let whitening = Whitening::of(covariance.view()).map_err(LoadError::entry(&file, "encoder.errors"))?;
    match covariance.ncols() {
        found if found == expected => Ok(whitening),
        found => Err(LoadError::RowLength {
            file,
            found,
            expected,
        }),
    }
}

/// Checks that a boundary of the model folder fits the generator.
fn check_boundary(file: &str, boundary: &Boundary, shape: &GeneratorShape) -> Result<(), LoadError> {
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
            known: spaces(shape),
        }),
    }
}
