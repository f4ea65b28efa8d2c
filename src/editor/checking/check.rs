//! The check: samples faces, and asks every network about them.

use std::sync::Arc;

use ndarray::{Array2, Array4, ArrayView1, Axis, Slice};

use crate::editor::checking::findings::{Findings, IdentityFindings, ScoreFindings, above};
use crate::editor::inversion::encoding::encode;
use crate::editor::inversion::target::find_face;
use crate::editor::judging::identity::{mean_similarity, similarity};
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, FaceSource, Model, TruncationChoice};
use crate::engine::{EngineError, Images};
use crate::imaging::{Image, ImageRange, shrunk};
use crate::latent::LatentCode;

/// Longest side of a face on the contact sheet, in pixels.
const SIDE: usize = 160;
/// Longest side of the images by which an encoded face is compared, in pixels.
const COMPARED: usize = 32;
/// The values of black and white that public networks take.
const RANGES: [[f32; 2]; 3] = [[-1.0, 1.0], [0.0, 1.0], [0.0, 255.0]];

/// Samples the faces of the first `faces` seeds with the model's default truncation, and asks every network about them.
///
/// A network that fails is a failure in the findings.
///
/// # Errors
/// [`EditorError`] if the generator fails, or its images have values that are not finite.
pub async fn check_networks(model: &Model, faces: u32) -> Result<Findings, EditorError> {
    let truncation = MappingTruncation::new(model, TruncationChoice::default())?;
    let renderer = Renderer::new(model, truncation, model.engine().background());
    let mut check = Check::new(renderer);
    let seeds: Vec<u32> = (0..faces).collect();
    for batch in seeds.chunks(model.engine().largest_batch().max(1)) {
        check.add(batch).await?;
    }
    Ok(check.finish())
}

/// A check in progress.
struct Check<'m> {
    renderer: Renderer<'m>,
    range: ImageRange,
    findings: Findings,
    /// Whether a classifier failed. The scores of some faces without those of others would only confuse.
    scores_failed: bool,
    embeddings: Vec<Array2<f32>>,
    changed_embeddings: Vec<Array2<f32>>,
    /// Each face, and the face of its encoded code, small.
    encoded: Vec<(Image, Image)>,
}

impl<'m> Check<'m> {
    fn new(renderer: Renderer<'m>) -> Self {
        let model = renderer.model();
        let outputs = model.classifiers().outputs().iter().enumerate();
        let scores = outputs.map(|(column, output)| ScoreFindings {
            attribute: output.attribute.clone(),
            threshold: output.threshold,
            range: model.classifiers().range(column),
            values: Vec::new(),
            alternatives: Vec::new(),
        });
        Self {
            range: model.generator().image_range,
            findings: Findings {
                faces: Vec::new(),
                scores: scores.collect(),
                landmarks: model.engine().landmarker_size().map(|_| 0),
                identity: None,
                encoder: None,
                failures: Vec::new(),
            },
            scores_failed: false,
            embeddings: Vec::new(),
            changed_embeddings: Vec::new(),
            encoded: Vec::new(),
            renderer,
        }
    }

    /// Adds the faces of one batch of seeds.
    async fn add(&mut self, seeds: &[u32]) -> Result<(), EditorError> {
        let sources: Vec<_> = seeds.iter().copied().map(FaceSource::Seed).collect();
        let codes = self.renderer.codes(&sources, None).await?;
        let images = self.renderer.synthesize(&codes).await?;
        let pixels = self.pixels(&images)?;
        self.add_scores(&images).await;
        self.add_embeddings(&images).await;
        self.add_landmarks(&pixels).await;
        self.add_encoded(&images, &pixels).await?;
        let small = pixels.into_iter().map(|image| shrunk(image, SIDE));
        self.findings.faces.extend(seeds.iter().copied().zip(small));
        Ok(())
    }

    fn pixels(&self, images: &Images) -> Result<Vec<Image>, EditorError> {
        let pixels = images
            .axis_iter(Axis(0))
            .map(|image| Image::from_tensor(image, self.range));
        Ok(pixels.collect::<Result<_, _>>()?)
    }

    async fn add_scores(&mut self, images: &Images) {
        if self.findings.scores.is_empty() || self.scores_failed {
            return;
        }
        let scores = self.renderer.admission.score(images).await;
        let Some(scores) = self.noted(scores) else {
            self.scores_failed = true;
            self.findings
                .scores
                .iter_mut()
                .for_each(|found| found.values.clear());
            return;
        };
        for (found, column) in self.findings.scores.iter_mut().zip(scores.axis_iter(Axis(1))) {
            found.values.extend(column);
        }
        let mut ranges: Vec<[f32; 2]> = Vec::new();
        for found in &self.findings.scores {
            if !ranges.contains(&found.range) {
                ranges.push(found.range);
            }
        }
        for range in ranges {
            for other in RANGES.into_iter().filter(|other| !is_same(*other, range)) {
                let converted = in_another_range(images, self.range, range, other);
                // A failure here says nothing about the manifest.
                let Ok(scores) = self.renderer.admission.score(&converted).await else {
                    continue;
                };
                let columns = self.findings.scores.iter_mut().zip(scores.axis_iter(Axis(1)));
                for (found, column) in columns.filter(|(found, _)| is_same(found.range, range)) {
                    let count = above(&column.to_vec(), found.threshold);
                    match found
                        .alternatives
                        .iter_mut()
                        .find(|(known, _)| is_same(*known, other))
                    {
                        Some((_, sum)) => *sum += count,
                        None => found.alternatives.push((other, count)),
                    }
                }
            }
        }
    }

