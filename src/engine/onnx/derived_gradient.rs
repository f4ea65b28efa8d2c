//! Derives the gradient graph of a model from its other graphs.

use crate::catalog::{Channels, FeatureNetwork, Graph, Layout, ModelFiles};
use crate::engine::EngineError;
use crate::graph::edits::to_float32;
use crate::graph::gradient::{Perceptual, loss_gradient};
use crate::graph::{GraphError, Model};

/// Derives the gradient graph, whose input of codes is called `code`. If the network of features cannot be used and is not required, only pixels are compared.
pub(crate) fn derive(
    files: &ModelFiles,
    code: &str,
    features: Option<&FeatureNetwork>,
    is_required: bool,
) -> Result<Graph, EngineError> {
    let synthesis = read(&files.synthesis)?;
    let range = files.manifest.generator.image_range;
    let derived = |file: &Graph, derived: Result<Model, GraphError>| match derived {
        Ok(model) => Ok(Graph::new(
            format!("the gradient graph of {}", files.synthesis.file),
            model.to_bytes().into(),
        )),
        Err(error) => Err(refusal(file, &error.to_string())),
    };
    if let Some(network) = features {
        let perceptual = read(&network.graph).and_then(|model| {
            let (image_range, is_bgr) = conversion(network)?;
            let perceptual = Perceptual {
                model: &model,
                image_range,
                is_bgr,
            };
            derived(
                &network.graph,
                loss_gradient(&synthesis, code, range, Some(perceptual)),
            )
        });
        match perceptual {
            Err(error) if !is_required => {
                tracing::debug!(%error, "images are compared by pixels only");
            }
            perceptual => return perceptual,
        }
    }
    derived(&files.synthesis, loss_gradient(&synthesis, code, range, None))
}

fn read(graph: &Graph) -> Result<Model, EngineError> {
    let mut model = graph
        .model()
        .map_err(|error| refusal(graph, &error.to_string()))?;
    to_float32(&mut model);
    Ok(model)
}

/// The values of black and white in the network's input for red, green and blue, and whether it begins with blue.
fn conversion(network: &FeatureNetwork) -> Result<([[f32; 2]; 3], bool), EngineError> {
    let input = &network.input;
    let is_plain =
        input.crop.is_none() && input.channels != Channels::Gray && input.layout != Some(Layout::Nhwc);
    if !is_plain {
        let reason = "its images are cropped, gray or [batch, height, width, channels], expected the whole image in colour as \
                      [batch, 3, height, width]";
        return Err(refusal(&network.graph, reason));
    }
    let is_bgr = input.channels == Channels::Bgr;
    let range = [0, 1, 2].map(|channel| {
        let own = if is_bgr { 2 - channel } else { channel };
        let mean = input.mean.map_or(0.0, |mean| mean.of(own));
        let std = input.std.map_or(1.0, |std| std.of(own));
        input.range().map(|value| (value - mean) / std)
    });
    Ok((range, is_bgr))
}

fn refusal(graph: &Graph, reason: &str) -> EngineError {
    EngineError::Gradient {
        file: graph.file.clone(),
        reason: reason.to_owned(),
    }
}
