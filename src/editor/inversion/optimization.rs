//! Down the loss to the code behind a picture, a step of all starts at a time.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array2, Array3, Axis};
use tokio::sync::mpsc::UnboundedSender;

use crate::editor::render::RenderOutputs;
use crate::editor::{EditorError, InversionMethod, Model};
use crate::engine::{Admission, Images, LossGradient, SynthesisInput};
use crate::imaging::{Picture, Similarity};
use crate::latent::{Adam, AdamSchedule, Bfgs, LatentCode};

/// How many pictures of its way a descent shows at most, to who watches it.
const SHOWN: usize = 10;

/// How far down a descent is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Steps taken.
    pub step: usize,
    /// Steps that there are to take.
    pub of: usize,
    /// The least loss so far.
    pub loss: f32,
    /// The code of that loss, drawn, now and then, and how near it is to the picture.
    pub shown: Option<(Picture, Similarity)>,
}

/// A way down the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizationResult {
    /// The gradient graph's loss of the code returned, the least that was met.
    pub loss: f32,
    /// The least loss of the starts.
    pub loss_at_start: f32,
    /// The perceptual part of the loss before it is weighed, where the graph tells it.
    pub perceptual: Option<f32>,
    /// Steps taken.
    pub steps: usize,
    /// Whether more steps would hardly help: there was no way further down, patience ran out, or all steps were taken and
    /// the last tenth of them lowered the loss by less than 1 %.
    pub converged: bool,
}

/// Where a descent begins, and what pulls it back: codes of one shape and space.
pub(crate) struct Start {
    pub(crate) code: LatentCode,
    pub(crate) anchor: LatentCode,
}

impl Start {
    /// At a code that pulls it back itself.
    pub(crate) fn at(code: LatentCode) -> Self {
        Self {
            anchor: code.clone(),
            code,
        }
    }
}

/// What a descent is given.
pub(crate) struct OptimizationOptions<'a> {
    /// The picture to reach, `[1, 3, height, width]`.
    pub(crate) target: Images,
    /// The same as pixels.
    pub(crate) picture: &'a Picture,
    pub(crate) steps: usize,
    /// Steps without as much as 1 % less of the loss after which it ends.
    pub(crate) patience: Option<usize>,
    /// When no further step is begun.
    pub(crate) until: Option<Instant>,
    pub(crate) watcher: Option<&'a UnboundedSender<Progress>>,
}

/// One code on its way.
enum Optimizer {
    /// From far away, where the loss is rough: Adam, whose momentum carries it over small hollows.
    Far(Adam),
    /// From nearby.
    Near(Bfgs),
}

impl Optimizer {
    fn code(&self) -> &Array2<f64> {
        match self {
            Self::Far(way) => way.code(),
            Self::Near(way) => way.code(),
        }
    }

    fn step(&mut self, loss: f32, gradient: &Array2<f64>) {
        match self {
            Self::Far(way) => way.step(gradient),
            Self::Near(way) => way.step(f64::from(loss), gradient),
        }
    }

    fn is_done(&self) -> bool {
        match self {
            Self::Far(way) => way.is_done(),
            Self::Near(way) => way.is_done(),
        }
    }
}

/// The best that was met.
struct Best {
    loss: f32,
    perceptual: Option<f32>,
    code: Array2<f32>,
}

