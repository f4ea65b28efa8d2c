//! Re-scoring: what edits along boundaries do to the scores of every attribute, and to whose face it is.

use std::sync::Arc;

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, Axis, Slice};
use tokio::task::JoinSet;

use crate::editor::judging::identity::mean_similarity;
use crate::editor::{EditorError, Model};
use crate::latent::{Amount, Boundary, Direction, Edit, LatentCode, LatentError, apply, condition};

/// Distances from a plane that faces are brought to for the curves, and how far they are moved for the tables.
const FARTHEST: i32 = 10;
const STEP: usize = 2;
pub(crate) const BY: f64 = 3.0;

/// What edits do; rows and columns are the planes, in their order.
pub(crate) struct Rescoring {
    /// Distances from the plane that faces were brought to.
    pub(crate) positions: Vec<f64>,
    /// Mean scores `[edited, position, scored]` of the faces there.
    pub(crate) curves: Array3<f64>,
    /// Mean change `[edited, scored]` of the scores by [`BY`], in their standard deviations.
    pub(crate) plain: Array2<f64>,
    /// The same with all other attributes as conditions; `None` where these leave nothing of the edit.
    pub(crate) conditional: Vec<Option<Vec<f64>>>,
    /// Whose faces they remain, where the model has an identity graph.
    pub(crate) identity: Option<Identity>,
    /// What is left of each normal off all others; the normal itself where that is nothing.
    pub(crate) directions: Vec<Direction>,
}

/// How alike persons stay when they are edited: mean similarities to the faces before, −1 to 1, one for each edited
/// attribute.
#[derive(Clone, Debug)]
pub struct Identity {
    /// At every distance from the plane `[edited, position]`.
    pub curves: Array2<f64>,
    /// After the plain edit.
    pub plain: Vec<f64>,
    /// After the edit with all other attributes held, where there is one.
    pub conditional: Vec<Option<f64>>,
}

/// The planes that faces are moved by, the columns of their scores, and the deviations of these.
pub(crate) struct Planes<'a> {
    pub(crate) boundaries: &'a [Arc<Boundary>],
    pub(crate) columns: &'a [usize],
    pub(crate) deviations: &'a [f64],
}

/// How many pictures are drawn for so many faces.
pub(crate) fn rescored_pictures(faces: usize, planes: usize, with_identity: bool) -> usize {
    faces * (planes * (positions().len() + 2) + usize::from(with_identity))
}

fn positions() -> Vec<f64> {
    (-FARTHEST..=FARTHEST).step_by(STEP).map(f64::from).collect()
}

/// What the networks say of drawn codes, one row each.
struct Judgement {
    scores: Array2<f32>,
    embeddings: Option<Array2<f32>>,
}

/// Means over edited faces: the scores, and the similarity to the faces before.
struct Means {
    scores: Vec<f64>,
    similarity: Option<f64>,
}

/// The faces that are edited.
struct Faces<'a, F> {
    model: &'a Arc<Model>,
    columns: &'a [usize],
    codes: Vec<LatentCode>,
    /// Their embeddings before, where the model has an identity graph.
    embeddings: Option<Array2<f32>>,
    drawn: usize,
    told: F,
}

impl<F: FnMut(usize)> Faces<'_, F> {
    /// Moves, draws and judges all faces.
    async fn moved(&mut self, edit: Edit) -> Result<Means, EditorError> {
        let edits = [edit];
        let codes = self.codes.iter().map(|code| apply(code, &edits, None));
        let after = self.judge(codes.collect::<Result<_, _>>()?).await?;
        let own = after.scores.select(Axis(1), self.columns).mapv(f64::from);
        let similarity = self.embeddings.as_ref().zip(after.embeddings.as_ref());
        Ok(Means {
            scores: own.mean_axis(Axis(0)).expect("at least one face").to_vec(),
            similarity: similarity.map(|(before, after)| mean_similarity(before, after)),
        })
    }

    async fn judge(&mut self, codes: Vec<LatentCode>) -> Result<Judgement, EditorError> {
        self.drawn += codes.len();
        let judgement = self.model.judge(codes).await?;
        (self.told)(self.drawn);
        Ok(judgement)
    }
}

