//! Gradient descent of the loss between a code's image and the target, from one or several codes together.

use std::time::Instant;

use ndarray::{Array2, Axis};
use tokio::sync::mpsc::UnboundedSender;

use crate::editor::EditorError;
use crate::editor::blocking::run_blocking;
use crate::editor::inversion::method::InversionMethod;
use crate::editor::inversion::optimizer::Optimizer;
use crate::editor::inversion::start_code::StartCode;
use crate::editor::inversion::target::Target;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::rendering::synthesis_input::synthesis_input;
use crate::engine::{EngineError, Images, LossGradient};
use crate::imaging::{Image, Similarity};
use crate::latent::{LatentCode, LatentSpace};

/// Most previews that one optimization sends.
const MOST_PREVIEWS: usize = 10;
/// The relative fall of the loss below which further steps count as useless.
pub(crate) const SMALL_FALL: f32 = 0.1;

/// How far an optimization is.
#[derive(Clone, Debug)]
pub struct InversionProgress {
    /// Steps taken.
    pub step: usize,
    /// Most steps.
    pub total_steps: usize,
    /// The smallest loss so far.
    pub loss: f32,
    /// The image of the code with that loss and its similarity to the target; about ten times per optimization.
    pub preview: Option<(Image, Similarity)>,
}

/// The result of an optimization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizationResult {
    /// The loss of the returned code, the smallest that was found.
    pub loss: f32,
    /// The smallest loss of the codes that it started from.
    pub initial_loss: f32,
    /// The perceptual part of the loss before its weight, if the gradient graph returns it.
    pub perceptual_loss: Option<f32>,
    /// Steps taken.
    pub steps: usize,
    /// Whether more steps would hardly help: a local minimum was found, early stopping ended the optimization, or the last
    /// tenth of all steps lowered the loss by less than 10 %.
    pub converged: bool,
    /// Whether a time limit ended the optimization.
    pub(crate) cut_short: bool,
}

/// The limits of an optimization, and the channel for its progress.
pub(crate) struct OptimizationOptions<'a> {
    /// [`InversionMethod::Optimize`] uses Adam, [`InversionMethod::Refine`] BFGS.
    pub(crate) method: InversionMethod,
    /// Most steps.
    pub(crate) steps: usize,
    /// Early stopping: steps in which the loss fell by less than [`SMALL_FALL`].
    pub(crate) patience: usize,
    /// When no further step begins.
    pub(crate) deadline: Option<Instant>,
    pub(crate) progress: Option<&'a UnboundedSender<InversionProgress>>,
}

/// The code with the smallest loss so far.
struct BestCode {
    loss: f32,
    perceptual_loss: Option<f32>,
    code: Array2<f32>,
}

/// An optimization in progress.
pub(crate) struct Optimization<'r, 'm, 'a> {
    renderer: &'r mut Renderer<'m>,
    target: &'a Target,
    options: OptimizationOptions<'a>,
    space: LatentSpace,
    optimizers: Vec<Optimizer>,
    /// The target once for each code.
    targets: Images,
    best: Option<BestCode>,
    /// The smallest loss after each step, and before the first.
    losses: Vec<f32>,
}

impl<'r, 'm, 'a> Optimization<'r, 'm, 'a> {
    /// An optimization from `starts`, at least one, all of one shape and space.
    pub(crate) fn new(
        renderer: &'r mut Renderer<'m>,
        starts: &[StartCode],
        target: &'a Target,
        options: OptimizationOptions<'a>,
    ) -> Self {
        let (model, steps) = (renderer.model(), options.steps);
        let optimizer = |start| Optimizer::new(model, options.method, start, steps);
        let one = target.tensor.index_axis(Axis(0), 0);
        let size = [&[starts.len()], one.shape()].concat();
        let targets = one.broadcast(size).expect("one image can be repeated");
        let targets = targets
            .into_dimensionality()
            .expect("a batch of images has four axes");
        Self {
            renderer,
            target,
            space: starts[0].code.space(),
            optimizers: starts.iter().map(optimizer).collect(),
            targets: targets.to_owned().into_shared(),
            options,
            best: None,
            losses: Vec::new(),
        }
    }

