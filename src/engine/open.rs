//! From a model's files to networks at work.

use super::onnx_classifier::OnnxClassifier;
use super::onnx_generator::OnnxGenerator;
use super::onnx_mapping::OnnxMapping;
use super::{Classifier, Engine, EngineError, Generator, Mapping, Networks, Runtime, Waiting};
use crate::catalog::ModelPackage;
use crate::metrics::Metrics;

/// How a model's networks work: how many replicas of the generator, and what may wait for them.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Sessions of the synthesis graph that work side by side, at least 1.
    pub replicas: usize,
    /// What may wait.
    pub waiting: Waiting,
}

/// Opens every graph of a package, checks each against the others, and starts their threads.
///
/// # Errors
/// [`EngineError`], naming the first file that is wrong.
pub fn open(
    runtime: &Runtime,
    package: &ModelPackage,
    operation: Operation,
    metrics: &Metrics,
) -> Result<Engine, EngineError> {
    let mut mapping = package
        .mapping
        .as_ref()
        .map(|graph| OnnxMapping::open(runtime, graph))
        .transpose()?;
    let first = OnnxGenerator::open(runtime, package, mapping.as_mut())?;
    let range = package.manifest.generator.image_range;
    let classifiers = package
        .classifiers
        .iter()
        .map(|classifier| {
            let opened = OnnxClassifier::open(runtime, classifier, first.shape(), range)?;
            Ok(Box::new(opened) as Box<dyn Classifier>)
        })
        .collect::<Result<_, EngineError>>()?;
    let mut generators: Vec<Box<dyn Generator>> = Vec::with_capacity(operation.replicas);
    for _ in 1..operation.replicas {
        generators.push(Box::new(first.replica(runtime, package)?));
    }
    generators.push(Box::new(first));
    let networks = Networks {
        mapping: mapping.map(|mapping| Box::new(mapping) as Box<dyn Mapping>),
        generators,
        classifiers,
    };
    Ok(Engine::start(
        &package.manifest.name,
        networks,
        operation.waiting,
        metrics,
    ))
}
