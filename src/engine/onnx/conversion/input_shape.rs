//! The axes of the input of a network that takes images.

use crate::catalog::{Channels, InputEntry, InputSize, Layout};
use crate::engine::EngineError;
use crate::engine::onnx::network::Network;

/// The axes of a network's input, as the graph and the manifest describe them.
pub(crate) struct InputShape {
    pub(crate) layout: Layout,
    /// Height and width. `None` if neither the graph nor the manifest says them.
    pub(crate) size: Option<[usize; 2]>,
}

impl InputShape {
    /// Reads the axes.
    ///
    /// # Errors
    /// [`EngineError::Tensor`] unless the input is a batch of images with the channels of the manifest, and a size that does not
    /// contradict it.
    pub(crate) fn new(network: &Network, entry: &InputEntry) -> Result<Self, EngineError> {
        let (channels, name) = match entry.channels {
            Channels::Rgb => (3, "rgb"),
            Channels::Bgr => (3, "bgr"),
            Channels::Gray => (1, "gray"),
        };
        let size = entry.size.map(InputSize::height_width);
        let [height, width] = size.map_or(["height".to_owned(), "width".to_owned()], |size| {
            size.map(|side| side.to_string())
        });
        let wrong = || {
            let described = match size {
                None => format!("channels = \"{name}\""),
                Some(_) => format!("channels = \"{name}\" and this size"),
            };
            network.input_error(&format!(
                "[batch, {channels}, {height}, {width}] or [batch, {height}, {width}, {channels}], because the manifest has \
                 {described}: correct the manifest's channels, size or layout, or the graph"
            ))
        };
        let &[_, second, third, fourth] = network.input_axes() else {
            return Err(wrong());
        };
        let is_first = second == Some(channels) || fourth != Some(channels);
        let layout = entry
            .layout
            .unwrap_or(if is_first { Layout::Nchw } else { Layout::Nhwc });
        let (found_channels, height, width) = match layout {
            Layout::Nchw => (second, third, fourth),
            Layout::Nhwc => (fourth, second, third),
        };
        let fits =
            |found: Option<usize>, expected: usize| found.is_none_or(|found| found == expected && found > 0);
        let size_fits = size.is_none_or(|[rows, columns]| fits(height, rows) && fits(width, columns));
        if !fits(found_channels, channels) || !size_fits || height == Some(0) || width == Some(0) {
            return Err(wrong());
        }
        let known = height.zip(width).map(|(height, width)| [height, width]);
        Ok(Self {
            layout,
            size: known.or(size),
        })
    }
}
