//! The request for a report on boundaries.

use crate::api::decode::declare::fields;
use crate::api::problem::Problem;
use crate::api::types::number::{Integer, Seed};
use crate::api::types::space::Space;
use crate::editor::ReportRequest;
use crate::latent::LatentSpace;

/// The number of faces to sample in a request that names none.
const SAMPLES: usize = 2000;

/// The number of faces to edit in a request that names none.
const FACES: usize = 50;

fields! {
    /// The boundaries to report on, and the faces to judge them by.
    #[examples(serde_json::json!({"space": "w", "samples": 100, "faces": 5, "seed": 1}))]
    pub(crate) struct ReportInput {
        /// The boundaries' space, z or w. Default: the model's default space; if that is w+, w.
        space: Option<Space>,
        /// How many faces are sampled and scored. Default: 2,000.
        samples: Option<Integer<50, 100_000>>,
        /// How many of the samples are edited. Default: 50.
        faces: Option<Integer<1, 1000>>,
        /// How many faces every method of editing moves, to compare the methods. Methods that search for a score move at
        /// most four faces. It takes many images: some 50 for each face and attribute, some 300 more for each attribute of the first four faces, with an encoder
        /// some 150 more to undo their edits, and 16 for each style channel of a generator with at most 1,200. Default: the methods are not compared.
        compare: Option<Integer<1, 100>>,
        /// The seed of the samples. Default: 0. With another seed than the boundaries' own, they are judged by faces that they were not
        /// fitted to.
        seed: Option<Seed>,
    }
}

impl ReportInput {
    /// The editor's request; `default` is the model's default space.
    pub(crate) fn request(&self, default: LatentSpace) -> Result<ReportRequest, Problem> {
        let samples = self.samples.map_or(SAMPLES, Integer::usize);
        let faces = self.faces.map_or(FACES.min(samples), Integer::usize);
        if faces > samples {
            let reason = format!("found {faces}, expected at most the {samples} samples");
            return Err(Problem::field("faces", reason));
        }
        Ok(ReportRequest {
            space: self.space.map_or(default, Into::into),
            samples,
            faces,
            compared: self.compare.map_or(0, Integer::usize),
            seed: self.seed.map_or(0, Integer::u32),
        })
    }
}