impl Model {
    /// Edits the faces `codes`, the first of the samples whose scores are `scores` `[sample, plane]`, along every plane;
    /// `told` hears how many pictures are drawn.
    pub(crate) async fn rescore(
        self: &Arc<Self>,
        planes: &Planes<'_>,
        codes: Vec<LatentCode>,
        scores: ArrayView2<'_, f64>,
        told: impl FnMut(usize),
    ) -> Result<Rescoring, EditorError> {
        let before = scores.slice_axis(Axis(0), Slice::from(..codes.len()));
        let before = before.mean_axis(Axis(0)).expect("at least one face");
        let mut faces = Faces {
            model: self,
            columns: planes.columns,
            codes,
            embeddings: None,
            drawn: 0,
            told,
        };
        if self.engine.has_recognizer() {
            faces.embeddings = faces.judge(faces.codes.clone()).await?.embeddings;
        }
        let in_deviations = |after: &[f64]| -> Vec<f64> {
            let changes = after.iter().zip(&before).zip(planes.deviations);
            changes
                .map(|((after, before), deviation)| (after - before) / deviation)
                .collect()
        };
        let (count, positions) = (planes.boundaries.len(), positions());
        let mut curves = Array3::zeros((count, positions.len(), count));
        let mut plain = Array2::zeros((count, count));
        let (mut conditional, mut directions) = (Vec::new(), Vec::new());
        let mut similar = Array2::zeros((count, positions.len()));
        let (mut similar_plain, mut similar_held) = (Vec::new(), Vec::new());
        for (place, boundary) in planes.boundaries.iter().enumerate() {
            let edit =
                |direction: &Direction, amount| Edit::new(Arc::clone(boundary), direction.clone(), amount);
            let normal = Direction::along(boundary);
            for (step, &position) in positions.iter().enumerate() {
                let means = faces.moved(edit(&normal, Amount::To(position))?).await?;
                curves
                    .index_axis_mut(Axis(0), place)
                    .row_mut(step)
                    .assign(&ArrayView1::from(&means.scores));
                similar[[place, step]] = means.similarity.unwrap_or(0.0);
            }
            let means = faces.moved(edit(&normal, Amount::By(BY))?).await?;
            plain
                .row_mut(place)
                .assign(&ArrayView1::from(&in_deviations(&means.scores)));
            similar_plain.extend(means.similarity);
            let held = held(place, planes.boundaries)?;
            let means = match &held {
                Some(direction) => Some(faces.moved(edit(direction, Amount::By(BY))?).await?),
                None => None,
            };
            similar_held.push(means.as_ref().and_then(|means| means.similarity));
            conditional.push(means.map(|means| in_deviations(&means.scores)));
            directions.push(held.unwrap_or(normal));
        }
        let identity = faces.embeddings.map(|_| Identity {
            curves: similar,
            plain: similar_plain,
            conditional: similar_held,
        });
        Ok(Rescoring {
            positions,
            curves,
            plain,
            conditional,
            identity,
            directions,
        })
    }

    /// What the networks say of what codes of one space draw.
    async fn judge(self: &Arc<Self>, codes: Vec<LatentCode>) -> Result<Judgement, EditorError> {
        let parts: Vec<Vec<LatentCode>> = codes
            .chunks(self.engine.largest_batch())
            .map(<[_]>::to_vec)
            .collect();
        let mut judged: Vec<Option<Judgement>> = parts.iter().map(|_| None).collect();
        let mut parts = parts.into_iter().enumerate();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < self.batches_at_once()
                && let Some((place, part)) = parts.next()
            {
                let model = Arc::clone(self);
                under_way.spawn(async move { (place, model.judge_batch(&part).await) });
            }
            let Some(done) = under_way.join_next().await else {
                break;
            };
            let (place, judgement) = done.expect("a batch does not panic, and nobody else ends it");
            judged[place] = Some(judgement?);
        }
        let mut judged = judged.into_iter().flatten();
        let mut whole = judged.next().expect("at least one code");
        for part in judged {
            append(&mut whole.scores, &part.scores);
            if let (Some(all), Some(own)) = (&mut whole.embeddings, &part.embeddings) {
                append(all, own);
            }
        }
        Ok(whole)
    }

    async fn judge_batch(&self, codes: &[LatentCode]) -> Result<Judgement, EditorError> {
        let mut admission = self.engine.background();
        let input = self.synthesis_input(&mut admission, codes, None).await?;
        let images = admission.synthesize(input).await?;
        let scores = admission.score(&images).await?;
        let embeddings = if self.engine.has_recognizer() {
            Some(admission.embed(&images).await?)
        } else {
            None
        };
        Ok(Judgement { scores, embeddings })
    }
}

fn append(all: &mut Array2<f32>, rows: &Array2<f32>) {
    all.append(Axis(0), rows.view())
        .expect("every run has rows of one length");
}

/// What is left of one boundary's normal off all others.
fn held(place: usize, boundaries: &[Arc<Boundary>]) -> Result<Option<Direction>, EditorError> {
    let others = boundaries.iter().enumerate().filter(|&(other, _)| other != place);
    let others: Vec<&Boundary> = others.map(|(_, boundary)| &**boundary).collect();
    match condition(&boundaries[place], &others) {
        Ok(conditioned) => Ok(Some(conditioned.direction)),
        Err(LatentError::Spanned { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
