//! All files of a model, read and checked as far as that needs no ONNX Runtime.

use std::borrow::Cow;

use ndarray::Array2;
use sha2::{Digest, Sha256};

use crate::catalog::boundary_folder::read_boundaries;
use crate::catalog::model_folder::MANIFEST;
use crate::catalog::{
    CatalogError, ClassifierEntry, FeatureNetwork, GradientEntry, GradientSource, Graph, InputEntry,
    Manifest, ModelFolder, NpyArray,
};
use crate::checkpoint::hexadecimal;
use crate::latent::{Boundary, LatentSpace};

/// A classifier's manifest entry and its graph.
#[derive(Clone, Debug)]
pub struct ClassifierFiles {
    /// Its entry in the manifest.
    pub entry: ClassifierEntry,
    /// Its graph.
    pub graph: Graph,
}

/// All files of a model folder.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// The folder.
    pub folder: ModelFolder,
    /// Name of the manifest in errors.
    pub manifest_file: String,
    /// The manifest.
    pub manifest: Manifest,
    /// The mapping graph, if the model has one.
    pub mapping: Option<Graph>,
    /// The synthesis graph.
    pub synthesis: Graph,
    /// The average w code and its file, if the manifest names one.
    pub w_avg: Option<(String, Vec<f32>)>,
    /// The classifiers, in the order of the manifest.
    pub classifiers: Vec<ClassifierFiles>,
    /// The encoder, if the model has one.
    pub encoder: Option<Graph>,
    /// The covariance of the encoder's errors and its file, if the manifest names one.
    pub encoder_errors: Option<(String, Array2<f64>)>,
    /// The landmark graph, if the model has one.
    pub landmarks: Option<Graph>,
    /// The identity graph, if the model has one.
    pub identity: Option<Graph>,
    /// Where the gradient graph comes from, if the model has one.
    pub gradient: Option<GradientSource>,
    /// The boundaries, each with its file, sorted by file.
    pub boundaries: Vec<(String, Boundary)>,
    /// SHA-256 over all files except the boundaries, in hexadecimal. Models with equal digests give equal images.
    pub digest: String,
}

impl ModelFiles {
    /// Reads a model folder.
    ///
    /// # Errors
    /// [`CatalogError`] for the first file that is missing or wrong.
    pub fn read(folder: &ModelFolder) -> Result<Self, CatalogError> {
        let mut reader = DigestReader {
            folder,
            digest: Sha256::new(),
        };
        let manifest_file = folder.name(MANIFEST);
        let manifest = reader.manifest(&manifest_file)?;
        let mapping = reader.optional_graph(manifest.generator.mapping.as_ref())?;
        let synthesis = reader.graph(&manifest.generator.synthesis)?;
        let mut classifiers = Vec::with_capacity(manifest.classifiers.len());
        for entry in &manifest.classifiers {
            classifiers.push(ClassifierFiles {
                entry: entry.clone(),
                graph: reader.graph(&entry.file)?,
            });
        }
        let encoder = reader.optional_graph(manifest.encoder.as_ref().map(|entry| &entry.file))?;
        let landmarks = reader.optional_graph(manifest.landmarks.as_ref().map(|entry| &entry.file))?;
        let identity = reader.optional_graph(manifest.identity.as_ref().map(|entry| &entry.file))?;
        let gradient = match &manifest.gradient {
            Some(GradientEntry { file: Some(file), .. }) => Some(GradientSource::Stored(reader.graph(file)?)),
            Some(entry) => {
                let network = |file: &String, graph: &Graph, input: &InputEntry| {
                    let (graph, input) = (graph.clone(), input.clone());
                    (file.clone(), FeatureNetwork { graph, input })
                };
                let encoders = encoder.iter().zip(&manifest.encoder);
                let encoders = encoders.map(|(graph, entry)| network(&entry.file, graph, &entry.input));
                let scorers = classifiers.iter();
                let scorers =
                    scorers.map(|files| network(&files.entry.file, &files.graph, &files.entry.input));
                let identities = identity.iter().zip(&manifest.identity);
                let identities = identities.map(|(graph, entry)| network(&entry.file, graph, &entry.input));
                let networks = encoders.chain(scorers).chain(identities).collect();
                Some(GradientSource::derived(entry, networks, &manifest_file)?)
            }
            None => None,
        };
        let w_avg = match &manifest.truncation {
            Some(truncation) => Some(read_w_avg(
                &folder.name(&truncation.w_avg),
                &reader.read(&truncation.w_avg)?,
            )?),
            None => None,
        };
        let encoder_errors = match manifest.encoder.as_ref().and_then(|entry| entry.errors.as_ref()) {
            Some(file) => Some(read_matrix(&folder.name(file), &reader.read(file)?)?),
            None => None,
        };
        let boundaries = match &manifest.boundaries {
            Some(entry) => {
                let only_z = mapping.is_none().then_some(LatentSpace::Z);
                read_boundaries(folder, &entry.folder, only_z.or(entry.space))?
            }
            None => Vec::new(),
        };
        Ok(Self {
            folder: folder.clone(),
            manifest_file,
            mapping,
            synthesis,
            w_avg,
            classifiers,
            encoder,
            encoder_errors,
            landmarks,
            identity,
            gradient,
            boundaries,
            digest: hexadecimal(&reader.digest.finalize()),
            manifest,
        })
    }

