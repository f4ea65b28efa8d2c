//! The request to fit boundaries.

use std::sync::Arc;

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Required;
use crate::api::problem::Problem;
use crate::api::types::base64::Base64;
use crate::api::types::choice::choice;
use crate::api::types::list::List;
use crate::api::types::number::{Finite, Integer, MOST_U32, Positive, Seed};
use crate::api::types::page::JobPosition;
use crate::api::types::sample_count::SampleCount;
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::catalog::NpyArray;
use crate::editor::{
    self, KeepRule, KeptSamples, LabelledCodes, LabelledCodesError, TrainRequest, TrainSource,
};
use crate::latent::{BoundaryFit, FitMethod, LatentSpace, SampleSelection};

/// The largest body with codes and their scores, in bytes: some 20,000 codes of 512 numbers.
pub(crate) const LARGEST_BODY: usize = 64 * 1024 * 1024;

choice! {
    /// Which boundary the model has after a training.
    pub(crate) enum KeepRuleName as KeepRule {
        /// The new one.
        New = "new",
        /// The better one of the new one and the one that the model has. A fifth of the samples is held out from the fit; better is one
        /// that separates their sides of the threshold better (AUC), by more than two standard errors. If the current one was fitted to them (the same seed), it stays.
        Better = "better",
    }
}

choice! {
    /// How a boundary is fitted.
    pub(crate) enum FitMethodName as FitMethod {
        /// The best direction that the samples hold: ridge regression of the scores or of their ranks, or logistic regression of the sides
        /// of the threshold, whichever separates held-out samples better; if there are only two scores, logistic regression.
        Regression = "regression",
        /// A linear support vector machine on the extremes of the scores, as in the paper.
        Svm = "svm",
        /// Least squares of the scores on all codes.
        LeastSquares = "least-squares",
    }
}

fields! {
    /// The boundaries to fit: from sampled faces that the model's classifiers score, or from given `codes` and `scores`.
    #[examples(
        serde_json::json!({"attributes": ["smile"], "names": ["smile-2"], "space": "w", "samples": 400, "keep": "better"}),
        serde_json::json!({"attributes": ["smile", "age"], "names": ["smile-svm", "age-svm"], "space": "w", "samples": 2000, "method": "svm", "ratio": 0.1, "seed": 2020}),
    )]
    pub(crate) struct TrainInput {
        /// The attributes, one boundary each; exactly one if `scores` are given.
        attributes: Required<List<Name, 1, 64>>,
        /// The names of the boundaries, one for each of `attributes`. Default: `attributes`. A boundary of another name does not replace
        /// that of the attribute.
        names: Option<List<Name, 1, 64>>,
        /// The space of the boundaries. Default: the model's default space. Sampled codes are in z or w. In s, the job ranks the style channels
        /// instead: it moves each channel in sampled faces, and each boundary moves the `channels` that change its attribute most and the
        /// others least.
        space: Option<Space>,
        /// How many faces to sample; `auto`: until the directions of all attributes have settled, which is when each has an expected cosine
        /// of at least 0.99, and at most 100,000. Default: 10,000. Their codes take at most half of the memory that the service may use
        /// (`--memory`). In s, it is the number of images that the ranking may make, and `auto`, the default there, moves each channel in 16 faces, or in
        /// fewer if that takes more than 100,000 images.
        samples: Option<SampleCount>,
        /// How many samples at each end of the scores count as extremes, at most half of all. `svm` is fitted to a part of them and checked
        /// with the rest; for the other methods, they only give `held_out`.
        chosen: Option<Integer<1, MOST_U32>>,
        /// `chosen` as a share of all samples. Default: 0.02, if there is no `chosen`.
        ratio: Option<Positive<1>>,
        /// The share of the chosen samples that `svm` is fitted to; the others are held out. Default: 0.7.
        split: Option<Positive<1>>,
        /// In s: how many style channels each boundary moves. Default: 10.
        channels: Option<Integer<1, 1024>>,
        /// The seed of the samples and of the split. Default: 0; with `samples_from`, which has the samples, that of these.
        seed: Option<Seed>,
        /// The score above which a face has the attribute. Default: what the model says of its classifier; for given `scores`, their
        /// median; between two different scores, and for `svm`, the mean of the lowest and the highest.
        threshold: Option<Finite>,
        /// A score that marks samples to leave out.
        invalid_score: Option<Finite>,
        /// How the boundary is fitted. Default: `regression`.
        method: Option<FitMethodName>,
        /// Which boundary the model has afterwards. Default: `new`.
        keep: Option<KeepRuleName>,
        /// The id of an earlier training of this model: the boundaries are fitted to its samples, and nothing is sampled.
        samples_from: Option<JobPosition>,
        /// A `.npy` file in base64: codes of shape (samples, dim), in w+ (samples, layers, dim).
        codes: Option<Base64<LARGEST_BODY>>,
        /// A `.npy` file in base64: a score for each of the codes, of shape (samples) or (samples, 1).
        scores: Option<Base64<LARGEST_BODY>>,
    }
}

impl TrainInput {
    /// The id of the job whose samples are used.
    pub(crate) fn samples_from(&self) -> Option<String> {
        self.samples_from.map(|JobPosition(id)| id.to_string())
    }

