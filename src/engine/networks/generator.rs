//! The interface of a generator's synthesis network.

use ndarray::{ArcArray, Array4, ArrayView2, ArrayView3, Ix4};

use crate::engine::{BatchSize, EngineError, GeneratorShape};

/// Images `[images, 3, height, width]`, RGB, in the generator's range. They share the memory of their run, so that a clone or
/// a part copies no pixels.
pub type Images = ArcArray<f32, Ix4>;

/// Synthesizes images from latent codes.
pub trait Generator: Send + 'static {
    /// The latent spaces and sizes. They never change.
    fn shape(&self) -> &GeneratorShape;

    /// The number of images that a run should hold. By default the largest possible; implementations can search for a better
    /// one.
    fn batch_size(&self) -> BatchSize {
        BatchSize::settled(self.shape().largest_batch)
    }

    /// Whether it runs on the CPU. If so, its thread can also convert images to pixels while they are in the CPU's caches; on
    /// a GPU, the device would be idle meanwhile.
    fn is_on_cpu(&self) -> bool {
        true
    }

    /// Images `[batch, 3, height, width]` of codes `[batch, rows, dim]`.
    ///
    /// The codes are finite. They have the rows and the space of [`GeneratorShape::synthesis_rows`] and
    /// [`GeneratorShape::synthesis_space`]. The batch has at least one code, and at most [`GeneratorShape::largest_batch`].
    /// The images are not checked for NaN and infinity; their conversion to pixels does that.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError>;

    /// Images `[batch, 3, height, width]` of styles `[batch, channels]`, for a generator whose
    /// [`GeneratorShape::styles`] are known.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails, or the generator takes no styles.
    fn synthesize_styles(&mut self, styles: ArrayView2<'_, f32>) -> Result<Array4<f32>, EngineError> {
        Err(EngineError::Styles {
            file: "the generator".to_owned(),
            reason: format!("it takes no styles, found {}", styles.nrows()),
        })
    }
}

/// Opens a replica of a generator, on the thread that will run it, when it is first needed.
pub type LazyReplica = Box<dyn FnOnce() -> Result<Box<dyn Generator>, EngineError> + Send>;