    /// The name of the model in `folder`, as its manifest has it now.
    ///
    /// # Errors
    /// [`CatalogError`] if the manifest cannot be read or is wrong.
    pub fn name_in(folder: &ModelFolder) -> Result<String, CatalogError> {
        let manifest = Manifest::of_bytes(&folder.read(MANIFEST)?, &folder.name(MANIFEST))?;
        Ok(manifest.name)
    }

    /// SHA-256 over the graphs of the generator, in hexadecimal. If two generators have the same digest, codes and
    /// boundaries of one are valid for the other.
    #[must_use]
    pub fn generator_digest(&self) -> String {
        let mut digest = Sha256::new();
        for graph in self.mapping.iter().chain([&self.synthesis]) {
            graph.digest(&mut digest);
        }
        hexadecimal(&digest.finalize())
    }
}

impl ClassifierFiles {
    /// SHA-256 of the graph, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        self.graph.own_digest().to_owned()
    }
}

/// Reads files of a folder and takes the digest of all of them.
struct DigestReader<'a> {
    folder: &'a ModelFolder,
    digest: Sha256,
}

impl DigestReader<'_> {
    fn read(&mut self, file: &str) -> Result<Cow<'static, [u8]>, CatalogError> {
        let bytes = self.folder.read(file)?;
        self.add(file, &bytes);
        Ok(bytes)
    }

    fn add(&mut self, file: &str, bytes: &[u8]) {
        self.digest.update(file.as_bytes());
        self.digest.update(bytes.len().to_le_bytes());
        self.digest.update(bytes);
    }

    fn manifest(&mut self, name: &str) -> Result<Manifest, CatalogError> {
        Manifest::of_bytes(&self.read(MANIFEST)?, name)
    }

    fn graph(&mut self, file: &str) -> Result<Graph, CatalogError> {
        let graph = Graph::read(self.folder, file)?;
        self.add(file, &graph.bytes);
        for (name, weights) in &graph.weights {
            self.add(name, weights);
        }
        Ok(graph)
    }

    fn optional_graph(&mut self, file: Option<&String>) -> Result<Option<Graph>, CatalogError> {
        file.map(|file| self.graph(file)).transpose()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
fn read_w_avg(file: &str, bytes: &[u8]) -> Result<(String, Vec<f32>), CatalogError> {
    let array = read_array(file, bytes)?;
    Ok((
        file.to_owned(),
        array.values.into_iter().map(|value| value as f32).collect(),
    ))
}

fn read_matrix(file: &str, bytes: &[u8]) -> Result<(String, Array2<f64>), CatalogError> {
    let NpyArray { shape, values } = read_array(file, bytes)?;
    let matrix = <[usize; 2]>::try_from(shape.as_slice())
        .ok()
        .and_then(|shape| Array2::from_shape_vec(shape, values).ok());
    let matrix = matrix.ok_or_else(|| CatalogError::Entry {
        file: file.to_owned(),
        key: "the shape".to_owned(),
        found: format!("{shape:?}"),
        expected: "a matrix of two axes".to_owned(),
    })?;
    Ok((file.to_owned(), matrix))
}

/// Reads an array of finite numbers.
fn read_array(file: &str, bytes: &[u8]) -> Result<NpyArray, CatalogError> {
    let array = NpyArray::read(bytes).map_err(|reason| CatalogError::Array {
        file: file.to_owned(),
        reason: reason.into(),
    })?;
    match array.values.iter().find(|value| !value.is_finite()) {
        None => Ok(array),
        Some(found) => Err(CatalogError::Entry {
            file: file.to_owned(),
            key: "a value".to_owned(),
            found: found.to_string(),
            expected: "finite numbers".to_owned(),
        }),
    }
}
