//! The faces of a group of seeds: one run of the generator, and the runs of their edits.

use std::sync::Arc;

use ndarray::Array1;

use crate::editor::batch::request::{BatchFace, BatchRequest, Limits};
use crate::editor::judging::identity::similarity;
use crate::editor::many_faces::Edits;
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Model};
use crate::imaging::Image;
use crate::latent::{LatentCode, SeedChunk};

/// A seed and its code.
pub(crate) type SeedCode = (u32, LatentCode);

/// Makes the faces of groups of seeds.
///
/// The runs of the generator have the same codes whatever the range of seeds is: groups begin at multiples of their size, and a group
/// at an end of the range is made as a whole. Codes that fill no whole run are repeated. Results of ONNX Runtime can depend on the
/// number of images in a run, so this is what makes the bits of a seed's face the same in every batch.
pub(crate) struct GroupMaker {
    model: Arc<Model>,
    request: BatchRequest,
    edits: Edits,
    keep: Limits,
    keep_originals: Limits,
    /// An edited code, for its space and its shape.
    example: LatentCode,
}

/// What is found out about codes.
#[derive(Clone, Copy)]
struct Wanted {
    images: bool,
    scores: bool,
    embeddings: bool,
}

/// What was found out about a code.
struct Made {
    image: Option<Image>,
    scores: Vec<f32>,
    embedding: Option<Array1<f32>>,
}

impl GroupMaker {
    /// Checks the request, and plans its edits.
    ///
    /// # Errors
    /// [`EditorError`] if the request does not fit the model.
    pub(crate) async fn new(model: Arc<Model>, request: BatchRequest) -> Result<Self, EditorError> {
        if request.with_scores {
            model.classifiers().require_any()?;
        }
        let edits = Edits::plan(&model, &request.faces).await?;
        // Any seed shows whether the layers exist and the distances can be reached together.
        let mut renderer = Self::renderer(&model, &request)?;
        let codes = renderer.codes(&request.faces.sources, edits.space).await?;
        let example = edits.apply(&request.faces, &codes)?.swap_remove(0);
        Ok(Self {
            example,
            keep: Limits::of(&model, &request.keep)?,
            keep_originals: Limits::of(&model, &request.keep_originals)?,
            edits,
            model,
            request,
        })
    }

