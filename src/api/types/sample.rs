//! The request of `/v1/sample`.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::{Group, Unrecorded};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::face::{CodeInput, OneOrMany, TruncationInput, check_many};
use crate::api::types::number::{Integer, MOST_U32};
use crate::api::types::output_options::{Format, OutputOptions};
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::editor::{FaceSource, ManyFaces, SampleRequest};

fields! {
    /// Faces to sample.
    #[examples(
        serde_json::json!({"seed": 7}),
        serde_json::json!({"seed": 1, "count": 16, "psi": 0.7}),
        serde_json::json!({"seeds": [85, 265, 297]}),
    )]
    pub(crate) struct SampleInput {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        code: Group<CodeInput>,
        /// How many faces: those of the seeds `seed`, `seed` + 1, and so on. Default: 1.
        count: Option<Integer<1, MOST_U32>>,
        /// The space of the codes in a JSON response. Default: the given code's space; for a seed, the model's default space.
        space: Option<Space>,
        truncation: Group<TruncationInput>,
        output: Unrecorded<OutputOptions>,
    }
}

impl SampleInput {
    /// The editor's request.
    pub(crate) fn request(&self, api: &Api, format: Format) -> Result<SampleRequest, Problem> {
        Ok(SampleRequest {
            sources: self.sources(|field, count| api.check_count(field, count))?,
            space: self.space.map(Into::into),
            truncation: self.truncation.choice(),
            with_scores: format == Format::Json,
        })
    }

    /// The editor's request for faces without pictures.
    pub(crate) fn many(&self) -> Result<ManyFaces, Problem> {
        Ok(ManyFaces {
            sources: self.sources(check_many)?,
            space: self.space.map(Into::into),
            truncation: self.truncation.choice(),
            edit: None,
        })
    }

    /// The sources of the faces, if `check` accepts their number.
    fn sources(
        &self,
        check: impl Fn(&str, usize) -> Result<(), Problem>,
    ) -> Result<Vec<FaceSource>, Problem> {
        let count = self.count.map(Integer::u32);
        check("count", count.unwrap_or(1) as usize)?;
        match (self.code.faces()?, count) {
            (OneOrMany::One(source), count) => consecutive(source, count.unwrap_or(1)),
            (OneOrMany::Many(sources), None) => {
                check(self.code.field_of_many(), sources.len())?;
                Ok(sources)
            }
            (OneOrMany::Many(_), Some(_)) => {
                let reason = "found it beside a list of faces, which are counted already; leave it out";
                Err(Problem::field("count", reason))
            }
        }
    }
}

/// The sources of `count` faces: a seed and those after it.
fn consecutive(source: FaceSource, count: u32) -> Result<Vec<FaceSource>, Problem> {
    let label = match &source {
        FaceSource::LabelledSeed(_, label) => Some(label.clone()),
        FaceSource::Seed(_) | FaceSource::Latent(_) => None,
    };
    let of_seed = |seed| match &label {
        None => FaceSource::Seed(seed),
        Some(label) => FaceSource::LabelledSeed(seed, label.clone()),
    };
    match source {
        FaceSource::Seed(first) | FaceSource::LabelledSeed(first, _) => {
            let seeds = (0..count).map(|step| first.checked_add(step).map(&of_seed));
            let reason = || {
                format!(
                    "found {first} with count {count}, expected the last seed to be at most {}",
                    u32::MAX
                )
            };
            seeds
                .collect::<Option<_>>()
                .ok_or_else(|| Problem::field("seed", reason()))
        }
        FaceSource::Latent(_) if count > 1 => {
            let reason = format!("found {count} beside a latent code, which is one face; leave it out");
            Err(Problem::field("count", reason))
        }
        source @ FaceSource::Latent(_) => Ok(vec![source]),
    }
}
