//! The renderer: maps, synthesizes and scores the codes of one request.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, ArrayView1, Axis, concatenate};

use crate::editor::rendering::face_channel::{FaceSender, Pixels, RenderedPart};
use crate::editor::rendering::labels::labels;
use crate::editor::rendering::latent_source::LatentSource;
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::synthesis_input::synthesis_input;
use crate::editor::{EditorError, Face, FaceSource, Model, TruncationChoice};
use crate::engine::{Admission, Images, SynthesisCodes};
use crate::imaging::Image;
use crate::latent::{LatentCode, LatentSpace};

/// Most tensor values of a part that the generator's own thread converts to pixels, because they are still in the
/// processor's caches. One image of 256×256 takes it a fifth of a millisecond.
const FEW_VALUES: usize = 3 * 256 * 256;

/// What rendering finds out about faces besides their images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RenderOutputs {
    /// Images only.
    Images,
    /// The classifiers' scores too.
    Scores,
    /// Scores and, if the model has an identity graph, embeddings too.
    ScoresAndIdentity,
}

impl RenderOutputs {
    /// With or without scores.
    pub(crate) fn with_scores(scores: bool) -> Self {
        if scores { Self::Scores } else { Self::Images }
    }
}

/// Renders the codes of one request, or of one batch of a job.
pub(crate) struct Renderer<'m> {
    model: &'m Model,
    truncation: MappingTruncation,
    /// The permits of the request's images, and the times of its runs.
    pub(crate) admission: Admission,
    /// Where faces go as they are made.
    sender: Option<FaceSender>,
}

impl<'m> Renderer<'m> {
    /// A renderer for a request that was admitted.
    pub(crate) fn new(model: &'m Model, truncation: MappingTruncation, admission: Admission) -> Self {
        Self {
            model,
            truncation,
            admission,
            sender: None,
        }
    }

    /// The same renderer; with a `sender`, faces go there as they are made.
    pub(crate) fn sending_to(self, sender: Option<FaceSender>) -> Self {
        Self { sender, ..self }
    }

    /// Checks the truncation of a request, and admits it with `images`, the most that it has in progress or waiting at the
    /// same time.
    ///
    /// # Errors
    /// [`EditorError`] if the truncation does not fit the model, or the model is overloaded.
    pub(crate) fn admit(
        model: &'m Model,
        truncation: TruncationChoice,
        images: usize,
    ) -> Result<Self, EditorError> {
        let truncation = MappingTruncation::new(model, truncation)?;
        Ok(Self::new(model, truncation, model.engine().admit_rounds(images)?))
    }

