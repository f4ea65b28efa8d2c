//! The networks that differentiate scores, in ONNX: derived from the graphs of the generator and the classifiers.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis, Ix2, Ix3};

use crate::catalog::{Graph, GraphSource, ModelFiles};
use crate::engine::onnx::gradient::largest_cpu_batch;
use crate::engine::onnx::network::Network;
use crate::engine::{
    Device, EngineError, GeneratorShape, MappingGradient, OpenScoreGradients, Runtime, ScoreGradient,
    ScoreGradientNetworks, WeightedGradients,
};
use crate::graph::edits::{accept_float_input, inputs, to_float32};
use crate::graph::gradient::{
    ImageConversion, LinearScore, ScoringNetwork, score_gradient, vector_jacobian_product,
};
use crate::graph::{GraphError, Model};

/// The second input of a class-conditional mapping.
const LABEL: &str = "label";

/// A classifier, and how its scores are read.
pub(crate) struct Scoring {
    pub(crate) conversion: ImageConversion,
    pub(crate) scores: Vec<LinearScore>,
}

/// Derives and opens the networks for the model's classifiers when it is called; `scorings` has one for each. `None` without a classifier. The graphs are read again
/// then, so that a model that never differentiates scores keeps no second copy of its weights.
pub(crate) fn opener(
    runtime: &Runtime,
    files: &ModelFiles,
    shape: &GeneratorShape,
    scorings: Vec<Scoring>,
) -> Option<OpenScoreGradients> {
    if scorings.is_empty() {
        return None;
    }
    let (runtime, shape) = (runtime.clone(), shape.clone());
    let generator = &files.manifest.generator;
    let source = |file: &String, graph| GraphSource::new(&files.folder, file, graph);
    let synthesis = source(&generator.synthesis, &files.synthesis);
    let mapping = generator.mapping.iter().zip(&files.mapping).next();
    let mapping = mapping.map(|(file, graph)| source(file, graph));
    let classifiers = files.classifiers.iter();
    let classifiers: Vec<_> = classifiers
        .map(|one| source(&one.entry.file, &one.graph))
        .collect();
    Some(Box::new(move || {
        let _opening = runtime.lock_for_opening();
        let read = |source: &GraphSource| {
            source.read().map_err(|error| EngineError::ScoreGradient {
                file: source.file().to_owned(),
                reason: error.to_string(),
            })
        };
        let graphs = classifiers.iter().map(read);
        let graphs: Vec<Graph> = graphs.collect::<Result<_, _>>()?;
        let scores = OnnxScoreGradient::open(&runtime, &read(&synthesis)?, &graphs, &scorings, &shape)?;
        drop(graphs);
        let mapping = mapping
            .as_ref()
            .map(|source| OnnxMappingGradient::open(&runtime, &read(source)?))
            .transpose()?;
        Ok(ScoreGradientNetworks {
            scores: Box::new(scores),
            mapping: mapping.map(|mapping| Box::new(mapping) as Box<dyn MappingGradient>),
        })
    }))
}

/// A graph: codes and weights → scores, and gradients of their weighted sums.
struct OnnxScoreGradient {
    network: Network,
    /// Whether codes have an axis for rows in the graph, because synthesis takes w+.
    has_rows: bool,
    largest_batch: usize,
}

impl OnnxScoreGradient {
    fn open(
        runtime: &Runtime,
        synthesis: &Graph,
        classifiers: &[Graph],
        scorings: &[Scoring],
        shape: &GeneratorShape,
    ) -> Result<Self, EngineError> {
        let generator = read(synthesis)?;
        let models = classifiers.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let networks: Vec<_> = scorings
            .iter()
            .zip(&models)
            .map(|(scoring, model)| ScoringNetwork {
                model,
                conversion: scoring.conversion.clone(),
                scores: scoring.scores.clone(),
            })
            .collect();
        let derived = score_gradient(&generator, "code", &networks).map_err(|error| {
            let graphs = std::iter::once((synthesis, &generator));
            let graphs = graphs.chain(classifiers.iter().zip(&models));
            refusal(&file_at_fault(&error, graphs), &error)
        })?;
        let graph = derived_graph(synthesis, &derived);
        drop((derived, generator, models));
        let network = Network::open_gradient(
            runtime,
            &graph,
            &["code", "weights"],
            &["gradient", "scores"],
            None,
        )?;
        Ok(Self {
            network,
            has_rows: shape.synthesis_is_layered(),
            largest_batch: match runtime.device() {
                Device::Cpu => largest_cpu_batch(shape),
                device @ Device::Cuda(_) => device.largest_batch(),
            },
        })
    }
}

