//! Inversion: from a picture to a code that draws it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::Axis;
use tokio::sync::mpsc::UnboundedSender;

use crate::editor::inversion::optimization::{OptimizationOptions, Start};
use crate::editor::render::RenderOutputs;
use crate::editor::{EditorError, Face, FaceSource, Model, OptimizationResult, Progress, TruncationChoice};
use crate::engine::{Admission, Images, Timings, time_left};
use crate::imaging::{Crop, DecodeError, Framing, ImageRange, Landmarks, Picture, Similarity, centre, frame};
use crate::latent::{LatentCode, LatentSpace};

/// The share of the time that its request has left which the way to a code takes, so that there is an answer.
const SHARE: f64 = 0.85;

/// How the code behind a picture is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InversionMethod {
    /// The encoder's answer.
    Encoder,
    /// Down the loss, from the mean code, or from several.
    Optimize,
    /// Down the loss, from the encoder's answer brought nearer.
    Refine,
}

impl std::fmt::Display for InversionMethod {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Encoder => "encoder",
            Self::Optimize => "optimize",
            Self::Refine => "refine",
        })
    }
}

/// What decodes a picture, when it is its turn: called once, off the async threads.
pub type UndecodedPicture = Box<dyn FnOnce() -> Result<Picture, DecodeError> + Send>;

/// A picture to invert.
pub struct InvertRequest {
    /// The picture.
    pub picture: UndecodedPicture,
    /// The part of it that the generator is shown. Where it is `None` the model's landmark graph finds the face; without
    /// one it is the middle.
    pub framing: Option<Framing>,
    /// The method; the best that the model has where it is `None`.
    pub method: Option<InversionMethod>,
    /// The code's space; the encoder's, or else w, where it is `None`.
    pub space: Option<LatentSpace>,
    /// Steps down the loss.
    pub steps: usize,
    /// Steps without as much as 1 % less of the loss after which no further one is taken.
    pub patience: Option<usize>,
    /// How many codes [`InversionMethod::Optimize`] begins at, at least 1: the mean, and the codes of seeds from 0 on.
    pub starts: usize,
    /// Time after which no further step is taken.
    pub budget: Option<Duration>,
    /// Whether the classifiers score the reconstruction, and it is compared with the picture.
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
    pub method: InversionMethod,
    /// The reconstruction against the picture, where that was asked for.
    pub similarity: Option<Similarity>,
    /// How the descent went; `None` without one.
    pub descended: Option<OptimizationResult>,
    /// Where the time went.
    pub timings: Timings,
}

impl Model {
    /// Finds the code behind a picture, and tells `watcher`, if there is one, of the way there.
    ///
    /// # Errors
    /// [`EditorError::CannotInvert`] where the model lacks what the method needs, [`EditorError::Undecodable`] for a file that
    /// is no picture, [`EditorError::Framing`] for a crop or
    /// landmarks that do not fit it, [`EditorError::NoFace`] where the model's landmark graph finds none, other [`EditorError`]s for spaces that do not fit and networks that fail.
    pub async fn invert(
        &self,
        request: InvertRequest,
        watcher: Option<&UnboundedSender<Progress>>,
    ) -> Result<Inverted, EditorError> {
        let method = self.method(request.method)?;
        let space = self.space_of_inversion(method, request.space)?;
        let mut admission = match method {
            InversionMethod::Encoder => self.engine.admit(1)?,
            InversionMethod::Refine => self.engine.admit_optimization(1)?,
            InversionMethod::Optimize => self.engine.admit_optimization(request.starts)?,
        };
        let began = Instant::now();
        let (target, tensor) = self
            .target(&mut admission, request.picture, request.framing)
            .await?;
        let decoding = began.elapsed().saturating_sub(admission.timings().landmarks);
        let left = time_left().map(|left| left.mul_f64(SHARE));
        let limit = request.budget.into_iter().chain(left).min();
        let until = limit.map(|limit| Instant::now() + limit);
        let widened = |code: LatentCode| match space {
            LatentSpace::WPlus => code.broadcast(self.layers()),
            LatentSpace::W | LatentSpace::Z => Ok(code),
        };
        let starts = match method {
            InversionMethod::Encoder => vec![Start::at(self.encoded(&mut admission, tensor.clone()).await?)],
            InversionMethod::Refine => vec![self.approached(&mut admission, &tensor, until).await?],
            InversionMethod::Optimize => self.starts(&mut admission, request.starts).await?,
        };
        let starts = starts.into_iter().map(|Start { code, anchor }| {
            Ok(Start {
                code: widened(code)?,
                anchor: widened(anchor)?,
            })
        });
        let mut starts = starts.collect::<Result<Vec<_>, EditorError>>()?;
        let (code, descended) = if method == InversionMethod::Encoder {
            (starts.remove(0).code, None)
        } else {
            let course = OptimizationOptions {
                target: tensor,
                picture: &target,
                steps: request.steps,
                patience: request.patience,
                until,
                watcher,
            };
            let (code, descended) = self.descend(&mut admission, &starts, method, course).await?;
            (code, Some(descended))
        };
        let mut faces = self
            .render(
                &mut admission,
                vec![code],
                None,
                RenderOutputs::scores(request.with_scores),
            )
            .await?;
        let face = faces.remove(0);
        let similarity = if request.with_scores {
            let (drawn, shown) = (face.picture.clone(), target.clone());
            let compared = tokio::task::spawn_blocking(move || Similarity::of(&drawn, &shown)).await;
            Some(compared.expect("comparing pictures of one size does not panic"))
        } else {
            None
        };
        Ok(Inverted {
            face,
            target,
            method,
            similarity,
            descended,
            timings: Timings {
                decoding,
                ..admission.timings()
            },
        })
    }

