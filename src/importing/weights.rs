//! The tensors of a network, read by name with their shapes checked.

use ndarray::{Array, ArrayD, Dimension};

use crate::checkpoint::Network;
use crate::importing::ImportError;

/// Reads the tensors of a network for an architecture. Errors name the network, the tensor and the architecture.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    network: &'a Network,
    architecture: &'static str,
}

impl<'a> Weights<'a> {
    /// The tensors of a network.
    #[must_use]
    pub fn new(network: &'a Network, architecture: &'static str) -> Self {
        Self {
            network,
            architecture,
        }
    }

    /// Whether the network has the tensor.
    #[must_use]
    pub fn has(&self, tensor: &str) -> bool {
        self.network.tensors.contains_key(tensor)
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    /// [`ImportError::MissingTensor`] if the network does not have it.
    pub fn shape(&self, tensor: &str) -> Result<&'a [usize], ImportError> {
        let stored = self.network.tensors.get(tensor);
        stored
            .map(|stored| stored.shape())
            .ok_or_else(|| self.missing(tensor))
    }

    /// A tensor of any shape.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have it, or if it cannot be read.
    pub fn any(&self, tensor: &str) -> Result<ArrayD<f32>, ImportError> {
        let stored = self.network.tensors.get(tensor);
        Ok(stored.ok_or_else(|| self.missing(tensor))?.read()?)
    }

    /// A tensor with a fixed number of axes.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have it, if it cannot be read, or if it has another number of axes.
    pub fn array<D: Dimension>(&self, tensor: &str) -> Result<Array<f32, D>, ImportError> {
        let array = self.any(tensor)?;
        let found = array.shape().to_vec();
        array.into_dimensionality::<D>().map_err(|_| ImportError::Shape {
            network: self.network.name.clone(),
            tensor: tensor.to_owned(),
            found,
            expected: D::NDIM.map_or_else(|| "any".to_owned(), |axes| format!("{axes} axes")),
        })
    }

    fn missing(&self, tensor: &str) -> ImportError {
        ImportError::MissingTensor {
            network: self.network.name.clone(),
            tensor: tensor.to_owned(),
            architecture: self.architecture,
        }
    }
}