    async fn add_embeddings(&mut self, images: &Images) {
        if !self.renderer.model().engine().has_recognizer() {
            return;
        }
        let changed = slightly_changed(images, self.range);
        let embeddings = self.renderer.admission.embed(images).await;
        let changed = self.renderer.admission.embed(&changed).await;
        if let (Some(embeddings), Some(changed)) = (self.noted(embeddings), self.noted(changed)) {
            self.embeddings.push(embeddings);
            self.changed_embeddings.push(changed);
        }
    }

    async fn add_landmarks(&mut self, pixels: &[Image]) {
        let model = self.renderer.model();
        let Some(size) = model.engine().landmarker_size() else {
            return;
        };
        for image in pixels {
            let found = find_face(
                model,
                &mut self.renderer.admission,
                &Arc::new(image.clone()),
                size,
            )
            .await;
            match found {
                Ok(_) => *self.findings.landmarks.get_or_insert(0) += 1,
                // The number of faces that were found says it.
                Err(EditorError::NoFace(_)) => {}
                Err(error) => self.fail(error.to_string()),
            }
        }
    }

    async fn add_encoded(&mut self, images: &Images, pixels: &[Image]) -> Result<(), EditorError> {
        let model = self.renderer.model();
        if !model.engine().has_encoder() {
            return Ok(());
        }
        let mut codes: Vec<LatentCode> = Vec::new();
        for image in images.axis_chunks_iter(Axis(0), 1) {
            match encode(model, &mut self.renderer.admission, image.to_shared()).await {
                Ok(code) => codes.push(code),
                Err(error) => {
                    self.fail(error.to_string());
                    return Ok(());
                }
            }
        }
        let found = self.renderer.synthesize(&codes).await?;
        let found = self.pixels(&found)?;
        let small = |image: Image| shrunk(image, COMPARED);
        let pairs = pixels
            .iter()
            .cloned()
            .map(small)
            .zip(found.into_iter().map(small));
        self.encoded.extend(pairs);
        Ok(())
    }

    fn finish(mut self) -> Findings {
        if !self.embeddings.is_empty() {
            self.findings.identity = Some(compared(&rows(&self.embeddings), &rows(&self.changed_embeddings)));
        }
        if self.renderer.model().engine().has_encoder() {
            let nearest = |found: &Image| {
                let distances = self.encoded.iter().map(|(face, _)| distance(face, found));
                distances.enumerate().min_by_key(|(_, distance)| *distance)
            };
            let own = |(index, (_, found)): &(usize, &(Image, Image))| {
                nearest(found).is_some_and(|(nearest, _)| nearest == *index)
            };
            self.findings.encoder = Some(self.encoded.iter().enumerate().filter(own).count());
        }
        self.findings
    }

    /// The value, or the failure as a finding.
    fn noted<T>(&mut self, result: Result<T, EngineError>) -> Option<T> {
        result.map_err(|error| self.fail(error.to_string())).ok()
    }

    fn fail(&mut self, failure: String) {
        if !self.findings.failures.contains(&failure) {
            self.findings.failures.push(failure);
        }
    }
}

fn is_same(one: [f32; 2], other: [f32; 2]) -> bool {
    one.map(f32::to_bits) == other.map(f32::to_bits)
}

/// Images with which a network gets the values of `other`, although its images are converted to `range`.
fn in_another_range(
    images: &Images,
    own: ImageRange,
    [black, white]: [f32; 2],
    [other_black, other_white]: [f32; 2],
) -> Images {
    let length = own.white() - own.black();
    let convert = |value: f32| {
        let wanted = other_black + (value - own.black()) / length * (other_white - other_black);
        own.black() + (wanted - black) / (white - black) * length
    };
    images.mapv(convert).into_shared()
}

/// The same faces, a little darker, and shifted to the right by a 64th of the width.
fn slightly_changed(images: &Images, range: ImageRange) -> Images {
    let width = images.len_of(Axis(3));
    let shift = (width / 64).clamp(1, width.max(2) - 1);
    let mut changed = Array4::from_elem(images.raw_dim(), range.black());
    let mut right = changed.slice_axis_mut(Axis(3), Slice::from(shift..));
    right.assign(&images.slice_axis(Axis(3), Slice::from(..width - shift)));
    changed.mapv_inplace(|value| range.black() + 0.9 * (value - range.black()));
    changed.into_shared()
}

fn rows(parts: &[Array2<f32>]) -> Array2<f32> {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    ndarray::concatenate(Axis(0), &views).expect("embeddings have one length")
}

/// The mean cosine of each face with its changed image, and of all pairs of different faces.
fn compared(embeddings: &Array2<f32>, changed: &Array2<f32>) -> IdentityFindings {
    let rows: Vec<ArrayView1<'_, f32>> = embeddings.outer_iter().collect();
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (index, one) in rows.iter().enumerate() {
        for other in &rows[index + 1..] {
            sum += similarity(*one, *other);
            pairs += 1.0;
        }
    }
    IdentityFindings {
        same: mean_similarity(embeddings, changed),
        different: sum / f64::max(pairs, 1.0),
    }
}

/// The sum of the differences of all bytes.
fn distance(one: &Image, other: &Image) -> u64 {
    let bytes = one.rgb().iter().zip(other.rgb());
    bytes.map(|(one, other)| u64::from(one.abs_diff(*other))).sum()
}