    /// The picture as the generator would draw it, as pixels and as `[1, 3, height, width]`: the part that the request names,
    /// or the face that the model's landmark graph finds, or the middle.
    async fn target(
        &self,
        admission: &mut Admission,
        undecoded: UndecodedPicture,
        framing: Option<Framing>,
    ) -> Result<(Picture, Images), EditorError> {
        let (width, height, range) = (self.shape().width, self.shape().height, self.image_range);
        let framed = move |picture: &Picture, framing| {
            let target = frame(picture, framing, width, height)?;
            let tensor = target.tensor(range).insert_axis(Axis(0)).into_shared();
            Ok((target, tensor))
        };
        match (framing, self.engine.landmarker_size()) {
            (None, Some(size)) => {
                let picture = Arc::new(off_the_async_threads(|| Ok(undecoded()?)).await?);
                let framing = self.face(admission, &picture, size).await?;
                off_the_async_threads(move || framed(&picture, framing)).await
            }
            (framing, _) => {
                let framing = framing.unwrap_or(Framing::Centre);
                off_the_async_threads(move || framed(&undecoded()?, framing)).await
            }
        }
    }

    /// Where the landmark graph, which takes pictures of a height and width, finds a face.
    async fn face(
        &self,
        admission: &mut Admission,
        picture: &Arc<Picture>,
        [height, width]: [usize; 2],
    ) -> Result<Framing, EditorError> {
        let part = centre([picture.width(), picture.height()], [width, height]);
        let whole = Arc::clone(picture);
        let shown = off_the_async_threads(move || {
            let shown = frame(&whole, Framing::Crop(part), width, height)?;
            let tensor = shown.tensor(ImageRange::SIGNED);
            Ok(tensor.insert_axis(Axis(0)).into_shared())
        });
        let found = admission.landmarks(shown.await?).await?;
        let Crop {
            left,
            top,
            width,
            height,
        } = part;
        let place =
            |share: f32, start: u32, length: u32| f64::from(start) + f64::from(share) * f64::from(length);
        let point =
            |row: ndarray::ArrayView1<'_, f32>| [place(row[0], left, width), place(row[1], top, height)];
        let points: Vec<_> = found.outer_iter().map(point).collect();
        let landmarks = Landmarks::new(&points).map_err(EditorError::NoFace)?;
        landmarks
            .within(picture.width(), picture.height())
            .map_err(EditorError::NoFace)?;
        Ok(Framing::Face(landmarks, self.alignment()))
    }

    /// Where [`InversionMethod::Optimize`] begins: at the mean code, and at those of the seeds 0, 1, ….
    async fn starts(&self, admission: &mut Admission, count: usize) -> Result<Vec<Start>, EditorError> {
        let mean = self.mean_code();
        let seeds = 0..u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
        let sources: Vec<_> = seeds.map(FaceSource::Seed).collect();
        let sampled = self.codes(
            admission,
            &sources,
            Some(mean.space()),
            TruncationChoice::default(),
        );
        let mut starts = vec![mean];
        starts.extend(sampled.await?);
        Ok(starts.into_iter().map(Start::at).collect())
    }

    /// The methods that the model has what they need for, the best first.
    #[must_use]
    pub fn methods(&self) -> Vec<InversionMethod> {
        match (self.engine.has_encoder(), self.engine.has_gradient()) {
            (true, true) => vec![
                InversionMethod::Refine,
                InversionMethod::Encoder,
                InversionMethod::Optimize,
            ],
            (true, false) => vec![InversionMethod::Encoder],
            (false, true) => vec![InversionMethod::Optimize],
            (false, false) => Vec::new(),
        }
    }

    fn method(&self, asked: Option<InversionMethod>) -> Result<InversionMethod, EditorError> {
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
        method: InversionMethod,
        asked: Option<LatentSpace>,
    ) -> Result<LatentSpace, EditorError> {
        let begins = if method == InversionMethod::Optimize {
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
        let needed = if method == InversionMethod::Encoder {
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
    pub(crate) async fn encoded(
        &self,
        admission: &mut Admission,
        target: Images,
    ) -> Result<LatentCode, EditorError> {
        let mut values = admission.encode(target).await?.index_axis_move(Axis(0), 0);
        if let Some(w_avg) = self.added_to_encoded() {
            for mut row in values.outer_iter_mut() {
                row += &ndarray::aview1(w_avg);
            }
        }
        Ok(LatentCode::new(self.encoder_space(), values)?)
    }
}

/// Does what keeps a core busy where nobody waits for it.
pub(crate) async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EditorError> + Send + 'static,
) -> Result<T, EditorError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("what is done with pictures does not panic")
}
