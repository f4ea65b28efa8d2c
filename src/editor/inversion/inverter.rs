//! The operation *invert*.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use crate::editor::blocking::run_blocking;
use crate::editor::inversion::encoding::{encode, encoder_space};
use crate::editor::inversion::iterative_encoding::iterative_encoding;
use crate::editor::inversion::method::InversionMethod;
use crate::editor::inversion::optimization::{
    InversionProgress, Optimization, OptimizationOptions, OptimizationResult,
};
use crate::editor::inversion::request::{InversionOptions, InvertRequest, Inverted};
use crate::editor::inversion::start_code::StartCode;
use crate::editor::inversion::target::Target;
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, FaceSource, Model, TruncationChoice};
use crate::engine::{Timings, time_left};
use crate::imaging::Similarity;
use crate::latent::{LatentCode, LatentSpace};

/// The share of the request's remaining time for finding the code. The rest is for rendering and encoding the response.
const TIME_SHARE: f64 = 0.85;

/// Finds the code of an image. Sends the progress of gradient descent to `progress`, if there is one.
///
/// # Errors
/// - [`EditorError::CannotInvert`] if the model lacks a graph that the method needs.
/// - [`EditorError::Undecodable`] if the file is not an image.
/// - [`EditorError::Framing`] if the crop or the landmarks do not fit the image.
/// - [`EditorError::NoFace`] if the model's landmark graph finds no face.
/// - Other [`EditorError`]s if a space does not fit, the model is overloaded, or a network fails.
pub async fn invert(
    model: &Model,
    request: InvertRequest,
    progress: Option<&UnboundedSender<InversionProgress>>,
) -> Result<Inverted, EditorError> {
    let plan = Plan::new(model, &request.options)?;
    let inverter = Inverter::admit(model, plan, request.options.starts)?;
    inverter.invert(request, progress).await
}

/// The space of the codes that [`invert`] finds by the model's best method.
///
/// # Errors
/// [`EditorError::CannotInvert`] if the model lacks the graphs for it.
pub fn inverted_space(model: &Model) -> Result<LatentSpace, EditorError> {
    Ok(Plan::new(model, &InversionOptions::default())?.space)
}

/// The method and the space of one inversion, checked against the model.
#[derive(Clone, Copy)]
struct Plan {
    method: InversionMethod,
    space: LatentSpace,
}

impl Plan {
    fn new(model: &Model, options: &InversionOptions) -> Result<Self, EditorError> {
        let supported = InversionMethod::supported(model.engine());
        let wanted = options.method.or(supported.first().copied());
        let Some(found) = wanted.filter(|method| supported.contains(method)) else {
            return Err(EditorError::CannotInvert {
                model: model.name().to_owned(),
                asked: options.method,
                missing: InversionMethod::missing(model.engine()),
            });
        };
        let space = check_space(model, found, options.space)?;
        Ok(Self { method: found, space })
    }
}

/// The space of the code to find: the requested one, or the one that the method starts in.
fn check_space(
    model: &Model,
    method: InversionMethod,
    requested: Option<LatentSpace>,
) -> Result<LatentSpace, EditorError> {
    let start = if method == InversionMethod::Optimize {
        model.mean_code().space()
    } else {
        encoder_space(model)
    };
    let space = requested.unwrap_or(start);
    model.code_shape(space)?;
    // An encoder may give z codes although synthesis takes w. Gradient descent cannot start from those.
    let earliest = if method == InversionMethod::Encoder {
        start
    } else {
        start.max(model.shape().synthesis_space())
    };
    if space < earliest || start < earliest {
        return Err(EditorError::Irreversible {
            found: earliest,
            wanted: space.min(start),
        });
    }
    Ok(space)
}

/// Inverts one image.
struct Inverter<'m> {
    model: &'m Model,
    plan: Plan,
    renderer: Renderer<'m>,
}

