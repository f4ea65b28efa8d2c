//! From a model's files to networks at work.

use super::onnx_classifier::OnnxClassifier;
use super::onnx_generator::OnnxGenerator;
use super::{Classifier, Engine, EngineError, Generator as _, Runtime};
use crate::catalog::ModelPackage;
use crate::metrics::Metrics;

/// Opens every graph of a package, checks each against the others, and starts their threads with room for `capacity`
/// images.
///
/// # Errors
/// [`EngineError`], naming the first file that is wrong.
pub fn open(
    runtime: &Runtime,
    package: &ModelPackage,
    capacity: usize,
    metrics: &Metrics,
) -> Result<Engine, EngineError> {
    let generator = OnnxGenerator::open(runtime, package)?;
    let range = package.manifest.generator.image_range;
    let classifiers = package
        .classifiers
        .iter()
        .map(|classifier| {
            let opened = OnnxClassifier::open(runtime, classifier, generator.shape(), range)?;
            Ok(Box::new(opened) as Box<dyn Classifier>)
        })
        .collect::<Result<_, EngineError>>()?;
    Ok(Engine::start(
        &package.manifest.name,
        Box::new(generator),
        classifiers,
        capacity,
        metrics,
    ))
}
