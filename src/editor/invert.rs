//! Inversion: from a picture to a code that draws it.

use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, Axis};

use super::{EditorError, Face, Model};
use crate::engine::{Admission, Images, SynthesisInput, Timings};
use crate::imaging::{Framing, Picture, Similarity, frame};
use crate::latent::{Descent, LatentCode, LatentSpace, Pace};

/// How the code behind a picture is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The encoder's answer.
    Encoder,
    /// Down the loss, from the mean code.
    Optimize,
    /// Down the loss, from the encoder's answer.
    Refine,
}

impl std::fmt::Display for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Encoder => "encoder",
            Self::Optimize => "optimize",
            Self::Refine => "refine",
        })
    }
}

/// A picture to invert.
#[derive(Clone, Debug)]
pub struct InvertRequest {
    /// The picture.
    pub picture: Picture,
    /// The part of it that the generator is shown.
    pub framing: Framing,
    /// The method; the best that the model has where it is `None`.
    pub method: Option<Method>,
    /// The code's space; the encoder's, or else w, where it is `None`.
    pub space: Option<LatentSpace>,
    /// Steps down the loss.
    pub steps: usize,
    /// Time after which no further step is taken.
    pub budget: Option<Duration>,
    /// Whether the classifiers score the reconstruction.
    pub with_scores: bool,
}

/// A picture's code, and how well it draws the picture.
#[derive(Clone, Debug)]
pub struct Inverted {
    /// The code and what it draws.
    pub face: Face,
    /// The picture as the generator was shown it.
    pub target: Picture,
    /// The method used.
    pub method: Method,
    /// The reconstruction against the picture.
    pub similarity: Similarity,
    /// How the descent went; `None` without one.
    pub descended: Option<Descended>,
    /// Where the time went.
    pub timings: Timings,
}

/// A way down the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descended {
    /// The gradient graph's loss of the code returned, the least that was met.
    pub loss: f32,
    /// Its loss at the start.
    pub loss_at_start: f32,
    /// Steps taken.
    pub steps: usize,
    /// Whether all steps were taken and the last tenth of them lowered the loss by less than 1 %.
    pub converged: bool,
}

impl Model {
    /// Finds the code behind a picture.
    ///
    /// # Errors
    /// [`EditorError::CannotInvert`] where the model lacks what the method needs, [`EditorError::OutsideThePicture`] for a
    /// crop that does not lie in it, other [`EditorError`]s for spaces that do not fit and networks that fail.
    pub async fn invert(&self, request: InvertRequest) -> Result<Inverted, EditorError> {
        let method = self.method(request.method)?;
        let space = self.space_of_inversion(method, request.space)?;
        let mut admission = self.engine.admit(1)?;
        let (width, height) = (self.shape().width, self.shape().height);
        let (range, InvertRequest { picture, framing, .. }) = (self.image_range, request.clone());
        let framed = tokio::task::spawn_blocking(move || {
            let target = frame(picture, framing, width, height)?;
            let tensor = target.tensor(range).insert_axis(Axis(0)).into_shared();
            Ok::<_, EditorError>((target, tensor))
        });
        let (target, tensor) = framed.await.expect("framing does not panic")?;
        let start = match method {
            Method::Optimize => self.mean_code(),
            Method::Encoder | Method::Refine => self.encoded(&mut admission, tensor.clone()).await?,
        };
        let start = match space {
            LatentSpace::WPlus => start.broadcast(self.layers())?,
            LatentSpace::W | LatentSpace::Z => start,
        };
        let (code, descended) = if method == Method::Encoder {
            (start, None)
        } else {
            let until = request.budget.map(|budget| Instant::now() + budget);
            let (code, descended) = self
                .descend(&mut admission, &start, tensor, request.steps, until)
                .await?;
            (code, Some(descended))
        };
        let mut faces = self
            .render(&mut admission, vec![code], None, request.with_scores)
            .await?;
        let face = faces.remove(0);
        let (drawn, shown) = (face.picture.clone(), target.clone());
        let similarity = tokio::task::spawn_blocking(move || Similarity::of(&drawn, &shown));
        Ok(Inverted {
            face,
            target,
            method,
            similarity: similarity
                .await
                .expect("comparing pictures of one size does not panic"),
            descended,
            timings: admission.timings(),
        })
    }

