//! The sizes of a generator's layers, from the layers' names.

use std::collections::BTreeMap;

use crate::importing::{ImportError, Weights};

/// Largest size of a layer, so that a hostile file cannot ask for more memory than its own size.
const LARGEST_SIZE: usize = 4096;
/// Largest margin around the image in the layers before the last two.
const LARGEST_MARGIN: usize = 64;
/// Fewest layers: the last two have the size of the image, and the one before them has the margin, too.
const FEWEST_LAYERS: usize = 3;

/// What the name of a layer says, `L<index>_<size>_<channels>`.
#[derive(Clone, Debug)]
pub(super) struct LayerName {
    /// The name of its module.
    pub(super) module: String,
    /// Height and width of its output.
    pub(super) size: usize,
}

/// The sizes of all layers.
#[derive(Debug)]
pub(super) struct Geometry {
    /// The layers, in the order of computation.
    pub(super) layers: Vec<LayerName>,
    /// Pixels around the image on each side, in all layers but the last two.
    pub(super) margin: usize,
}

impl Geometry {
    /// Reads the names of the layers.
    pub(super) fn read(weights: Weights<'_>) -> Result<Self, ImportError> {
        let names: BTreeMap<usize, LayerName> = weights
            .modules("synthesis")
            .into_iter()
            .filter_map(|name| {
                let mut numbers = name.strip_prefix('L')?.split('_').map(str::parse::<usize>);
                let (index, size) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
                let module = format!("synthesis.{name}");
                Some((index, LayerName { module, size }))
            })
            .collect();
        let is_complete = names.keys().copied().eq(0..names.len());
        let layers: Vec<_> = names.into_values().collect();
        let margin = margin(&layers).filter(|_| is_complete);
        let Some(margin) = margin else {
            let found = layers.iter().map(|layer| layer.size).collect();
            let expected = "the sizes of layers L0, L1, …, which grow up to the image with its margin, and then the image twice";
            return Err(weights.unexpected("synthesis.L*", found, expected));
        };
        Ok(Self { layers, margin })
    }

    /// Height and width of a layer's input.
    pub(super) fn input_size(&self, layer: usize) -> usize {
        self.layers[layer.saturating_sub(1)].size
    }

    /// Pixels of the input of the first layer for each unit of its coordinates.
    pub(super) fn input_sampling_rate(&self) -> usize {
        self.layers[0].size - 2 * self.margin
    }
}

/// The margin, if the sizes are those of a generator.
fn margin(layers: &[LayerName]) -> Option<usize> {
    let sizes: Vec<_> = layers.iter().map(|layer| layer.size).collect();
    let inner = sizes.len().checked_sub(FEWEST_LAYERS - 1)?;
    let (inner, [before, image]) = sizes.split_at_checked(inner)? else {
        return None;
    };
    let (first, last) = (*inner.first()?, *inner.last()?);
    let margin = last.checked_sub(*image)? / 2;
    let fits = before == image
        && inner.is_sorted()
        && *image > 0
        && last <= LARGEST_SIZE
        && last == image + 2 * margin
        && margin <= LARGEST_MARGIN
        && first > 2 * margin;
    fits.then_some(margin)
}
