//! What a generator does, whatever runs it.

use ndarray::{ArcArray, Array2, Array4, ArrayView2, ArrayView3, Ix4};

use crate::engine::{BatchSize, EngineError};
use crate::latent::LatentSpace;

/// Images `[images, 3, height, width]`, shared with those that the same run has drawn for others.
pub type Images = ArcArray<f32, Ix4>;

/// A generator's synthesis: codes in, image tensors out, a batch at a time.
pub trait Generator: Send + 'static {
    /// Its spaces and sizes, which never change.
    fn shape(&self) -> &GeneratorShape;

    /// How many images a run should hold: as many as it may, unless runs tell otherwise.
    fn batch_size(&self) -> BatchSize {
        BatchSize::settled(self.shape().largest_batch)
    }

    /// Whether it draws on the processor, so that nothing else stands still while its thread looks at what it has drawn.
    fn is_on_processor(&self) -> bool {
        true
    }

    /// Synthesis: codes `[batch, rows, dim]` (rows is 1 unless synthesis takes w+) → images `[batch, 3, height, width]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError>;
}

/// Opens a replica of a generator that may never be needed.
pub type LazyReplica = Box<dyn FnOnce() -> Result<Box<dyn Generator>, EngineError> + Send>;

/// A generator's mapping, from z to w.
pub trait Mapping: Send + 'static {
    /// z `[batch, z_dim]` → w `[batch, w_dim]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn map(&mut self, z: ArrayView2<'_, f32>) -> Result<Array2<f32>, EngineError>;
}

/// What the synthesis graph takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynthesisInput {
    /// z itself, `[batch, dim]`: a generator without a mapping.
    Z,
    /// w, `[batch, dim]`.
    W,
    /// w+, `[batch, layers, dim]`.
    WPlus {
        /// Rows of a code.
        layers: usize,
    },
}

/// A generator's spaces and sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratorShape {
    /// Length of a z code.
    pub z_dim: usize,
    /// Length of a w code, or of each row of a w+ code; equal to `z_dim` without a mapping.
    pub w_dim: usize,
    /// What synthesis takes.
    pub synthesis: SynthesisInput,
    /// Height of an image in pixels.
    pub height: usize,
    /// Width of an image in pixels.
    pub width: usize,
    /// Most images that one run may hold.
    pub largest_batch: usize,
}

impl GeneratorShape {
    /// Whether z is mapped to w before synthesis.
    #[must_use]
    pub fn has_mapping(&self) -> bool {
        self.synthesis != SynthesisInput::Z
    }

    /// Rows of the codes that synthesis takes: the layers of w+, otherwise 1.
    #[must_use]
    pub fn synthesis_rows(&self) -> usize {
        match self.synthesis {
            SynthesisInput::WPlus { layers } => layers,
            SynthesisInput::Z | SynthesisInput::W => 1,
        }
    }

    /// The space of each row that synthesis takes: w, or z if the generator has no mapping.
    #[must_use]
    pub fn synthesis_space(&self) -> LatentSpace {
        if self.has_mapping() {
            LatentSpace::W
        } else {
            LatentSpace::Z
        }
    }

    /// The spaces that a code of this generator may be in, with each code's shape `(rows, dim)`.
    #[must_use]
    pub fn spaces(&self) -> Vec<(LatentSpace, (usize, usize))> {
        let mut spaces = vec![(LatentSpace::Z, (1, self.z_dim))];
        if self.has_mapping() {
            spaces.push((LatentSpace::W, (1, self.w_dim)));
        }
        if let SynthesisInput::WPlus { layers } = self.synthesis {
            spaces.push((LatentSpace::WPlus, (layers, self.w_dim)));
        }
        spaces
    }

    /// The shape `(rows, dim)` of a code in `space`, if the generator has that space.
    #[must_use]
    pub fn code_shape(&self, space: LatentSpace) -> Option<(usize, usize)> {
        self.spaces()
            .into_iter()
            .find(|&(found, _)| found == space)
            .map(|(_, shape)| shape)
    }
}
