//! The two graphs of a model's styles: w+ → styles, and styles → image. They are parts of its synthesis graph, and are opened when they are
//! first needed.

use ndarray::{Array2, ArrayView3, Axis, Ix2};

use crate::catalog::{Graph, GraphSource, ModelFiles};
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, Runtime, StyleMapping, SynthesisInput};
use crate::graph::{GraphError, Model, StyleLayers};

/// Where the graphs of the styles come from. The synthesis graph is read again when one is opened, so that a model that never uses styles
/// keeps no second copy of its weights.
#[derive(Clone)]
pub(crate) struct StyleSource {
    runtime: Runtime,
    graph: GraphSource,
    layers: StyleLayers,
}

impl StyleSource {
    /// Finds the styles of a model's synthesis graph.
    ///
    /// # Errors
    /// [`GraphError`] if it has none.
    pub(crate) fn find(runtime: &Runtime, files: &ModelFiles, w_dim: usize) -> Result<Self, GraphError> {
        Ok(Self {
            runtime: runtime.clone(),
            graph: GraphSource::new(
                &files.folder,
                &files.manifest.generator.synthesis,
                &files.synthesis,
            ),
            layers: StyleLayers::find(&files.synthesis.model()?, w_dim)?,
        })
    }

    /// The channels of each layer.
    pub(crate) fn channels(&self) -> Vec<usize> {
        self.layers.channels()
    }

    /// Opens the graph from w+ to styles.
    pub(crate) fn open_mapping(&self) -> Result<Network, EngineError> {
        self.open("the styles of", "styles", |model| {
            self.layers.code_to_styles(&model)
        })
    }

    /// Opens the graph from styles to images.
    pub(crate) fn open_synthesis(&self) -> Result<Network, EngineError> {
        self.open("the synthesis from styles of", "image", |model| {
            self.layers.styles_to_image(model)
        })
    }

    fn open(
        &self,
        what: &str,
        output: &str,
        cut: impl FnOnce(Model) -> Result<Model, GraphError>,
    ) -> Result<Network, EngineError> {
        let _opening = self.runtime.lock_for_opening();
        let file = self.graph.read().map_err(|error| self.refused(error))?;
        let part = file.model().and_then(cut).map_err(|error| self.refused(error))?;
        let graph = Graph::new(format!("{what} {}", file.file), part.to_bytes().into());
        drop(part);
        Network::open(&self.runtime, &graph, output).map_err(|error| self.refused(error))
    }

    /// The error that a graph of the styles cannot be used.
    pub(crate) fn refused(&self, reason: impl std::fmt::Display) -> EngineError {
        EngineError::Styles {
            file: self.graph.file().to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// The affine layers of a synthesis graph, as a network.
pub(crate) struct OnnxStyles {
    source: StyleSource,
    synthesis: SynthesisInput,
    network: Option<Network>,
}

impl OnnxStyles {
    pub(crate) fn new(source: StyleSource, synthesis: SynthesisInput) -> Self {
        Self {
            source,
            synthesis,
            network: None,
        }
    }
}

impl StyleMapping for OnnxStyles {
    fn styles(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let network = match &mut self.network {
            Some(network) => network,
            none => none.insert(self.source.open_mapping()?),
        };
        let codes = match self.synthesis {
            SynthesisInput::WPlus { .. } => codes.into_dyn(),
            SynthesisInput::Z | SynthesisInput::W => codes.index_axis_move(Axis(1), 0).into_dyn(),
        };
        let channels = self.source.channels().iter().sum();
        let styles = network.run_in_batches(&[codes], usize::MAX, &[channels])?;
        let styles = network.check_finite(styles)?;
        Ok(styles.into_dimensionality::<Ix2>().expect("styles have two axes"))
    }
}