impl<'m> Inverter<'m> {
    /// Admits what `plan` needs: the image of the reconstruction, and the codes under optimization.
    fn admit(model: &'m Model, plan: Plan, starts: usize) -> Result<Self, EditorError> {
        let engine = model.engine();
        let admission = match plan.method {
            InversionMethod::Encoder => engine.admit(1)?,
            InversionMethod::Refine => engine.admit_optimization(1)?,
            InversionMethod::Optimize => engine.admit_optimization(starts)?,
        };
        // Only the codes of seeds are truncated. The encoder's z codes are rendered as they are.
        let truncation = if plan.method == InversionMethod::Optimize {
            MappingTruncation::new(model, TruncationChoice::default())?
        } else {
            MappingTruncation::none(model)
        };
        Ok(Self {
            model,
            plan,
            renderer: Renderer::new(model, truncation, admission),
        })
    }

    async fn invert(
        mut self,
        request: InvertRequest,
        progress: Option<&UnboundedSender<InversionProgress>>,
    ) -> Result<Inverted, EditorError> {
        let began = Instant::now();
        let admission = &mut self.renderer.admission;
        let target = Target::new(self.model, admission, request.image, request.framing).await?;
        let decoding = began.elapsed().saturating_sub(admission.timings().landmarks);
        let remaining = time_left().map(|left| left.mul_f64(TIME_SHARE));
        let limit: Option<Duration> = request.options.time_limit.into_iter().chain(remaining).min();
        let options = OptimizationOptions {
            method: self.plan.method,
            steps: request.options.steps,
            patience: request.options.patience,
            deadline: limit.map(|limit| Instant::now() + limit),
            progress,
        };
        let (code, optimization) = self.find_code(&target, options, request.options.starts).await?;
        let outputs = RenderOutputs::with_scores(request.with_scores);
        let face = self.renderer.render(vec![code], outputs).await?.remove(0);
        let similarity = if request.with_scores {
            let (image, target) = (face.image.clone(), target.image.clone());
            Some(run_blocking(move || Similarity::of(&image, &target)).await)
        } else {
            None
        };
        Ok(Inverted {
            face,
            target: target.image,
            method: Some(self.plan.method),
            similarity,
            optimization,
            timings: Timings {
                decoding,
                ..self.renderer.admission.timings()
            },
        })
    }

    /// The code by the planned method, and the result of gradient descent if the method uses it.
    async fn find_code(
        &mut self,
        target: &Target,
        options: OptimizationOptions<'_>,
        starts: usize,
    ) -> Result<(LatentCode, Option<OptimizationResult>), EditorError> {
        let starts = match self.plan.method {
            InversionMethod::Encoder => {
                let admission = &mut self.renderer.admission;
                let code = encode(self.model, admission, target.tensor.clone()).await?;
                return Ok((self.in_planned_space(code)?, None));
            }
            InversionMethod::Refine => {
                vec![iterative_encoding(&mut self.renderer, &target.tensor, options.deadline).await?]
            }
            InversionMethod::Optimize => self.mean_and_seeds(starts).await?,
        };
        let starts = if self.plan.space == LatentSpace::WPlus {
            let rows = self.model.shape().synthesis_rows();
            let broadcast = starts.iter().map(|start| start.broadcast(rows));
            broadcast.collect::<Result<Vec<_>, _>>()?
        } else {
            starts
        };
        let optimization = Optimization::new(&mut self.renderer, &starts, target, options);
        let (code, result) = optimization.run().await?;
        Ok((code, Some(result)))
    }

    /// The code repeated for every layer if the plan's space is w+.
    fn in_planned_space(&self, code: LatentCode) -> Result<LatentCode, EditorError> {
        match self.plan.space {
            LatentSpace::WPlus => Ok(code.broadcast(self.model.shape().synthesis_rows())?),
            LatentSpace::W | LatentSpace::Z => Ok(code),
        }
    }

    /// The codes that [`InversionMethod::Optimize`] starts from: the mean code, and those of the seeds 0, 1, and so on.
    async fn mean_and_seeds(&mut self, count: usize) -> Result<Vec<StartCode>, EditorError> {
        let mean = self.model.mean_code();
        let seeds = 0..u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
        let seeds: Vec<_> = seeds.map(FaceSource::Seed).collect();
        let sampled = self.renderer.codes(&seeds, Some(mean.space())).await?;
        let codes = std::iter::once(mean).chain(sampled);
        Ok(codes.map(StartCode::anchored).collect())
    }
}