    /// The methods that the model has what they need for, the best first.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        match (self.engine.has_encoder(), self.engine.has_gradient()) {
            (true, true) => vec![Method::Refine, Method::Encoder, Method::Optimize],
            (true, false) => vec![Method::Encoder],
            (false, true) => vec![Method::Optimize],
            (false, false) => Vec::new(),
        }
    }

    fn method(&self, asked: Option<Method>) -> Result<Method, EditorError> {
        let methods = self.methods();
        let chosen = asked.or(methods.first().copied());
        match chosen.filter(|method| methods.contains(method)) {
            Some(method) => Ok(method),
            None => Err(EditorError::CannotInvert {
                model: self.name().to_owned(),
                asked,
                lacking: match (self.engine.has_encoder(), self.engine.has_gradient()) {
                    (false, false) => "an [encoder] and a [gradient]",
                    (false, true) => "an [encoder]",
                    (true, _) => "a [gradient]",
                },
            }),
        }
    }

    /// The space of the code to find, if a way leads there.
    fn space_of_inversion(
        &self,
        method: Method,
        asked: Option<LatentSpace>,
    ) -> Result<LatentSpace, EditorError> {
        let begins = if method == Method::Optimize {
            self.mean_code().space()
        } else {
            self.encoder_space()
        };
        let space = asked.unwrap_or(begins);
        if self.shape().code_shape(space).is_none() {
            return Err(self.no_such_space(space));
        }
        // An encoder may answer in z where synthesis takes w: its answer is no start of a descent.
        let drawn = if self.shape().has_mapping() {
            LatentSpace::W
        } else {
            LatentSpace::Z
        };
        let needed = if method == Method::Encoder {
            begins
        } else {
            begins.max(drawn)
        };
        if space < needed || begins < needed {
            return Err(EditorError::NoWayBack {
                found: needed,
                wanted: space.min(begins),
            });
        }
        Ok(space)
    }

    /// The encoder's code of a picture.
    async fn encoded(&self, admission: &mut Admission, target: Images) -> Result<LatentCode, EditorError> {
        let mut values = admission.encode(target).await?.index_axis_move(Axis(0), 0);
        if let Some(w_avg) = self.added_to_encoded() {
            for mut row in values.outer_iter_mut() {
                row += &ndarray::aview1(w_avg);
            }
        }
        Ok(LatentCode::new(self.encoder_space(), values)?)
    }

    /// Down the loss from `start`; the best code that was met.
    async fn descend(
        &self,
        admission: &mut Admission,
        start: &LatentCode,
        target: Images,
        steps: usize,
        until: Option<Instant>,
    ) -> Result<(LatentCode, Descended), EditorError> {
        let rows = if let SynthesisInput::WPlus { layers } = self.shape().synthesis {
            layers
        } else {
            1
        };
        let one_row = start.values().nrows() == 1;
        let mut descent = Descent::new(start.values().mapv(f64::from), self.pace(steps));
        let (mut best, mut losses): (Option<(f32, Array2<f32>)>, Vec<f32>) = (None, Vec::new());
        loop {
            #[expect(clippy::cast_possible_truncation, reason = "networks take single precision")]
            let code = descent.code().mapv(|value| value as f32);
            let input: Array3<f32> = code
                .broadcast((1, rows, code.ncols()))
                .expect("a code has one row or as many as synthesis takes")
                .to_owned();
            let slope = admission.slope(input, target.clone()).await?;
            let loss = slope.loss[0];
            losses.push(loss);
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, code));
            }
            if descent.is_done() || until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            let gradient = slope.gradient.index_axis_move(Axis(0), 0).mapv(f64::from);
            // One row stands for all layers, and all of them say where it should go.
            let gradient = if one_row {
                gradient.sum_axis(Axis(0)).insert_axis(Axis(0))
            } else {
                gradient
            };
            descent.step(&gradient);
        }
        let (loss, values) = best.expect("the start was looked at");
        let late = losses.len() - 1 - (losses.len() - 1) / 10;
        let before = losses[..late.max(1)]
            .iter()
            .copied()
            .fold(f32::INFINITY, f32::min);
        let descended = Descended {
            loss,
            loss_at_start: losses[0],
            steps: losses.len() - 1,
            converged: descent.is_done() && before - loss < 0.01 * before,
        };
        Ok((LatentCode::new(start.space(), values)?, descended))
    }

    fn pace(&self, steps: usize) -> Pace {
        let (rate, pull) = self.descent_rates();
        Pace { steps, rate, pull }
    }
}