impl ScoreGradient for OnnxScoreGradient {
    fn largest_batch(&self) -> usize {
        self.largest_batch
    }

    fn score_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        weights: ArrayView2<'_, f32>,
    ) -> Result<WeightedGradients, EngineError> {
        let input = if self.has_rows {
            codes.into_dyn()
        } else {
            codes.index_axis_move(Axis(1), 0).into_dyn()
        };
        let mut outputs = self.network.run_all(&[input, weights.into_dyn()])?.into_iter();
        let gradient = outputs
            .next()
            .expect("a graph returns the outputs that it was opened with");
        let scores = outputs
            .next()
            .expect("a graph returns the outputs that it was opened with");
        let found = gradient.shape().to_vec();
        let gradient = if self.has_rows {
            gradient.into_dimensionality::<Ix3>().ok()
        } else {
            let flat = gradient.into_dimensionality::<Ix2>().ok();
            flat.map(|gradient| gradient.insert_axis(Axis(1)))
        };
        let scores = scores.into_dimensionality::<Ix2>().ok();
        let (Some(gradient), Some(scores)) = (gradient, scores) else {
            return Err(self.network.result_error(&found, "the shape of the codes"));
        };
        if gradient.dim() != codes.dim() || scores.dim() != weights.dim() {
            return Err(self.network.result_error(&found, "the shape of the codes"));
        }
        Ok(WeightedGradients {
            scores: self.network.check_finite(scores)?,
            gradient: self.network.check_finite(gradient)?,
        })
    }
}

/// A graph: z, perhaps labels, and weights → gradients of the weighted sum of w.
struct OnnxMappingGradient {
    network: Network,
}

impl OnnxMappingGradient {
    fn open(runtime: &Runtime, mapping: &Graph) -> Result<Self, EngineError> {
        let model = read(mapping)?;
        let names: Vec<String> = inputs(&model).into_iter().map(|input| input.name).collect();
        let others: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|&name| name == LABEL)
            .collect();
        let is_z = |name: &&String| *name != LABEL;
        let z = names.iter().find(is_z).map_or("z", String::as_str);
        let derived =
            vector_jacobian_product(&model, "w", &others).map_err(|error| refusal(&mapping.file, &error))?;
        let inputs = [&[z][..], &others, &["weights"]].concat();
        let graph = derived_graph(mapping, &derived);
        let network = Network::open_gradient(runtime, &graph, &inputs, &["gradient"], None)?;
        Ok(Self { network })
    }
}

impl MappingGradient for OnnxMappingGradient {
    fn mapping_gradient(
        &mut self,
        z: ArrayView2<'_, f32>,
        labels: Option<ArrayView2<'_, f32>>,
        weights: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, EngineError> {
        let inputs = [Some(z), labels, Some(weights)].into_iter().flatten();
        let inputs: Vec<_> = inputs.map(ArrayView2::into_dyn).collect();
        let gradient = self.network.run_in_batches(&inputs, usize::MAX, &[z.ncols()])?;
        let gradient = self.network.check_finite(gradient)?;
        Ok(gradient
            .into_dimensionality::<Ix2>()
            .expect("its shape was checked"))
    }
}

/// A graph of float32. An input of bytes takes floats: rounding to bytes has no derivative.
fn read(graph: &Graph) -> Result<Model, EngineError> {
    let mut model = graph.model().map_err(|error| refusal(&graph.file, &error))?;
    to_float32(&mut model);
    accept_float_input(&mut model);
    Ok(model)
}

fn derived_graph(source: &Graph, derived: &Model) -> Graph {
    let file = format!("the score gradient graph of {}", source.file);
    Graph::new(file, derived.to_bytes().into())
}

/// The file that has the operator without a derivative, or else the first.
fn file_at_fault<'a>(
    error: &GraphError,
    graphs: impl Iterator<Item = (&'a Graph, &'a Model)> + Clone,
) -> String {
    let has_operator = |model: &Model| match error {
        GraphError::NotDifferentiable { operator, .. } | GraphError::Shape { operator, .. } => {
            model.graph().node.iter().any(|node| node.op_type == *operator)
        }
        _ => false,
    };
    let at_fault = graphs.clone().find(|(_, model)| has_operator(model));
    let (graph, _) = at_fault.or(graphs.clone().next()).expect("there is a generator");
    graph.file.clone()
}

fn refusal(file: &str, error: &GraphError) -> EngineError {
    EngineError::ScoreGradient {
        file: file.to_owned(),
        reason: error.to_string(),
    }
}