    fn renderer<'m>(model: &'m Model, request: &BatchRequest) -> Result<Renderer<'m>, EditorError> {
        let truncation = MappingTruncation::new(model, request.faces.truncation)?;
        Ok(Renderer::new(model, truncation, model.engine().background()))
    }

    /// The model.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// A code of the batch, for its space and its shape.
    pub(crate) fn example(&self) -> &LatentCode {
        &self.example
    }

    /// The codes of a chunk as groups; groups without a seed of the range are left out.
    ///
    /// # Errors
    /// [`EditorError`] if the mapping fails.
    pub(crate) async fn groups(&self, chunk: SeedChunk) -> Result<Vec<Vec<SeedCode>>, EditorError> {
        let sources: Vec<_> = chunk.whole().map(|seed| self.request.source(seed)).collect();
        let mut renderer = Self::renderer(&self.model, &self.request)?;
        let codes = renderer.codes(&sources, self.edits.space).await?;
        let codes: Vec<SeedCode> = chunk.whole().zip(codes).collect();
        let groups = codes.chunks(self.request.batch_size);
        let is_wanted = |group: &&[SeedCode]| group.iter().any(|&(seed, _)| chunk.contains(seed));
        Ok(groups.filter(is_wanted).map(<[SeedCode]>::to_vec).collect())
    }

    /// The faces of a group that are kept, in the order of the seeds.
    ///
    /// # Errors
    /// [`EditorError`] if an edit does not fit a face, or a network fails.
    pub(crate) async fn make(
        &self,
        chunk: SeedChunk,
        group: Vec<SeedCode>,
    ) -> Result<Vec<BatchFace>, EditorError> {
        let request = &self.request;
        let wanted = Wanted {
            images: request.with_images,
            scores: request.with_scores || !self.keep.is_empty(),
            embeddings: false,
        };
        let (seeds, codes): (Vec<u32>, Vec<LatentCode>) = group.into_iter().unzip();
        let mut originals = if request.faces.edit.is_none() {
            let scores = wanted.scores || !self.keep_originals.is_empty();
            self.find_out(&codes, Wanted { scores, ..wanted }).await?
        } else {
            let wanted = Wanted {
                images: false,
                scores: !self.keep_originals.is_empty(),
                embeddings: request.least_similarity.is_some(),
            };
            self.find_out(&codes, wanted).await?
        };
        // Seeds outside the range are edited with the others, so that the runs of edited codes are the same for every range.
        let is_kept = |index: &usize| self.keep_originals.accept(&originals[*index].scores);
        let kept: Vec<usize> = (0..seeds.len()).filter(is_kept).collect();
        if request.faces.edit.is_none() {
            let in_range = kept.into_iter().filter(|&index| chunk.contains(seeds[index]));
            let faces = in_range.filter_map(|index| {
                let made = std::mem::replace(&mut originals[index], Made::NOTHING);
                let code = codes[index].clone();
                self.kept(BatchFace::of(seeds[index], code, made))
            });
            return Ok(faces.collect());
        }
        let has_positions = !request.faces.positions().is_empty();
        let originals_of_kept: Vec<_> = kept.iter().map(|&index| codes[index].clone()).collect();
        let edited = self.edits.apply(&request.faces, &originals_of_kept)?;
        let each = edited.len() / kept.len().max(1);
        let wanted = Wanted {
            embeddings: request.least_similarity.is_some(),
            ..wanted
        };
        let made = self.find_out(&edited, wanted).await?;
        let faces = edited.into_iter().zip(made).enumerate();
        let faces = faces.filter_map(|(face, (code, made))| {
            let original = kept[face / each];
            if !chunk.contains(seeds[original]) {
                return None;
            }
            let embeddings = (&originals[original].embedding, &made.embedding);
            let similarity = match embeddings {
                (Some(before), Some(after)) => Some(similarity(before.view(), after.view())),
                _ => None,
            };
            self.kept(BatchFace {
                position: has_positions.then_some(face % each),
                similarity,
                ..BatchFace::of(seeds[original], code, made)
            })
        });
        Ok(faces.collect())
    }

    /// The face, if it is kept.
    fn kept(&self, mut face: BatchFace) -> Option<BatchFace> {
        let is_similar = match (self.request.least_similarity, face.similarity) {
            (Some(least), Some(found)) => found >= least,
            _ => true,
        };
        let is_kept = is_similar && self.keep.accept(&face.scores);
        if !self.request.with_scores {
            face.scores.clear();
        }
        is_kept.then_some(face)
    }

    /// What is `wanted` of the codes, in runs of whole batches.
    async fn find_out(&self, codes: &[LatentCode], wanted: Wanted) -> Result<Vec<Made>, EditorError> {
        let nothing = !(wanted.images || wanted.scores || wanted.embeddings);
        if nothing || codes.is_empty() {
            return Ok(codes.iter().map(|_| Made::NOTHING).collect());
        }
        let mut renderer = Self::renderer(&self.model, &self.request)?;
        let mut made = Vec::with_capacity(codes.len());
        for run in codes.chunks(self.request.batch_size) {
            let mut whole = run.to_vec();
            let last = run[run.len() - 1].clone();
            whole.resize(self.request.batch_size, last);
            let found = find_out_whole(&mut renderer, whole, wanted).await?;
            made.extend(found.into_iter().take(run.len()));
        }
        Ok(made)
    }
}

/// What is `wanted` of as many codes as a run of the generator has.
async fn find_out_whole(
    renderer: &mut Renderer<'_>,
    codes: Vec<LatentCode>,
    wanted: Wanted,
) -> Result<Vec<Made>, EditorError> {
    if !wanted.images && !wanted.embeddings {
        let scores = renderer.score(&codes).await?;
        let made = scores.outer_iter().map(|scores| Made {
            scores: scores.to_vec(),
            ..Made::NOTHING
        });
        return Ok(made.collect());
    }
    let outputs = if wanted.embeddings {
        RenderOutputs::ScoresAndIdentity
    } else {
        RenderOutputs::with_scores(wanted.scores)
    };
    let attributes: Vec<String> = renderer
        .model()
        .classifiers()
        .attributes()
        .map(str::to_owned)
        .collect();
    let faces = renderer.render(codes, outputs).await?;
    let made = faces.into_iter().map(|face| Made {
        scores: attributes
            .iter()
            .filter_map(|name| face.scores.get(name).copied())
            .collect(),
        image: wanted.images.then_some(face.image),
        embedding: face.embedding,
    });
    Ok(made.collect())
}

impl Made {
    const NOTHING: Self = Self {
        image: None,
        scores: Vec::new(),
        embedding: None,
    };
}

impl BatchFace {
    fn of(seed: u32, code: LatentCode, made: Made) -> Self {
        Self {
            seed,
            position: None,
            code,
            image: made.image,
            scores: made.scores,
            similarity: None,
        }
    }
}
