//! The face of a request: a seed, a latent code or an image, and the truncation.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::{BesideFile, InsteadOfFile};
use crate::api::problem::Problem;
use crate::api::types::framing::FramingInput;
use crate::api::types::label::ClassLabel;
use crate::api::types::latent::Latent;
use crate::api::types::number::{Integer, MOST_U32, Real, Seed};
use crate::api::types::seeds::{MOST_SEEDS, Seeds};
use crate::api::types::uploaded_image::{ImageToInvert, TakenImage, UploadedImage};
use crate::editor::{FaceSource, Model, TruncationChoice};
use crate::latent::Label;

fields! {
    /// A seed or a latent code. Without either, a seed is chosen at random and returned.
    pub(crate) struct CodeInput {
        /// The seed of a face: its z code is `numpy.random.RandomState(seed).randn(1, z_dim)`. If no seed, latent code or image is
        /// given, a seed is chosen at random and returned.
        seed: Option<Seed> = 7,
        /// Several faces instead of one: seeds, and in a text also ranges with both ends, such as `85,265,1000-1010`. JSON may have such
        /// texts in the list or instead of it.
        seeds: Option<Seeds>,
        /// A latent code instead of a seed, or several codes.
        latent: Option<Latent>,
        /// What a class-conditional generator maps z with: the index of a class, or a number for each class. Default: the seed's remainder
        /// by the number of classes. Refused by other generators, and beside codes in w and w+. Null is no label.
        label: Option<ClassLabel>,
    }
}

fields! {
    /// A seed, a latent code or an image.
    pub(crate) struct FaceInput {
        code: InsteadOfFile<CodeInput>,
        /// An image of the face instead of a seed: a PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels (JPEG: 100 million). A file that
        /// this model made carries its latent code, unless `crop` or `landmarks` name a part of it; any other image is inverted first, as
        /// `/v1/invert` does it.
        image: Option<UploadedImage>,
        framing: BesideFile<FramingInput>,
    }
}

fields! {
    /// The truncation, which applies when z is mapped to w.
    pub(crate) struct TruncationInput {
        /// Truncation: w becomes `w_avg` + psi (w − `w_avg`). 1 is none, 0 is the mean face. Default: the model's own.
        psi: Option<Real<-2, 2>>,
        /// How many of the first layers are truncated. Default: the model's own number, or all.
        truncation_layers: Option<Integer<1, MOST_U32>>,
    }
}

/// The sources of the faces of a request.
pub(crate) enum OneOrMany {
    One(FaceSource),
    /// Several, in order. A list of one seed is one, too: its response has the form of a list.
    Many(Vec<FaceSource>),
}

impl OneOrMany {
    /// All of them.
    pub(crate) fn sources(self) -> Vec<FaceSource> {
        match self {
            Self::One(source) => vec![source],
            Self::Many(sources) => sources,
        }
    }
}

impl CodeInput {
    /// The faces of the request: one, or several if it has `seeds` or several latent codes.
    pub(crate) fn faces(&self) -> Result<OneOrMany, Problem> {
        match (self.seed, &self.seeds, &self.latent) {
            (Some(_), None, Some(_)) => Err(Problem::field(
                "seed",
                "found a latent code beside it, expected one face: leave out one of the two",
            )),
            (Some(_), Some(_), _) => Err(beside_seeds("a seed")),
            (None, Some(_), Some(_)) => Err(beside_seeds("a latent code")),
            (None, Some(seeds), None) => Ok(OneOrMany::Many(
                seeds.iter().map(|seed| self.of_seed(seed)).collect(),
            )),
            (Some(seed), None, None) => Ok(OneOrMany::One(self.of_seed(seed.u32()))),
            (None, None, Some(latent)) => self.labelled(latent),
            (None, None, None) => random_seed().map(|seed| OneOrMany::One(self.of_seed(seed))),
        }
    }

    /// The source of the face, if the request may have only one.
    pub(crate) fn source(&self) -> Result<FaceSource, Problem> {
        match self.faces()? {
            OneOrMany::One(source) => Ok(source),
            OneOrMany::Many(sources) => {
                let reason = format!("found {} faces, expected one", sources.len());
                Err(Problem::field(self.field_of_many(), reason))
            }
        }
    }

    /// Whether all faces come from seeds of the request, so that an equal request gets the same faces.
    pub(crate) fn is_seeded(&self) -> bool {
        self.seed.is_some() || self.seeds.is_some()
    }