    /// Runs the optimization: the code with the smallest loss, and how it was found.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails, or a code is not finite.
    pub(crate) async fn run(mut self) -> Result<(LatentCode, OptimizationResult), EditorError> {
        let active = self.renderer.admission.start_optimization(self.optimizers.len());
        let (stopped_early, cut_short) = loop {
            let gradients = self.evaluate().await?;
            self.report_progress().await?;
            if self.steps_taken() == self.options.steps {
                break (false, false);
            }
            if self.is_stagnant() {
                break (true, false);
            }
            let deadline = self.options.deadline;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break (false, true);
            }
            let losses = gradients.gradient.outer_iter().zip(&gradients.loss);
            for (optimizer, (gradient, &loss)) in self.optimizers.iter_mut().zip(losses) {
                optimizer.step(loss, gradient);
            }
            if self.optimizers.iter().all(Optimizer::is_at_minimum) {
                break (true, false);
            }
        };
        drop(active);
        let steps = self.steps_taken();
        let ended_flat = || steps == self.options.steps && self.fell_little_since(steps - steps.div_ceil(10));
        let converged = stopped_early || ended_flat();
        let (code, best) = (self.best_code()?, self.best());
        let result = OptimizationResult {
            loss: best.loss,
            initial_loss: self.losses[0],
            perceptual_loss: best.perceptual_loss,
            steps,
            converged,
            cut_short,
        };
        Ok((code, result))
    }

    /// Computes the loss and the gradient of every code, and remembers the best code.
    ///
    /// A code without a finite loss is a step too far: the optimizer goes back from it. Only if no start has one, there is nothing to
    /// begin with.
    async fn evaluate(&mut self) -> Result<LossGradient, EditorError> {
        let codes: Vec<Array2<f32>> = self.optimizers.iter().map(Optimizer::code).collect();
        let rows = codes.iter().map(|code| code.view());
        let input = synthesis_input(self.renderer.model().shape(), rows);
        let admission = &mut self.renderer.admission;
        let gradients = admission.loss_gradient(input, self.targets.clone()).await?;
        for (index, (code, &loss)) in codes.into_iter().zip(&gradients.loss).enumerate() {
            if self.best.as_ref().is_none_or(|best| loss < best.loss) {
                self.best = Some(BestCode {
                    loss,
                    perceptual_loss: gradients.perceptual.as_ref().map(|parts| parts[index]),
                    code,
                });
            }
        }
        let best = self.best().loss;
        if best.is_infinite() {
            return Err(EngineError::NotFinite {
                network: format!("the gradient graph of {}", self.renderer.model().name()),
                index: 0,
            }
            .into());
        }
        self.losses.push(best);
        Ok(gradients)
    }

    /// Sends the progress, if somebody listens; with a preview at regular steps and at the last one.
    async fn report_progress(&mut self) -> Result<(), EditorError> {
        let Some(progress) = self.options.progress else {
            return Ok(());
        };
        let (step, total_steps) = (self.steps_taken(), self.options.steps);
        let interval = total_steps.div_ceil(MOST_PREVIEWS - 1);
        let preview = if step == total_steps || step.is_multiple_of(interval) {
            Some(self.preview().await?)
        } else {
            None
        };
        // The receiver may be gone.
        let _ = progress.send(InversionProgress {
            step,
            total_steps,
            loss: self.best().loss,
            preview,
        });
        Ok(())
    }

    /// The image of the best code, and its similarity to the target.
    async fn preview(&mut self) -> Result<(Image, Similarity), EditorError> {
        let codes = vec![self.best_code()?];
        let mut faces = self.renderer.render(codes, RenderOutputs::Images).await?;
        let (image, target) = (faces.remove(0).image, self.target.image.clone());
        let compare = move || {
            let similarity = Similarity::of(&image, &target);
            (image, similarity)
        };
        Ok(run_blocking(compare).await)
    }

    fn best(&self) -> &BestCode {
        self.best.as_ref().expect("at least one code was evaluated")
    }

    fn best_code(&self) -> Result<LatentCode, EditorError> {
        let code = LatentCode::new(self.space, self.best().code.clone());
        code.map_err(EditorError::computed("optimization"))
    }

    fn steps_taken(&self) -> usize {
        self.losses.len() - 1
    }

    /// Whether early stopping applies.
    fn is_stagnant(&self) -> bool {
        let (step, patience) = (self.steps_taken(), self.options.patience);
        step >= patience && self.fell_little_since(step - patience)
    }

    fn fell_little_since(&self, step: usize) -> bool {
        let (before, now) = (self.losses[step], self.losses[self.steps_taken()]);
        before - now < SMALL_FALL * before
    }
}
