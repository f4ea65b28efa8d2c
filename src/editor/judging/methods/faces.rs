//! The faces that all methods move, with their codes in z and in w, and what is known about samples.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use crate::catalog::OutputKind;
use crate::editor::editing::score_search::scored_attribute::linear;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::sampled_codes::sample_codes;
use crate::editor::training::sample_scores::label_of;
use crate::editor::{EditorError, Model};
use crate::latent::{LatentCode, LatentSpace};

/// Sampled codes in z, and in w if the generator has a mapping: a row for each sample.
pub(crate) struct CodesBySpace {
    z: Array2<f32>,
    w: Option<Array2<f32>>,
    model: Arc<Model>,
    seed: u32,
}

impl CodesBySpace {
    /// The samples of `seed`, in the order of a report's samples.
    ///
    /// # Errors
    /// [`EditorError`] if the mapping fails.
    pub(crate) async fn sample(model: &Arc<Model>, seed: u32, count: usize) -> Result<Self, EditorError> {
        let mut z = Array2::zeros((0, model.shape().z_dim));
        let mut w = model
            .shape()
            .has_mapping()
            .then(|| Array2::zeros((0, model.shape().w_dim)));
        let append = |all: &mut Array2<f32>, part: &Array2<f32>| {
            all.append(Axis(0), part.view())
                .expect("codes of one space have one length");
        };
        sample_codes(model, seed, count, |z_part, w_part| {
            append(&mut z, &z_part);
            if let (Some(all), Some(part)) = (&mut w, &w_part) {
                append(all, part);
            }
        })
        .await?;
        let model = Arc::clone(model);
        Ok(Self { z, w, model, seed })
    }

    /// The codes in `space`, z, w or w+, one row each. A w+ code repeats its w code.
    pub(crate) fn rows(&self, space: LatentSpace) -> ArrayView2<'_, f32> {
        match (space, &self.w) {
            (LatentSpace::Z, _) | (_, None) => self.z.view(),
            (_, Some(w)) => w.view(),
        }
    }

    /// The code of one sample in z, w or w+.
    ///
    /// # Errors
    /// [`EditorError`] if it is not finite.
    pub(crate) fn code(&self, space: LatentSpace, sample: usize) -> Result<LatentCode, EditorError> {
        let row = self.rows(space).row(sample).to_vec();
        if space == LatentSpace::WPlus {
            let code = LatentCode::from_row(LatentSpace::W, row)?;
            return Ok(code.broadcast(self.model.shape().synthesis_rows())?);
        }
        let code = LatentCode::from_row(space, row)?;
        Ok(code.with_label(label_of(&self.model, self.seed, sample)))
    }

    /// The code of one sample in any space that it leads to: s, too.
    ///
    /// # Errors
    /// [`EditorError`] if it is not finite, or the styles fail.
    pub(crate) async fn code_in(&self, space: LatentSpace, sample: usize) -> Result<LatentCode, EditorError> {
        if space != LatentSpace::S {
            return self.code(space, sample);
        }
        let code = self.code(LatentSpace::W, sample)?;
        Renderer::background(&self.model).styles(code).await
    }

    /// The standard deviation of the samples' distances along `step`, a direction in `space`: z, w or w+.
    pub(crate) fn deviation_along(&self, space: LatentSpace, step: &Array2<f64>) -> f64 {
        deviation_along(self.rows(space).outer_iter(), step)
    }
}

/// The standard deviation of the distances of codes along a direction.
pub(crate) fn deviation_along<'a>(
    codes: impl Iterator<Item = ArrayView1<'a, f32>>,
    step: &Array2<f64>,
) -> f64 {
    // A sampled w+ code has one code on all layers.
    let step: Array1<f64> = step.mean_axis(Axis(0)).expect("a direction has rows");
    let along = codes.map(|code| {
        let products = code.iter().zip(&step);
        products
            .map(|(&value, step)| f64::from(value) * step)
            .sum::<f64>()
    });
    Array1::from_iter(along).std(0.0)
}

/// One scored attribute of one face that is moved.
#[derive(Clone, Copy)]
pub(crate) struct MovedAttribute {
    /// 1 if the edit raises it, −1 if it lowers it: each face is moved to its other side.
    pub(crate) sign: f64,
    /// Its score before, on the linear scale.
    pub(crate) before: f64,
    /// The standard deviation of the samples' scores on that scale.
    pub(crate) deviation: f64,
    /// What its scores are.
    pub(crate) kind: OutputKind,
}

/// The scores on the scale where they change about linearly along a boundary: logits, or the values themselves.
pub(crate) fn linear_scores(model: &Model, scores: ArrayView2<'_, f32>) -> Array2<f64> {
    let mut scores = scores.mapv(f64::from);
    for (mut column, output) in scores.axis_iter_mut(Axis(1)).zip(model.outputs()) {
        column.mapv_inplace(|score| linear(output.kind, score));
    }
    scores
}