    /// The field that holds several faces.
    pub(crate) fn field_of_many(&self) -> &'static str {
        if self.seeds.is_some() { "seeds" } else { "latent" }
    }

    fn of_seed(&self, seed: u32) -> FaceSource {
        match self.label() {
            None => FaceSource::Seed(seed),
            Some(label) => FaceSource::LabelledSeed(seed, label.clone()),
        }
    }

    fn label(&self) -> Option<&Label> {
        self.label.as_ref().map(|label| &label.0)
    }

    /// The codes of `latent`, with the label of the request.
    fn labelled(&self, latent: &Latent) -> Result<OneOrMany, Problem> {
        let mut codes = latent.codes()?;
        if let Some(label) = self.label() {
            let refused = if codes[0].label().is_some() {
                Some("found another one in latent, expected one: leave out one of the two")
            } else if !latent.is_z() {
                Some("found it beside a code that is mapped already; a label belongs to z, so leave it out")
            } else {
                None
            };
            if let Some(reason) = refused {
                return Err(Problem::field("label", reason));
            }
            let labelled = codes.into_iter().map(|code| code.with_label(Some(label.clone())));
            codes = labelled.collect();
        }
        let mut sources: Vec<_> = codes.into_iter().map(FaceSource::Latent).collect();
        Ok(match sources.len() {
            1 => OneOrMany::One(sources.remove(0)),
            _ => OneOrMany::Many(sources),
        })
    }

    /// Chooses a seed at random if the request has neither seeds nor a code.
    pub(crate) fn complete(&mut self) -> Result<(), Problem> {
        if !self.is_seeded() && self.latent.is_none() {
            self.seed = Some(u64::from(random_seed()?).into());
        }
        Ok(())
    }
}

/// Refuses more faces than a response without pictures holds.
pub(crate) fn check_many(field: &str, count: usize) -> Result<(), Problem> {
    if (1..=MOST_SEEDS).contains(&count) {
        return Ok(());
    }
    let reason = format!("found {count}, expected 1 to {MOST_SEEDS} faces in one response without pictures");
    Err(Problem::field(field, reason))
}

fn beside_seeds(found: &str) -> Problem {
    let reason = format!("found {found} beside it, expected one of the two: leave out the other");
    Problem::field("seeds", reason)
}

/// A seed chosen at random.
pub(crate) fn random_seed() -> Result<u32, Problem> {
    getrandom::u32().map_err(|error| Problem::Internal {
        reason: format!("the system gives no random numbers: {error}"),
    })
}

impl FaceInput {
    /// Takes the image out of the request. If the image carries its latent code, the code takes its place; otherwise the handler
    /// inverts it when it has checked all else. A record of the request then has the code, so that it makes
    /// the same face again.
    pub(crate) fn take_image(
        &mut self,
        truncation: &mut TruncationInput,
        model: &Model,
    ) -> Result<Option<TakenImage>, Problem> {
        let Some(image) = self.image.take() else {
            return match self.framing.given() {
                None => Ok(None),
                Some(field) => Err(Problem::field(
                    field,
                    "found it without an image, expected an image beside it",
                )),
            };
        };
        let beside = match (self.code.is_seeded(), &self.code.latent, self.code.label()) {
            (false, None, None) => None,
            (true, ..) => Some("a seed"),
            (false, Some(_), _) => Some("a latent code"),
            (false, None, Some(_)) => Some("a label"),
        };
        if let Some(beside) = beside {
            let reason = format!("found {beside} beside it, expected one face: leave out one of the two");
            return Err(Problem::field("image", reason));
        }
        let framing = self.framing.framing(model)?;
        if framing.is_none()
            && let Some(code) = image.carried(model.generator_digest())
        {
            self.code.latent = Some(code.latent);
            truncation.complete(code.truncation);
            let of_photograph = code.of_photograph;
            return Ok(Some(TakenImage::Carried { of_photograph }));
        }
        truncation.refuse_beside_image()?;
        Ok(Some(TakenImage::Unknown(ImageToInvert { image, framing })))
    }
}

impl TruncationInput {
    /// Refuses truncation of an image that will be inverted. An inversion may take minutes, so this is checked before it.
    fn refuse_beside_image(&self) -> Result<(), Problem> {
        let field = match (self.psi, self.truncation_layers) {
            (None, None) => return Ok(()),
            (Some(_), _) => "psi",
            (None, Some(_)) => "truncation_layers",
        };
        let reason = "found it beside an image that is inverted to a latent code in w or w+; truncation happens when z is mapped to w, so leave it out";
        Err(Problem::field(field, reason))
    }

    /// Takes what the request leaves open from `carried`, the truncation of an image that carries its code.
    fn complete(&mut self, carried: TruncationChoice) {
        self.psi = self.psi.or(carried.psi.map(Real));
        let layers = carried.layers.and_then(|layers| u64::try_from(layers).ok());
        self.truncation_layers = self.truncation_layers.or(layers.map(Integer::from));
    }

    pub(crate) fn choice(&self) -> TruncationChoice {
        TruncationChoice {
            psi: self.psi.map(|psi| psi.0),
            layers: self.truncation_layers.map(Integer::usize),
        }
    }
}