    /// The editor's request; `default` is the model's default space, and `kept` are the samples that it names.
    pub(crate) fn request(
        self,
        default: LatentSpace,
        kept: Option<Arc<KeptSamples>>,
    ) -> Result<TrainRequest, Problem> {
        let Required(List(attributes)) = &self.attributes;
        let attributes: Vec<String> = attributes.iter().map(|name| name.0.clone()).collect();
        let repeated = |(index, name): (usize, &String)| attributes[..index].contains(name);
        if attributes.iter().enumerate().any(repeated) {
            return Err(Problem::field(
                "attributes",
                "found one twice, expected each once",
            ));
        }
        let names: Option<Vec<String>> = self
            .names
            .as_ref()
            .map(|List(names)| names.iter().map(|name| name.0.clone()).collect());
        let names = names.unwrap_or_else(|| attributes.clone());
        let repeated = |(index, name): (usize, &String)| names[..index].contains(name);
        if names.len() != attributes.len() || names.iter().enumerate().any(repeated) {
            let reason = format!(
                "found {names:?}, expected a name of its own for each of the {} attributes",
                attributes.len()
            );
            return Err(Problem::field("names", reason));
        }
        let of_samples = kept.as_ref().map(|kept| kept.scored().space);
        let space = self.space.map(LatentSpace::from);
        if let (Some(found), Some(expected)) = (space, of_samples)
            && found != expected
        {
            let reason = format!("found {found}, expected {expected}, the space of the samples");
            return Err(Problem::field("space", reason));
        }
        let space = space.or(of_samples).unwrap_or(default);
        let usual = BoundaryFit::default();
        let selection = match (self.chosen, self.ratio) {
            (Some(_), Some(_)) => {
                return Err(Problem::field(
                    "chosen",
                    "found a ratio beside it, expected one of the two",
                ));
            }
            (Some(count), None) => SampleSelection::Count(count.usize()),
            (None, Some(ratio)) => SampleSelection::Ratio(ratio.0),
            (None, None) => usual.selection,
        };
        let of_samples = kept.as_ref().map_or(0, |kept| kept.scored().seed);
        let seed = self.seed.map_or(of_samples, Integer::u32);
        Ok(TrainRequest {
            space,
            source: self.source(space, attributes.len(), seed, kept)?,
            keep: match self.keep {
                None | Some(KeepRuleName::New) => KeepRule::New,
                Some(KeepRuleName::Better) => KeepRule::Better,
            },
            names,
            fit: BoundaryFit {
                method: match self.method {
                    None | Some(FitMethodName::Regression) => FitMethod::Regression,
                    Some(FitMethodName::Svm) => FitMethod::Svm,
                    Some(FitMethodName::LeastSquares) => FitMethod::LeastSquares,
                },
                selection,
                split: self.split.map_or(usual.split, |split| split.0),
                seed,
                threshold: self.threshold.map(|score| score.0),
                invalid_score: self.invalid_score.map(|score| score.0),
                ..usual
            },
            channels: self.channels.map_or(TrainRequest::CHANNELS, Integer::usize),
            attributes,
        })
    }

    /// The codes to fit to.
    fn source(
        &self,
        space: LatentSpace,
        attributes: usize,
        seed: u32,
        kept: Option<Arc<KeptSamples>>,
    ) -> Result<TrainSource, Problem> {
        let refuse = |field, reason| Err(Problem::field(field, reason));
        if let Some(kept) = kept {
            let others = [
                ("samples", self.samples.is_some()),
                ("codes", self.codes.is_some()),
                ("scores", self.scores.is_some()),
            ];
            return match others.into_iter().find(|(_, is_given)| *is_given) {
                Some((field, _)) => refuse(field, "found samples_from beside it, which has the samples"),
                None => Ok(TrainSource::Kept(kept)),
            };
        }
        let samples = self.samples.map(SampleCount::count);
        match (&self.codes, &self.scores) {
            (None, None) => Ok(TrainSource::Sampled {
                samples: samples.unwrap_or(editor::SampleCount::usual(space)),
                seed,
            }),
            (Some(_), Some(_)) if samples.is_some() => {
                refuse("samples", "found codes beside it, which are the samples")
            }
            (Some(_), Some(_)) if attributes > 1 => {
                refuse("attributes", "found several beside scores, which are one's")
            }
            (Some(codes), Some(scores)) => labelled(space, &codes.0, &scores.0),
            (Some(_), None) => refuse("scores", "found codes without them"),
            (None, Some(_)) => refuse("codes", "found scores without them"),
        }
    }
}

/// The given codes and scores.
fn labelled(space: LatentSpace, codes: &[u8], scores: &[u8]) -> Result<TrainSource, Problem> {
    let read = |field: &str, file: &[u8]| {
        NpyArray::read(file).map_err(|error| Problem::field(field, error.to_string()))
    };
    let codes = LabelledCodes::new(space, read("codes", codes)?, read("scores", scores)?);
    let codes = codes.map_err(|error| {
        let field = match &error {
            LabelledCodesError::Codes { .. } => "codes",
            LabelledCodesError::Scores { .. } => "scores",
        };
        Problem::field(field, error.to_string())
    })?;
    Ok(TrainSource::Labelled(codes))
}
