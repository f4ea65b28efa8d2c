//! The tensors of a network, read by name with their shapes checked.

use std::collections::BTreeSet;

use ndarray::{Array, ArrayD, Axis, Dimension, IntoDimension};

use crate::checkpoint::Network;
use crate::importing::ImportError;

/// Reads the tensors of a network for an architecture. Errors name the network, the tensor and the architecture.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    network: &'a Network,
    architecture: &'static str,
    prefix: &'static str,
}

impl<'a> Weights<'a> {
    /// The tensors of a network.
    #[must_use]
    pub fn new(network: &'a Network, architecture: &'static str) -> Self {
        Self {
            network,
            architecture,
            prefix: "",
        }
    }

    /// The tensors with names that begin with `prefix`. They are read by the rest of their names.
    #[must_use]
    pub fn within(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// The network's name in the file, for a reader. A state dict that is the whole file has none.
    #[must_use]
    pub fn network(&self) -> &'a str {
        if self.network.name.is_empty() {
            "the state dict"
        } else {
            &self.network.name
        }
    }

    /// Whether the network has the tensor.
    #[must_use]
    pub fn has(&self, tensor: &str) -> bool {
        self.network.tensors.contains_key(&self.full_name(tensor))
    }

    /// The names of the modules in a module.
    #[must_use]
    pub fn modules(&self, parent: &str) -> BTreeSet<&'a str> {
        let prefix = self.full_name(&format!("{parent}."));
        let names = self.network.tensors.range(prefix.clone()..);
        names
            .map_while(|(name, _)| name.strip_prefix(&prefix))
            .filter_map(|rest| rest.split('.').next())
            .collect()
    }

    /// Whether the network has a tensor with a name that begins with `prefix`. A module whose tensors begin with it then exists,
    /// even if one of them is missing.
    #[must_use]
    pub fn has_any(&self, prefix: &str) -> bool {
        let prefix = self.full_name(prefix);
        let mut names = self.network.tensors.range(prefix.clone()..);
        names.next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    /// [`ImportError::MissingTensor`] if the network does not have it.
    pub fn shape(&self, tensor: &str) -> Result<&'a [usize], ImportError> {
        let stored = self.network.tensors.get(&self.full_name(tensor));
        stored
            .map(|stored| stored.shape())
            .ok_or_else(|| self.missing(tensor))
    }

    /// A tensor of any shape.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have it, or if it cannot be read.
    pub fn any(&self, tensor: &str) -> Result<ArrayD<f32>, ImportError> {
        let stored = self.network.tensors.get(&self.full_name(tensor));
        Ok(stored.ok_or_else(|| self.missing(tensor))?.read()?)
    }

    /// A tensor with a fixed number of axes.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have it, if it cannot be read, or if it has another number of axes.
    pub fn array<D: Dimension>(&self, tensor: &str) -> Result<Array<f32, D>, ImportError> {
        let array = self.any(tensor)?;
        let found = array.shape().to_vec();
        array
            .into_dimensionality::<D>()
            .map_err(|_| self.unexpected(tensor, found, &axes::<D>()))
    }

    /// A tensor with a fixed number of axes, without the axes of length 1 before them.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have it, if it cannot be read, or if it has another number of axes.
    pub fn squeezed<D: Dimension>(&self, tensor: &str) -> Result<Array<f32, D>, ImportError> {
        let mut array = self.any(tensor)?;
        let found = array.shape().to_vec();
        while D::NDIM.is_some_and(|wanted| array.ndim() > wanted) && array.len_of(Axis(0)) == 1 {
            array = array.index_axis_move(Axis(0), 0);
        }
        array
            .into_dimensionality::<D>()
            .map_err(|_| self.unexpected(tensor, found, &axes::<D>()))
    }

    /// The only element of a tensor.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have the tensor, if it cannot be read, or if it has another number of elements.
    pub fn scalar(&self, tensor: &str) -> Result<f32, ImportError> {
        let array = self.any(tensor)?;
        match (array.first(), array.len()) {
            (Some(&value), 1) => Ok(value),
            _ => Err(self.unexpected(tensor, array.shape().to_vec(), "one element")),
        }
    }

    /// The error for a tensor with the wrong shape `found`.
    #[must_use]
    pub fn unexpected(&self, tensor: &str, found: Vec<usize>, expected: &str) -> ImportError {
        ImportError::Shape {
            network: self.network().to_owned(),
            tensor: self.full_name(tensor),
            found,
            expected: expected.to_owned(),
        }
    }

    /// A tensor of a fixed shape.
    ///
    /// # Errors
    /// [`ImportError`] if the network does not have it, if it cannot be read, or if it has another shape.
    pub fn shaped<S: IntoDimension>(
        &self,
        tensor: &str,
        shape: S,
    ) -> Result<Array<f32, S::Dim>, ImportError> {
        let shape = shape.into_dimension();
        let found = self.shape(tensor)?;
        if found != shape.slice() {
            return Err(self.unexpected(tensor, found.to_vec(), &format!("{:?}", shape.slice())));
        }
        self.array(tensor)
    }

    /// The error for a setting that a graph cannot have.
    #[must_use]
    pub fn wrong_setting(&self, setting: &'static str, found: String, expected: &'static str) -> ImportError {
        ImportError::Setting {
            network: self.network().to_owned(),
            setting,
            found,
            expected,
        }
    }

    /// The error for a tensor that the network does not have.
    #[must_use]
    pub fn missing(&self, tensor: &str) -> ImportError {
        ImportError::MissingTensor {
            network: self.network().to_owned(),
            tensor: self.full_name(tensor),
            architecture: self.architecture,
        }
    }

    fn full_name(&self, tensor: &str) -> String {
        format!("{}{tensor}", self.prefix)
    }
}

/// What an error says about an array with D axes.
fn axes<D: Dimension>() -> String {
    D::NDIM.map_or_else(|| "any shape".to_owned(), |axes| format!("{axes} axes"))
}
