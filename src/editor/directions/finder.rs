//! The finder: reads weights or samples codes, and makes boundaries of the directions in them.

use std::sync::Arc;
use std::time::SystemTime;

use ndarray::{Array1, Array2, Axis, Slice};

use crate::editor::blocking::run_blocking;
use crate::editor::directions::request::{DirectionMethod, DirectionsRequest};
use crate::editor::sampled_codes::sample_codes;
use crate::editor::timestamp::rfc3339;
use crate::editor::{EditorError, Model};
use crate::graph::{affine_weights, edits};
use crate::latent::{Boundary, Component, LatentSpace, Provenance, principal_components, sefa};

/// Finds the directions of one request.
pub(crate) struct DirectionFinder {
    model: Arc<Model>,
    request: DirectionsRequest,
}

impl DirectionFinder {
    /// A finder for a request that fits the model.
    ///
    /// # Errors
    /// [`EditorError::NoDirections`] if the model lacks what the method needs, or has fewer directions.
    pub(crate) fn new(model: Arc<Model>, request: DirectionsRequest) -> Result<Self, EditorError> {
        let finder = Self { model, request };
        let shape = finder.model.shape();
        if request.count > shape.w_dim {
            let dim = shape.w_dim;
            return Err(finder.refusal(format!("its codes have {dim} values; ask for at most {dim}")));
        }
        match request.method {
            DirectionMethod::Sefa if finder.model.synthesis_source().is_none() => {
                Err(finder.refusal("it has no folder with the weights".to_owned()))
            }
            DirectionMethod::Pca if !shape.has_mapping() => {
                Err(finder.refusal("it has no mapping, and z codes vary alike in all directions".to_owned()))
            }
            _ => Ok(finder),
        }
    }

    /// The request.
    pub(crate) fn request(&self) -> &DirectionsRequest {
        &self.request
    }

    /// The space of the directions: w, or z if the generator has no mapping.
    pub(crate) fn space(&self) -> LatentSpace {
        self.model.shape().synthesis_space()
    }

    /// Finds the directions, the strongest first. `on_sampled` gets the number of codes sampled so far.
    ///
    /// # Errors
    /// [`EditorError`] if the file of the weights cannot be read or has none that multiply the code, or the mapping fails.
    pub(crate) async fn find(&self, on_sampled: impl FnMut(usize)) -> Result<Vec<Boundary>, EditorError> {
        let count = self.request.count;
        let (components, mean) = match self.request.method {
            DirectionMethod::Sefa => (self.factorized().await?, self.mean()),
            DirectionMethod::Pca => {
                let codes = self.sample(on_sampled).await?;
                let (components, mean) =
                    run_blocking(move || principal_components(codes.view(), count)).await;
                (components, Some(mean))
            }
        };
        let found = components.len();
        if found < count {
            return Err(self.refusal(format!("{found} were found; ask for at most {found}")));
        }
        let names = self.request.names().into_iter();
        names
            .zip(components)
            .map(|(name, component)| self.boundary(name, component, mean.as_ref()))
            .collect()
    }

    /// The directions of the synthesis graph's weights.
    async fn factorized(&self) -> Result<Vec<Component>, EditorError> {
        let source = self.model.synthesis_source().expect("it was checked").clone();
        let (dim, count) = (self.model.shape().w_dim, self.request.count);
        let factorize = move || {
            let file = source.read().map_err(|error| error.to_string())?;
            let model = file.model().map_err(|error| error.to_string())?;
            let inputs = edits::inputs(&model);
            let code = inputs.first().map_or("", |input| &input.name);
            let weights = affine_weights(model.graph(), code, dim).map_err(|error| error.to_string())?;
            Ok(sefa(weights.view(), count))
        };
        let components: Result<_, String> = run_blocking(factorize).await;
        components.map_err(|reason| self.refusal(reason))
    }

    /// Samples w codes in the background.
    async fn sample(&self, mut on_sampled: impl FnMut(usize)) -> Result<Array2<f32>, EditorError> {
        let DirectionsRequest { samples, seed, .. } = self.request;
        let mut codes = Array2::zeros((samples, self.model.shape().w_dim));
        let mut end = 0;
        sample_codes(&self.model, seed, samples, |_, w| {
            let w = w.expect("the generator has a mapping");
            let first = end;
            end += w.nrows();
            codes.slice_axis_mut(Axis(0), Slice::from(first..end)).assign(&w);
            on_sampled(end);
        })
        .await?;
        Ok(codes)
    }

    /// The mean code, if the model knows it.
    fn mean(&self) -> Option<Array1<f64>> {
        let mean = self.model.generator().mean.as_ref()?;
        Some(mean.w_avg.iter().map(|&value| f64::from(value)).collect())
    }

    /// The boundary through the mean code, or the origin, with the direction as its normal.
    fn boundary(
        &self,
        name: String,
        component: Component,
        mean: Option<&Array1<f64>>,
    ) -> Result<Boundary, EditorError> {
        let intercept = mean.map_or(0.0, |mean| -component.direction.dot(mean));
        let sampled = self.request.sampled() as u64;
        let provenance = Provenance {
            samples: Some(sampled).filter(|&sampled| sampled > 0),
            seed: (sampled > 0).then_some(self.request.seed.into()),
            model: Some(self.model.generator_digest().to_owned()),
            method: Some(self.request.method.to_string()),
            date: Some(rfc3339(SystemTime::now())),
            ..Provenance::default()
        };
        let normal = component.direction.insert_axis(Axis(0));
        Ok(Boundary::new(name, self.space(), normal, intercept, provenance)?)
    }

    fn refusal(&self, reason: String) -> EditorError {
        let (model, method) = (self.model.name(), self.request.method);
        EditorError::NoDirections(format!(
            "model {model} has no such directions by {method}: {reason}"
        ))
    }
}
