//! What edits along boundaries change: the scores of every attribute, and the identity of the person.

use std::sync::Arc;

use ndarray::{Array2, Array3, ArrayView1, Axis};

use crate::editor::judging::held_direction::held_direction;
use crate::editor::judging::identity::mean_similarity;
use crate::editor::judging::image_outputs::{IdentityMeasure, ImageOutputs, image_outputs};
use crate::editor::judging::report::IdentityReport;
use crate::editor::{EditorError, Model};
use crate::latent::{Amount, Boundary, Direction, Edit, LatentCode, apply};

/// Largest distance from a boundary that faces are moved to for the curves.
const LARGEST_DISTANCE: i32 = 10;
/// Step between these distances.
const DISTANCE_STEP: usize = 2;
/// How far faces are moved for the tables of changes.
pub(crate) const BY: f64 = 3.0;

/// What edits change. Rows and columns are the attributes, in their order.
pub(crate) struct EditEffects {
    /// The signed distances that faces were moved to.
    pub(crate) positions: Vec<f64>,
    /// Mean scores `[edited, position, scored]` of the faces there.
    pub(crate) curves: Array3<f64>,
    /// Mean changes `[edited, scored]` of the scores after a move by [`BY`], in standard deviations.
    pub(crate) plain: Array2<f64>,
    /// The same with all other attributes as conditions; `None` if these leave nothing of the edit.
    pub(crate) conditional: Vec<Option<Vec<f64>>>,
    /// How similar persons stay, if the model has an identity graph.
    pub(crate) identity: Option<IdentityReport>,
    /// The projection of each normal onto the complement of all others; the normal itself if that is zero.
    pub(crate) directions: Vec<Direction>,
}

/// How many images are synthesized to measure the edits of `faces` faces.
pub(crate) fn measured_images(faces: usize, attributes: usize, with_identity: bool) -> usize {
    faces * (attributes * (positions().len() + 2) + usize::from(with_identity))
}

fn positions() -> Vec<f64> {
    let distances = (-LARGEST_DISTANCE..=LARGEST_DISTANCE).step_by(DISTANCE_STEP);
    distances.map(f64::from).collect()
}

/// Means over edited faces: the scores, and the similarity to the faces before.
struct Means {
    scores: Vec<f64>,
    similarity: Option<f64>,
}

/// Measures edits of some faces.
pub(crate) struct EditMeasurement<F> {
    pub(crate) model: Arc<Model>,
    /// The boundaries to move along.
    pub(crate) boundaries: Vec<Arc<Boundary>>,
    /// The columns of their attributes' scores.
    pub(crate) columns: Vec<usize>,
    /// The standard deviations of these scores.
    pub(crate) deviations: Vec<f64>,
    /// The mean scores of the faces before, in the order of `boundaries`.
    pub(crate) before: Vec<f64>,
    /// The codes of the faces, at least one.
    pub(crate) codes: Vec<LatentCode>,
    /// Gets the number of images synthesized so far.
    pub(crate) on_images: F,
}

impl<F: FnMut(usize)> EditMeasurement<F> {
    /// Moves all faces along every boundary.
    ///
    /// # Errors
    /// [`EditorError`] if a code leaves the range of single precision, or a network fails.
    pub(crate) async fn run(self) -> Result<EditEffects, EditorError> {
        let (count, positions) = (self.boundaries.len(), positions());
        let mut faces = MeasuredFaces {
            measurement: self,
            embeddings: None,
            images: 0,
        };
        if faces.measurement.model.engine().has_recognizer() {
            let codes = faces.measurement.codes.clone();
            faces.embeddings = faces.outputs(codes).await?.embeddings;
        }
        let mut effects = EditEffects {
            curves: Array3::zeros((count, positions.len(), count)),
            plain: Array2::zeros((count, count)),
            conditional: Vec::new(),
            identity: faces.embeddings.is_some().then(|| IdentityReport {
                curves: Array2::zeros((count, positions.len())),
                plain: Vec::new(),
                conditional: Vec::new(),
            }),
            directions: Vec::new(),
            positions,
        };
        for edited in 0..count {
            faces.measure(edited, &mut effects).await?;
        }
        Ok(effects)
    }

