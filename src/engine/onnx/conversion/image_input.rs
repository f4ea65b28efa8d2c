//! Converts the generator's images to the input that another network takes.

use ndarray::{ArrayD, ArrayView4, Axis, CowArray, Ix4, Slice};

use crate::catalog::{InputEntry, Layout};
use crate::engine::EngineError;
use crate::engine::onnx::conversion::channels::ChannelConversion;
use crate::engine::onnx::conversion::element_types::InputType;
use crate::engine::onnx::conversion::input_shape::InputShape;
use crate::engine::onnx::conversion::resizing::{Resizing, resized, sum_of_squares};
use crate::engine::onnx::network::Network;
use crate::graph::gradient::ImageConversion;

/// The conversion of images for a network's input, in this order: crop, size, channels, element type, order of axes.
pub(crate) struct ImageInput {
    /// The first and the end of the rows, and of the columns.
    crop: [[usize; 2]; 2],
    resizing: Resizing,
    channels: ChannelConversion,
    element: InputType,
    layout: Layout,
}

impl ImageInput {
    /// The conversion from images of a size (height and width) and range to the input of `network`. A range is the value of
    /// black and the value of white. If neither the graph nor the manifest says a size, the input has the size of the (cropped) images.
    ///
    /// # Errors
    /// [`EngineError::Tensor`] unless the input is what the manifest describes.
    pub(crate) fn new(
        network: &Network,
        entry: &InputEntry,
        element: InputType,
        size: [usize; 2],
        range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let shape = InputShape::new(network, entry)?;
        let crop = cropped(entry.crop.unwrap_or([0.0, 0.0, 1.0, 1.0]), size);
        let part = crop.map(|[first, end]| end - first);
        let resizing = Resizing::new(part, shape.size.unwrap_or(part));
        let summed = resizing.summed();
        let entry = element.described(entry);
        Ok(Self {
            crop,
            resizing,
            channels: ChannelConversion::new(&entry, range, summed),
            element,
            layout: shape.layout,
        })
    }

    /// The same conversion as a part of a graph, but without rounding to bytes.
    pub(crate) fn in_graph(&self) -> ImageConversion {
        let size = |[first, end]: [usize; 2]| end - first;
        let (part, summed) = (self.crop.map(size), self.resizing.summed());
        ImageConversion {
            crop: self.crop,
            size: self.resizing.size(part),
            channels: self.channels.weights(summed),
            is_nhwc: self.layout == Layout::Nhwc,
        }
    }

    /// Converts images, runs the network on them, and returns its outputs: each `[images]` followed by other axes, with finite
    /// values.
    ///
    /// # Errors
    /// [`EngineError`] if a run fails or an output is wrong.
    pub(crate) fn run(
        &self,
        network: &mut Network,
        images: ArrayView4<'_, f32>,
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let count = images.dim().0;
        let converted = self.convert(images);
        let input = match self.layout {
            Layout::Nchw => converted.view(),
            Layout::Nhwc => converted.view().permuted_axes([0, 2, 3, 1]),
        };
        let outputs = network.run_all(&[input.into_dyn()])?;
        let finite = |output: ArrayD<f32>| {
            if output.shape().first() != Some(&count) {
                let expected = format!("[{count}, …] for {count} images");
                return Err(network.result_error(output.shape(), &expected));
            }
            network.check_finite(output)
        };
        outputs.into_iter().map(finite).collect()
    }

    /// Images `[batch, channels, height, width]` in the network's size and range. Without a copy if they are the generator's.
    fn convert<'a>(&self, images: ArrayView4<'a, f32>) -> CowArray<'a, f32, Ix4> {
        let [[top, bottom], [left, right]] = self.crop;
        let mut part = images;
        part.slice_axis_inplace(Axis(2), Slice::from(top..bottom));
        part.slice_axis_inplace(Axis(3), Slice::from(left..right));
        let part: CowArray<'a, f32, Ix4> = match &self.resizing {
            Resizing::None => part.into(),
            Resizing::SumOfSquares(pixels) => sum_of_squares(part, *pixels).into(),
            Resizing::Triangle { rows, columns } => resized(part, rows, columns).into(),
        };
        self.element.rounded(self.channels.apply(part))
    }
}

/// Rows and columns of a part of an image, at least one each: the edges, in fractions, rounded to whole pixels.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an image has a few thousand pixels a side, and the fractions are from 0 to 1"
)]
fn cropped([left, top, right, bottom]: [f64; 4], [height, width]: [usize; 2]) -> [[usize; 2]; 2] {
    let edges = |first: f64, end: f64, length: usize| {
        let pixel = |edge: f64| (edge * length as f64).round() as usize;
        let first = pixel(first).min(length - 1);
        [first, pixel(end).clamp(first + 1, length)]
    };
    [edges(top, bottom, height), edges(left, right, width)]
}