impl Model {
    /// Down the loss from `starts`, all of one shape and space; the best code that was met.
    pub(crate) async fn descend(
        &self,
        admission: &mut Admission,
        starts: &[Start],
        method: InversionMethod,
        course: OptimizationOptions<'_>,
    ) -> Result<(LatentCode, OptimizationResult), EditorError> {
        let (rate, pull) = self.descent_rates();
        let space = starts[0].code.space();
        let way = |start: &Start| {
            let anchor = start.anchor.values().mapv(f64::from);
            let start = start.code.values().mapv(f64::from);
            let steps = course.steps;
            match method {
                InversionMethod::Refine => {
                    Optimizer::Near(Bfgs::new(start, anchor, Arc::clone(&self.spread), pull))
                }
                InversionMethod::Optimize | InversionMethod::Encoder => {
                    Optimizer::Far(Adam::new(start, AdamSchedule { steps, rate, pull }))
                }
            }
        };
        let mut ways: Vec<Optimizer> = starts.iter().map(way).collect();
        let under_way = admission.descend(ways.len());
        let targets = course.target.index_axis(Axis(0), 0);
        let size = [&[ways.len()], targets.shape()].concat();
        let targets = targets.broadcast(size).expect("one picture for all codes");
        let targets = targets.into_dimensionality().expect("four axes");
        let targets: Images = targets.to_owned().into_shared();
        let (mut best, mut least): (Option<Best>, Vec<f32>) = (None, Vec::new());
        let every = course.steps.div_ceil(SHOWN - 1);
        let ended = loop {
            let codes = self.layered(&ways);
            let slope = admission.slope(codes, targets.clone()).await?;
            for (way, (place, &loss)) in ways.iter().zip(slope.loss.indexed_iter()) {
                if best.as_ref().is_none_or(|best| loss < best.loss) {
                    best = Some(Best {
                        loss,
                        perceptual: slope.perceptual.as_ref().map(|parts| parts[place]),
                        code: single(way.code()),
                    });
                }
            }
            let best = best.as_ref().expect("there is a start");
            least.push(best.loss);
            let step = least.len() - 1;
            let ended = step == course.steps;
            if let Some(watcher) = course.watcher {
                let code = || LatentCode::new(space, best.code.clone());
                let shown = if ended || step % every == 0 {
                    Some(self.shown(admission, code()?, course.picture).await?)
                } else {
                    None
                };
                // Who watches may have stopped.
                let _ = watcher.send(Progress {
                    step,
                    of: course.steps,
                    loss: best.loss,
                    shown,
                });
            }
            if ended {
                break false;
            }
            if course
                .patience
                .is_some_and(|patience| step >= patience && hardly(&least, step - patience))
            {
                break true;
            }
            if course.until.is_some_and(|until| Instant::now() >= until) {
                break false;
            }
            advance(&mut ways, slope);
            if ways.iter().all(Optimizer::is_done) && method == InversionMethod::Refine {
                break true;
            }
        };
        drop(under_way);
        let best = best.expect("the start was looked at");
        let steps = least.len() - 1;
        let descended = OptimizationResult {
            loss: best.loss,
            loss_at_start: least[0],
            perceptual: best.perceptual,
            steps,
            converged: ended || (steps == course.steps && hardly(&least, steps - steps.div_ceil(10))),
        };
        Ok((LatentCode::new(space, best.code)?, descended))
    }

    /// The codes as the gradient graph takes them, `[ways, rows, dim]`.
    fn layered(&self, ways: &[Optimizer]) -> Array3<f32> {
        let rows = if let SynthesisInput::WPlus { layers } = self.shape().synthesis {
            layers
        } else {
            1
        };
        let mut codes = Array3::zeros((ways.len(), rows, self.shape().w_dim));
        for (mut all, way) in codes.outer_iter_mut().zip(ways) {
            let code = single(way.code());
            let code = code.broadcast(all.raw_dim());
            all.assign(&code.expect("a code has one row or as many as synthesis takes"));
        }
        codes
    }

    /// A code drawn, and how near that is to the picture.
    async fn shown(
        &self,
        admission: &mut Admission,
        code: LatentCode,
        picture: &Picture,
    ) -> Result<(Picture, Similarity), EditorError> {
        let mut faces = self
            .render(admission, vec![code], None, RenderOutputs::Nothing)
            .await?;
        let (drawn, picture) = (faces.remove(0).picture, picture.clone());
        let compared = tokio::task::spawn_blocking(move || {
            let similarity = Similarity::of(&drawn, &picture);
            (drawn, similarity)
        });
        Ok(compared
            .await
            .expect("comparing pictures of one size does not panic"))
    }
}

/// Every code's step.
fn advance(ways: &mut [Optimizer], slope: LossGradient) {
    let each = slope.gradient.outer_iter().zip(&slope.loss);
    for (way, (gradient, &loss)) in ways.iter_mut().zip(each) {
        let gradient = gradient.mapv(f64::from);
        // One row stands for all layers, and all of them say where it should go.
        let gradient = if way.code().nrows() == 1 {
            gradient.sum_axis(Axis(0)).insert_axis(Axis(0))
        } else {
            gradient
        };
        way.step(loss, &gradient);
    }
}

/// Whether the least loss fell by less than 1 % since a step.
fn hardly(least: &[f32], since: usize) -> bool {
    let (before, now) = (least[since], least[least.len() - 1]);
    before - now < 0.01 * before
}

#[expect(clippy::cast_possible_truncation, reason = "networks take single precision")]
fn single(code: &Array2<f64>) -> Array2<f32> {
    code.mapv(|value| value as f32)
}