    /// Moves all faces by [`BY`] along each boundary, without conditions: the mean changes of the scores, in standard deviations.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub(crate) async fn plain_changes(self) -> Result<Vec<Vec<f64>>, EditorError> {
        let mut faces = MeasuredFaces {
            measurement: self,
            embeddings: None,
            images: 0,
        };
        let mut all = Vec::new();
        for boundary in faces.measurement.boundaries.clone() {
            let direction = Direction::along(&boundary);
            let means = faces
                .means_after(Edit::new(boundary, direction, Amount::By(BY))?)
                .await?;
            all.push(faces.measurement.changes(&means.scores));
        }
        Ok(all)
    }

    /// The change of mean scores, in standard deviations.
    fn changes(&self, after: &[f64]) -> Vec<f64> {
        let scores = after.iter().zip(&self.before).zip(&self.deviations);
        scores
            .map(|((after, before), &deviation)| {
                // A score that is the same for all samples has no unit.
                if deviation > 0.0 {
                    (after - before) / deviation
                } else {
                    0.0
                }
            })
            .collect()
    }

    /// The direction of `boundary` that changes no other attribute; `None` if the others leave nothing of its normal.
    fn held(&self, boundary: usize) -> Result<Option<Direction>, EditorError> {
        let others = self.boundaries.iter().enumerate();
        let others = others.filter(|&(other, _)| other != boundary);
        let others: Vec<&Boundary> = others.map(|(_, boundary)| &**boundary).collect();
        Ok(held_direction(&self.boundaries[boundary], &others)?)
    }
}

/// A measurement in progress.
struct MeasuredFaces<F> {
    measurement: EditMeasurement<F>,
    /// The embeddings of the faces before, if the model has an identity graph.
    embeddings: Option<Array2<f32>>,
    /// Images synthesized so far.
    images: usize,
}

impl<F: FnMut(usize)> MeasuredFaces<F> {
    /// Measures the edits along one boundary.
    async fn measure(&mut self, edited: usize, effects: &mut EditEffects) -> Result<(), EditorError> {
        let boundary = Arc::clone(&self.measurement.boundaries[edited]);
        let edit =
            |direction: &Direction, amount| Edit::new(Arc::clone(&boundary), direction.clone(), amount);
        let normal = Direction::along(&boundary);
        for (index, &position) in effects.positions.iter().enumerate() {
            let means = self.means_after(edit(&normal, Amount::To(position))?).await?;
            let mut curve = effects.curves.index_axis_mut(Axis(0), edited);
            curve.row_mut(index).assign(&ArrayView1::from(&means.scores));
            if let (Some(identity), Some(similarity)) = (&mut effects.identity, means.similarity) {
                identity.curves[[edited, index]] = similarity;
            }
        }
        let plain = self.means_after(edit(&normal, Amount::By(BY))?).await?;
        let changes = self.measurement.changes(&plain.scores);
        effects.plain.row_mut(edited).assign(&ArrayView1::from(&changes));
        let held = self.measurement.held(edited)?;
        let conditional = match &held {
            Some(direction) => Some(self.means_after(edit(direction, Amount::By(BY))?).await?),
            None => None,
        };
        if let Some(identity) = &mut effects.identity {
            identity.plain.extend(plain.similarity);
            let similarity = conditional.as_ref().and_then(|means| means.similarity);
            identity.conditional.push(similarity);
        }
        let changes = conditional.map(|means| self.measurement.changes(&means.scores));
        effects.conditional.push(changes);
        effects.directions.push(held.unwrap_or(normal));
        Ok(())
    }

    /// Moves all faces, and averages their scores and similarities.
    async fn means_after(&mut self, edit: Edit) -> Result<Means, EditorError> {
        let edits = [edit];
        let codes = self.measurement.codes.iter();
        let codes = codes.map(|code| apply(code, &edits, None));
        let after = self.outputs(codes.collect::<Result<_, _>>()?).await?;
        let scores = after.scores.select(Axis(1), &self.measurement.columns);
        let scores = scores.mapv(f64::from).mean_axis(Axis(0));
        let pair = self.embeddings.as_ref().zip(after.embeddings.as_ref());
        Ok(Means {
            scores: scores.expect("at least one face").to_vec(),
            similarity: pair.map(|(before, after)| mean_similarity(before, after)),
        })
    }

    async fn outputs(&mut self, codes: Vec<LatentCode>) -> Result<ImageOutputs, EditorError> {
        self.images += codes.len();
        let model = &self.measurement.model;
        let outputs = image_outputs(model, &codes, IdentityMeasure::graph_of(model)).await?;
        (self.measurement.on_images)(self.images);
        Ok(outputs)
    }
}
