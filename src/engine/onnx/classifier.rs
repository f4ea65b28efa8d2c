//! A classifier in ONNX.

use ndarray::{Array2, ArrayView4};

use crate::catalog::{ClassifierEntry, ClassifierFiles, OutputEntry, OutputKind};
use crate::engine::onnx::conversion::element_types::as_float;
use crate::engine::onnx::conversion::image_input::ImageInput;
use crate::engine::onnx::conversion::scores::{ScoreReader, output_names};
use crate::engine::onnx::network::Network;
use crate::engine::onnx::score_gradient::Scoring;
use crate::engine::{Classifier, EngineError, GeneratorShape, Runtime};
use crate::graph::gradient::LinearScore;

/// A classifier graph: image → scores.
pub(crate) struct OnnxClassifier {
    network: Network,
    input: ImageInput,
    /// Its entry in the manifest.
    entry: ClassifierEntry,
    /// The numbers of columns of the outputs.
    columns: Vec<Option<usize>>,
    reader: ScoreReader,
}

impl OnnxClassifier {
    /// Opens a classifier, and checks its input and its outputs against the manifest.
    pub(crate) fn open(
        runtime: &Runtime,
        files: &ClassifierFiles,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let (graph, element) = as_float(&files.graph);
        let names = output_names(&files.entry.outputs);
        let network = Network::open_outputs(runtime, &graph, "scores", &names)?;
        let size = [generator.height, generator.width];
        let input = ImageInput::new(&network, &files.entry.input, element, size, generator_range)?;
        let columns: Vec<_> = (0..names.len())
            .map(|output| network.output_values(output))
            .collect();
        let reader = ScoreReader::new(&files.entry.outputs, &columns)
            .map_err(|wrong| network.output_error_at(wrong.output, &wrong.expected))?;
        Ok(Self {
            entry: files.entry.clone(),
            network,
            input,
            columns,
            reader,
        })
    }
}

impl OnnxClassifier {
    /// Its graph and its scores, for differentiation. `scored` are all attributes, in the order of the columns.
    pub(crate) fn scoring(&self, scored: &[&OutputEntry]) -> Scoring {
        let entries = &self.entry.outputs;
        let readings = entries.iter().zip(self.reader.linear(entries));
        let score = |(entry, (output, reading)): (&OutputEntry, _)| LinearScore {
            column: scored
                .iter()
                .position(|scored| scored.attribute == entry.attribute)
                .expect("every attribute of a classifier is scored"),
            output,
            reading,
            is_probability: entry.kind == OutputKind::Probability,
        };
        Scoring {
            conversion: self.input.in_graph(),
            scores: readings.map(score).collect(),
        }
    }
}

impl Classifier for OnnxClassifier {
    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let count = images.dim().0;
        let outputs = self.input.run(&mut self.network, images)?;
        for (output, columns) in outputs.iter().zip(&self.columns) {
            if Some(output.len()) != columns.map(|columns| columns * count) {
                let expected = format!("{count} rows of the columns that the graph declares");
                return Err(self.network.result_error(output.shape(), &expected));
            }
        }
        Ok(self.reader.read(&outputs, count))
    }
}
