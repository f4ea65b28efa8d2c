//! The operation *invert*.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use crate::editor::blocking::run_blocking;
use crate::editor::inversion::encoding::encode;
use crate::editor::inversion::found_code::{FoundCode, likeness};
use crate::editor::inversion::inversion_cache::InversionCache;
use crate::editor::inversion::iterative_encoding::iterative_encoding;
use crate::editor::inversion::method::InversionMethod;
use crate::editor::inversion::optimization::{
    InversionProgress, Optimization, OptimizationOptions, OptimizationResult,
};
use crate::editor::inversion::plan::Plan;
use crate::editor::inversion::request::{InvertRequest, Inverted};
use crate::editor::inversion::start_code::StartCode;
use crate::editor::inversion::target::{Target, UndecodedImage};
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Face, FaceSource, Model, TruncationChoice};
use crate::engine::{Timings, time_left};
use crate::imaging::{Image, Similarity};
use crate::latent::{LatentCode, LatentSpace};

/// The share of the request's remaining time for finding the code. The rest is for rendering and encoding the response.
const TIME_SHARE: f64 = 0.85;

/// Finds the code of an image, and makes its reconstruction. A code that `cache` has is not searched again; `image` is awaited
/// when the pixels are needed. Sends the progress of gradient descent to `progress`, if there is one.
///
/// # Errors
/// - [`EditorError::CannotInvert`] if the model lacks a graph that the method needs.
/// - [`EditorError::Undecodable`] if the file is not an image.
/// - [`EditorError::Framing`] if the crop or the landmarks do not fit the image.
/// - [`EditorError::ImageTooSmall`] if the part to invert has too few pixels.
/// - [`EditorError::NoFace`] if the model's landmark graph finds no face.
/// - Other [`EditorError`]s if a space does not fit, the model is overloaded, or a network fails.
/// - The error of `image`.
pub async fn invert<E: From<EditorError>>(
    model: &Model,
    cache: &InversionCache,
    request: InvertRequest,
    image: impl Future<Output = Result<UndecodedImage, E>>,
    progress: Option<&UnboundedSender<InversionProgress>>,
) -> Result<Inverted, E> {
    let plan = Plan::new(model, &request.options)?;
    let mut image = pin!(image);
    let (found, reconstruction) = find(model, cache, plan, &request, image.as_mut(), progress).await?;
    let reconstruction = if let Some(reconstruction) = reconstruction {
        reconstruction
    } else {
        let mut renderer = Renderer::admit(model, TruncationChoice::default(), 1)?;
        let (target, decoding) = Target::timed(&mut renderer, image.await?, request.framing).await?;
        Reconstruction::new(renderer, &found.code, target, decoding, request.with_scores).await?
    };
    let Reconstruction {
        face,
        target,
        timings,
    } = reconstruction;
    let similarity = if request.with_scores {
        let (image, target) = (face.image.clone(), target.clone());
        Some(run_blocking(move || Similarity::of(&image, &target)).await)
    } else {
        None
    };
    Ok(Inverted {
        face,
        target,
        method: Some(plan.method),
        similarity,
        warnings: found.warning().into_iter().collect(),
        optimization: found.optimization,
        timings,
    })
}

/// Finds the code of an image, without its reconstruction. A code that `cache` has costs nothing.
///
/// # Errors
/// As [`invert`].
pub async fn find_code<E: From<EditorError>>(
    model: &Model,
    cache: &InversionCache,
    request: InvertRequest,
    image: impl Future<Output = Result<UndecodedImage, E>>,
) -> Result<FoundCode, E> {
    let plan = Plan::new(model, &request.options)?;
    let (found, _) = find(model, cache, plan, &request, image, None).await?;
    Ok(found)
}

/// The code that `cache` has, or a search for it. A search comes with its reconstruction.
async fn find<E: From<EditorError>>(
    model: &Model,
    cache: &InversionCache,
    plan: Plan,
    request: &InvertRequest,
    image: impl Future<Output = Result<UndecodedImage, E>>,
    progress: Option<&UnboundedSender<InversionProgress>>,
) -> Result<(FoundCode, Option<Reconstruction>), E> {
    // Another request's search reports no progress here, and may take longer than this one's limit.
    let waits = progress.is_none() && request.options.time_limit.is_none();
    let search = async {
        let inverter = Inverter::admit(model, plan, request.options.starts)?;
        Ok(inverter.search(request, image.await?, progress).await?)
    };
    cache.get_or_find(plan.key(model, request), waits, search).await
}

/// A code's image beside the target.
struct Reconstruction {
    face: Face,
    target: Image,
    timings: Timings,
}

impl Reconstruction {
    /// Renders `code`, and ends the use of the renderer. `decoding` is the time that decoding the target took.
    async fn new(
        mut renderer: Renderer<'_>,
        code: &LatentCode,
        target: Target,
        decoding: Duration,
        with_scores: bool,
    ) -> Result<Self, EditorError> {
        let outputs = RenderOutputs::with_scores(with_scores);
        let face = renderer.render(vec![code.clone()], outputs).await?.remove(0);
        Ok(Self {
            face,
            target: target.image,
            timings: Timings {
                decoding,
                ..renderer.admission.timings()
            },
        })
    }
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

    /// Searches the code of `image`, and renders it.
    async fn search(
        mut self,
        request: &InvertRequest,
        image: UndecodedImage,
        progress: Option<&UnboundedSender<InversionProgress>>,
    ) -> Result<(FoundCode, Reconstruction), EditorError> {
        let (target, decoding) = Target::timed(&mut self.renderer, image, request.framing).await?;
        let remaining = time_left().map(|left| left.mul_f64(TIME_SHARE));
        let limit: Option<Duration> = request.options.time_limit.into_iter().chain(remaining).min();
        let options = OptimizationOptions {
            method: self.plan.method,
            steps: request.options.steps,
            patience: self.plan.patience,
            deadline: limit.map(|limit| Instant::now() + limit),
            progress,
        };
        let (code, optimization) = self.find_code(&target, options, request.options.starts).await?;
        let made = Reconstruction::new(self.renderer, &code, target, decoding, request.with_scores).await?;
        let (image, target) = (made.face.image.clone(), made.target.clone());
        let found = FoundCode {
            code,
            optimization,
            likeness: run_blocking(move || likeness(image, target)).await,
        };
        Ok((found, made))
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
                return Ok((self.in_planned_space(code).await?, None));
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
        Ok((self.in_planned_space(code).await?, Some(result)))
    }

    /// The code repeated for every layer if the plan's space is w+, or its styles if that is s.
    async fn in_planned_space(&mut self, code: LatentCode) -> Result<LatentCode, EditorError> {
        match self.plan.space {
            LatentSpace::WPlus => Ok(code.broadcast(self.model.shape().synthesis_rows())?),
            LatentSpace::S => self.renderer.styles(code).await,
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
