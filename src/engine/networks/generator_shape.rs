//! The latent spaces and sizes of a generator.

use crate::latent::LatentSpace;

/// What the synthesis network takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynthesisInput {
    /// z, `[batch, dim]`: the generator has no mapping.
    Z,
    /// w, `[batch, dim]`.
    W,
    /// w+, `[batch, layers, dim]`.
    WPlus {
        /// Rows of a code.
        layers: usize,
    },
}

/// The latent spaces and sizes of a generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratorShape {
    /// Length of a z code.
    pub z_dim: usize,
    /// Length of a w code, or of each row of a w+ code. Equal to `z_dim` if the generator has no mapping.
    pub w_dim: usize,
    /// What the synthesis network takes.
    pub synthesis: SynthesisInput,
    /// Height of an image in pixels.
    pub height: usize,
    /// Width of an image in pixels.
    pub width: usize,
    /// Most images in one run, at least 1.
    pub largest_batch: usize,
    /// The channels of each layer's style, in the order of the synthesis graph, or why its styles cannot be given.
    pub styles: Result<Vec<usize>, String>,
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

    /// Whether synthesis takes a row for each layer.
    #[must_use]
    pub fn synthesis_is_layered(&self) -> bool {
        matches!(self.synthesis, SynthesisInput::WPlus { .. })
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
        if let Ok(styles) = &self.styles {
            spaces.push((LatentSpace::S, (1, styles.iter().sum())));
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
