//! A model's files, read and parsed: everything that needs no network runtime to be checked.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use ndarray::Array2;
use sha2::{Digest, Sha256};

use crate::catalog::boundary_file::read_boundary;
use crate::catalog::{CatalogError, ClassifierEntry, Manifest, ModelFolder, NpyArray};
use crate::latent::Boundary;

/// The bytes of an ONNX file, and what errors call it. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Graph {
    /// How errors name the file.
    pub file: String,
    /// The file's bytes.
    pub bytes: Arc<Cow<'static, [u8]>>,
}

/// A classifier's entry and its graph.
#[derive(Clone, Debug)]
pub struct ClassifierPackage {
    /// What the manifest says of it.
    pub entry: ClassifierEntry,
    /// Its graph.
    pub graph: Graph,
}

/// A model folder, read whole.
#[derive(Clone, Debug)]
pub struct ModelPackage {
    /// How errors name the manifest.
    pub manifest_file: String,
    /// The manifest.
    pub manifest: Manifest,
    /// The mapping graph, if the model has one.
    pub mapping: Option<Graph>,
    /// The synthesis graph.
    pub synthesis: Graph,
    /// The mean w code and its file, if the manifest names one.
    pub w_avg: Option<(String, Vec<f32>)>,
    /// The classifiers, in the manifest's order.
    pub classifiers: Vec<ClassifierPackage>,
    /// The encoder, if the model has one.
    pub encoder: Option<Graph>,
    /// The covariance of its errors and the file, if the manifest names one.
    pub encoder_errors: Option<(String, Array2<f64>)>,
    /// The landmark graph, if the model has one.
    pub landmarks: Option<Graph>,
    /// The identity graph, if the model has one.
    pub identity: Option<Graph>,
    /// The gradient graph, if the model has one.
    pub gradient: Option<Graph>,
    /// The boundaries, each with its file, sorted by file.
    pub boundaries: Vec<(String, Boundary)>,
    /// SHA-256 over all files but the boundaries', in hexadecimal: equal digests draw equal faces.
    pub digest: String,
}

impl ModelPackage {
    /// Reads a model folder.
    ///
    /// # Errors
    /// [`CatalogError`], naming the first file that is wrong.
    pub fn read(folder: &ModelFolder) -> Result<Self, CatalogError> {
        let mut digest = Sha256::new();
        let mut read = |file: &str| {
            let bytes = folder.read(file)?;
            digest.update(file.as_bytes());
            digest.update(bytes.len().to_le_bytes());
            digest.update(&bytes);
            Ok::<_, CatalogError>(bytes)
        };
        let manifest_file = folder.name("manifest.toml");
        let text = read("manifest.toml")?;
        let text = std::str::from_utf8(&text).map_err(|error| CatalogError::Manifest {
            file: manifest_file.clone(),
            reason: format!("not UTF-8: {error}"),
        })?;
        let manifest = Manifest::parse(text, &manifest_file)?;
        let mut graph = |file: &str| {
            Ok::<_, CatalogError>(Graph {
                file: folder.name(file),
                bytes: Arc::new(read(file)?),
            })
        };
        let mapping = manifest
            .generator
            .mapping
            .as_deref()
            .map(&mut graph)
            .transpose()?;
        let synthesis = graph(&manifest.generator.synthesis)?;
        let classifiers = manifest
            .classifiers
            .iter()
            .map(|entry| {
                Ok(ClassifierPackage {
                    entry: entry.clone(),
                    graph: graph(&entry.file)?,
                })
            })
            .collect::<Result<_, CatalogError>>()?;
        let encoder = manifest.encoder.as_ref();
        let encoder = encoder.map(|entry| graph(&entry.file)).transpose()?;
        let landmarks = manifest.landmarks.as_ref();
        let landmarks = landmarks.map(|entry| graph(&entry.file)).transpose()?;
        let identity = manifest.identity.as_ref();
        let identity = identity.map(|entry| graph(&entry.file)).transpose()?;
        let gradient = manifest.gradient.as_ref();
        let gradient = gradient.map(|entry| graph(&entry.file)).transpose()?;
        let w_avg = manifest
            .truncation
            .as_ref()
            .map(|truncation| read_w_avg(&folder.name(&truncation.w_avg), &read(&truncation.w_avg)?))
            .transpose()?;
        let errors = manifest.encoder.as_ref().and_then(|entry| entry.errors.as_ref());
        let encoder_errors = errors
            .map(|file| read_matrix(&folder.name(file), &read(file)?))
            .transpose()?;
        let mut boundaries: Vec<(String, Boundary)> = Vec::new();
        if let Some(entry) = &manifest.boundaries {
            for file in folder.list(&entry.folder, "npy")? {
                let boundary = read_boundary(folder, &file)?;
                refuse_twin(&boundaries, &folder.name(&file), &boundary)?;
                boundaries.push((folder.name(&file), boundary));
            }
        }
        let digest = hexadecimal(&digest.finalize());
        Ok(Self {
            manifest_file,
            manifest,
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
            digest,
        })
    }

    /// SHA-256 over the generator's graphs, in hexadecimal: codes of equal ones mean the same, and so do boundaries.
    #[must_use]
    pub fn generator_digest(&self) -> String {
        let mut digest = Sha256::new();
        for graph in self.mapping.iter().chain([&self.synthesis]) {
            digest.update(graph.bytes.len().to_le_bytes());
            digest.update(&**graph.bytes);
        }
        hexadecimal(&digest.finalize())
    }
}

impl ClassifierPackage {
    /// SHA-256 of its graph, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        hexadecimal(&Sha256::digest(&**self.graph.bytes))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        hex
    })
}

#[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
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
        expected: "a matrix, of two axes".to_owned(),
    })?;
    Ok((file.to_owned(), matrix))
}

/// An array of finite numbers.
fn read_array(file: &str, bytes: &[u8]) -> Result<NpyArray, CatalogError> {
    let array = NpyArray::read(bytes).map_err(|reason| CatalogError::Npy {
        file: file.to_owned(),
        reason,
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

fn refuse_twin(
    boundaries: &[(String, Boundary)],
    file: &str,
    boundary: &Boundary,
) -> Result<(), CatalogError> {
    let same =
        |other: &Boundary| other.attribute() == boundary.attribute() && other.space() == boundary.space();
    match boundaries.iter().find(|(_, other)| same(other)) {
        None => Ok(()),
        Some((first, _)) => Err(CatalogError::TwiceABoundary {
            file: file.to_owned(),
            first: first.clone(),
            attribute: boundary.attribute().to_owned(),
            space: boundary.space(),
        }),
    }
}