    /// The same for a walk along gradients of scores.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub(crate) fn admit_walk(
        model: &'m Model,
        truncation: TruncationChoice,
        images: usize,
    ) -> Result<Self, EditorError> {
        let truncation = MappingTruncation::new(model, truncation)?;
        Ok(Self::new(model, truncation, model.engine().admit_walk(images)?))
    }

    /// A renderer in the background lane, without truncation.
    pub(crate) fn background(model: &'m Model) -> Self {
        Self::new(model, MappingTruncation::none(model), model.engine().background())
    }

    /// The model.
    pub(crate) fn model(&self) -> &'m Model {
        self.model
    }

    /// The codes of `sources` in `space`. If `space` is `None`, a caller's code stays in its own space, and a seed's
    /// code goes to the model's default space.
    ///
    /// # Errors
    /// [`EditorError`] if a code or the space does not fit the model, or mapping fails.
    pub(crate) async fn codes(
        &mut self,
        sources: &[FaceSource],
        space: Option<LatentSpace>,
    ) -> Result<Vec<LatentCode>, EditorError> {
        let read = |source| LatentSource::new(self.model, source, space, &self.truncation);
        let sources: Vec<_> = sources.iter().map(read).collect::<Result<_, _>>()?;
        let to_map = sources.iter().filter(|source| source.is_to_map());
        let z: Vec<LatentCode> = to_map.map(|source| source.code.clone()).collect();
        let mut mapped = self.map(&z).await?.into_iter();
        let rows = self.model.shape().synthesis_rows();
        let mut codes = Vec::with_capacity(sources.len());
        for source in sources {
            let code = if source.is_to_map() {
                mapped.next().expect("every code to map was mapped")
            } else {
                source.code
            };
            codes.push(match source.wanted {
                LatentSpace::WPlus => code.broadcast(rows)?,
                LatentSpace::S => self.styles(code).await?,
                LatentSpace::Z | LatentSpace::W => code,
            });
        }
        Ok(codes)
    }

    /// The styles that the layers make of a code in w or w+. Styles stay as they are.
    pub(crate) async fn styles(&mut self, code: LatentCode) -> Result<LatentCode, EditorError> {
        if code.space() == LatentSpace::S {
            return Ok(code);
        }
        let layered = code.broadcast(self.model.shape().synthesis_rows())?;
        let rows = layered.values().clone().insert_axis(Axis(0));
        let styles = self.admission.styles(rows).await?;
        let styles = LatentCode::new(LatentSpace::S, styles).map_err(EditorError::computed("the styles"))?;
        Ok(styles.with_label(code.label().cloned()))
    }

    /// Maps z codes to w, or to w+ if only the first layers are truncated.
    async fn map(&mut self, codes: &[LatentCode]) -> Result<Vec<LatentCode>, EditorError> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = codes.iter().map(|code| code.values().view()).collect();
        let z: Array2<f32> = concatenate(Axis(0), &rows).expect("z codes have one length");
        let labels = labels(self.model, codes.iter().map(LatentCode::label))?;
        let mapped = self.admission.map(z, labels).await?;
        let truncate = |(row, code): (ArrayView1<'_, f32>, &LatentCode)| {
            let w = LatentCode::from_row(LatentSpace::W, row.to_vec());
            w.and_then(|w| self.truncation.apply(w.with_label(code.label().cloned())))
                .map_err(EditorError::computed("mapping"))
        };
        mapped.outer_iter().zip(codes).map(truncate).collect()
    }

    /// Gradients `[codes, rows, dim]` by what synthesis takes, as gradients `[codes, dim]` by the w before truncation.
    #[expect(clippy::cast_possible_truncation, reason = "networks compute in f32")]
    pub(crate) fn by_mapped_w(&self, gradients: &Array3<f32>) -> Array2<f32> {
        let (codes, rows, dim) = gradients.dim();
        Array2::from_shape_fn((codes, dim), |(code, column)| {
            let parts =
                (0..rows).map(|row| self.truncation.factor(row) * f64::from(gradients[[code, row, column]]));
            parts.sum::<f64>() as f32
        })
    }

    /// Gradients `[scores, w_dim]` at one z code by its mapped w, as gradients `[scores, z_dim]` by the z code.
    ///
    /// # Errors
    /// [`EditorError`] if the mapping fails.
    pub(crate) async fn through_mapping(
        &mut self,
        code: &LatentCode,
        by_w: Array2<f32>,
    ) -> Result<Array2<f32>, EditorError> {
        let count = by_w.nrows();
        let z = code.values().broadcast((count, code.dim()));
        let z = z.expect("a z code has one row").to_owned();
        let labels = labels(self.model, std::iter::repeat_n(code.label(), count))?;
        Ok(self.admission.mapping_gradients(z, labels, by_w).await?)
    }

    /// The tensor that synthesis takes for codes of one space. Codes in z are mapped first, if the model has a mapping.
    ///
    /// # Errors
    /// [`EditorError`] if mapping fails.
    pub(crate) async fn synthesis_input(
        &mut self,
        codes: &[LatentCode],
    ) -> Result<SynthesisCodes, EditorError> {
        if codes.first().is_some_and(|code| code.space() == LatentSpace::S) {
            let rows: Vec<_> = codes.iter().map(|code| code.values().view()).collect();
            let styles = concatenate(Axis(0), &rows).expect("styles of one model have one length");
            return Ok(SynthesisCodes::Styles(styles));
        }
        Ok(self.synthesis_rows(codes).await?.into())
    }

    /// The rows that synthesis takes for codes of one space, z, w or w+, `[codes, rows, dim]`. Codes in z are mapped first, if the
    /// model has a mapping.
    ///
    /// # Errors
    /// [`EditorError`] if mapping fails.
    pub(crate) async fn synthesis_rows(&mut self, codes: &[LatentCode]) -> Result<Array3<f32>, EditorError> {
        let in_z = codes.first().is_some_and(|code| code.space() == LatentSpace::Z);
        let mapped = if in_z && self.model.shape().has_mapping() {
            Some(self.map(codes).await?)
        } else {
            None
        };
        let codes = mapped.as_deref().unwrap_or(codes).iter();
        let values = codes.map(|code| code.values().view());
        Ok(synthesis_input(self.model.shape(), values))
    }

    /// The images of at most one batch of codes of one space, `[codes, 3, height, width]`.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn synthesize(&mut self, codes: &[LatentCode]) -> Result<Images, EditorError> {
        let input = self.synthesis_input(codes).await?;
        Ok(self.admission.synthesize(input).await?)
    }

    /// The scores `[codes, outputs]` of any number of codes of one space, in rounds of as many images as the request has
    /// permits for.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn score(&mut self, codes: &[LatentCode]) -> Result<Array2<f32>, EditorError> {
        let mut scores = Array2::zeros((0, self.model.outputs().len()));
        for round in codes.chunks(self.admission.images_at_once()) {
            let input = self.synthesis_input(round).await?;
            let mut parts = self.admission.synthesize_in_chunks(input, |images| images);
            while let Some(images) = self.admission.next_chunk(&mut parts).await {
                let part = self.admission.score(&images?).await?;
                scores
                    .append(Axis(0), part.view())
                    .expect("every part has one column for each output");
            }
        }
        Ok(scores)
    }

    /// Renders codes of one space. With a sender, the faces go there, and the returned list is empty.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails, or its output is not an image.
    pub(crate) async fn render(
        &mut self,
        codes: Vec<LatentCode>,
        outputs: RenderOutputs,
    ) -> Result<Vec<Face>, EditorError> {
        let range = self.model.generator().image_range;
        let pixels = move |images: &Images| {
            let to_image = |image| Image::from_tensor(image, range);
            images.axis_iter(Axis(0)).map(to_image).collect()
        };
        let on_cpu = self.model.engine().synthesizes_on_cpu();
        let embeds = outputs == RenderOutputs::ScoresAndIdentity && self.model.engine().has_recognizer();
        let mut rendered = Vec::new();
        let input = self.synthesis_input(&codes).await?;
        let mut codes = codes.into_iter();
        let mut parts = self.admission.synthesize_in_chunks(input, move |images| {
            let few = (on_cpu && images.len() <= FEW_VALUES).then(|| pixels(&images));
            (images, few)
        });
        while let Some(part) = self.admission.next_chunk(&mut parts).await {
            let (images, few) = part?;
            let (mut scores, mut embeddings) = (Vec::new(), Vec::new());
            if outputs != RenderOutputs::Images {
                scores = self.named_scores(&images).await?;
            }
            if embeds {
                let found = self.admission.embed(&images).await?;
                embeddings.extend(found.outer_iter().map(|row| row.to_owned()));
            }
            let codes = codes.by_ref().take(images.len_of(Axis(0))).collect();
            // Larger parts are converted off the async threads while the next part is synthesized.
            let later = || Pixels::InProgress(tokio::task::spawn_blocking(move || pixels(&images)));
            let part = RenderedPart {
                codes,
                pixels: few.map_or_else(later, Pixels::Finished),
                scores,
                embeddings,
            };
            match &self.sender {
                Some(sender) => sender.send(part),
                None => rendered.push(part),
            }
        }
        let mut faces = Vec::new();
        for part in rendered {
            faces.extend(part.faces().await?);
        }
        let codes: Vec<_> = faces.iter().map(|face| face.code.clone()).collect();
        let distances = self.model.boundaries().distances(&codes).await;
        for (face, distances) in faces.iter_mut().zip(distances) {
            face.distances = distances;
        }
        Ok(faces)
    }

    async fn named_scores(&mut self, images: &Images) -> Result<Vec<BTreeMap<String, f32>>, EditorError> {
        let scores = self.admission.score(images).await?;
        let attributes = self.model.classifiers().attributes().map(str::to_owned);
        Ok(scores
            .outer_iter()
            .map(|row| attributes.clone().zip(row.iter().copied()).collect())
            .collect())
    }
}
