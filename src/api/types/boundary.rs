//! A boundary in requests and responses: a JSON document or a file of an array.

use ndarray::Array2;
use utoipa::ToSchema;

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Required;
use crate::api::decode::json::Object;
use crate::api::problem::Problem;
use crate::api::types::choice::choice;
use crate::api::types::list::List;
use crate::api::types::number::{Finite, Integer, MOST, MOST_U32};
use crate::api::types::numbers::Numbers;
use crate::api::types::space::Space;
use crate::api::types::text::{Name, Text};
use crate::catalog::NpyArray;
use crate::editor::{BoundaryVersion, EditorError, Model};
use crate::latent::{Accuracy, Boundary, Doubt, LatentSpace, Provenance, Spread, StyleChannel};

/// The normal of the example: 64 numbers, as for the bundled model.
fn example_normal() -> Vec<f64> {
    let mut normal = vec![0.0; 64];
    (normal[0], normal[1]) = (0.6, 0.8);
    normal
}

/// A note on how a boundary was fitted.
type Note = Text<256>;

fields! {
    /// A boundary with everything known of it: GET returns it, and PUT accepts it.
    #[examples(serde_json::json!({"normal": example_normal(), "intercept": -0.2}))]
    pub(crate) struct BoundaryDocument {
        /// The attribute; if given, the same as in the path.
        attribute: Option<Name>,
        /// The space; if given, the same as in the path.
        space: Option<Space>,
        /// The normal, pointing to where the attribute's score is higher: a list of numbers in z, w and s, a list of such lists in w+, one a
        /// layer. It may have any length; in a response it is 1, and √layers in w+.
        normal: Required<Numbers<f64>>,
        /// b in n·code + b, for the normal as it is sent, with the dot product over all layers. Default: 0.
        intercept: Option<Finite>,
        /// The number of samples.
        samples: Option<Integer<0, MOST>>,
        /// The number of extremes chosen on each side; absent if the boundary was fitted to all samples.
        chosen: Option<Integer<0, MOST>>,
        /// If there were only two different scores: the number of samples with the lower one, and with the
        /// higher one.
        classes: Option<List<Integer<0, MOST>, 2, 2>>,
        /// Why the sampling ended at this number of samples, if it was `auto`.
        sampling: Option<Text<1024>>,
        /// The seed of the samples.
        seed: Option<Integer<0, MOST>>,
        /// The classifier that scored the samples.
        classifier: Option<Note>,
        /// SHA-256 of the classifier's file.
        classifier_digest: Option<Note>,
        /// SHA-256 of the generator. A boundary of another generator is refused. Default: this model's generator.
        model: Option<Note>,
        /// How the boundary was fitted.
        method: Option<Note>,
        /// When it was fitted.
        date: Option<Note>,
        /// The length of the normal where it comes from, if it has another one here.
        length: Option<Finite>,
        /// Where this model's samples are, seen from the boundary. In a request it is not used.
        distances: Option<Object<SampleDistances>>,
        /// For a boundary in s that was made of ranked channels: the best channels, the best one first. It moves the first of them.
        channels: Option<List<Object<RankedChannel>, 0, 1024>>,
        /// How well it separates.
        accuracy: Option<Object<BoundaryAccuracy>>,
        /// Why the boundary may be worse than it looks. They follow from the other fields; PUT ignores them.
        warnings: Option<List<Text<1024>, 0, 16>>,
    }
}

fields! {
    /// How well the boundary separates its samples, and how far its normal can be trusted.
    pub(crate) struct BoundaryAccuracy {
        /// The share of the extremes that the boundary was fitted to that are on the right side, 0 to 1.
        train: Option<Finite>,
        /// That share of extremes that were held out. If the boundary was fitted to all samples, held-out samples are the other half for a fit to
        /// each half.
        held_out: Option<Finite>,
        /// That share of all codes that were held out.
        held_out_all: Option<Finite>,
        /// That share of all codes.
        all: Option<Finite>,
        /// The correlation between distance and score, on codes that were held out.
        correlation: Option<Finite>,
        /// The expected cosine between the normal and the one that unlimited samples would give. It is estimated from ten samples for
        /// each value of a code on.
        cosine: Option<Finite>,
        /// How much higher the score is, on average, one unit further along the normal.
        score_per_unit: Option<Finite>,
    }
}

fields! {
    /// Where the model's samples are, as signed distances from a boundary. The samples are not truncated.
    pub(crate) struct SampleDistances {
        /// The mean.
        mean: Required<Finite>,
        /// The standard deviation: one unit of an edit with the unit `deviation`.
        deviation: Required<Finite>,
        /// The mean minus three deviations: the low end of a slider for `to`. Nearly all samples lie between `low` and `high`.
        low: Required<Finite>,
        /// The mean plus three deviations: the high end of a slider for `to`.
        high: Required<Finite>,
    }
}

impl From<Spread> for SampleDistances {
    fn from(spread: Spread) -> Self {
        let (low, high) = spread.range();
        Self {
            mean: Required(Finite(spread.mean)),
            deviation: Required(Finite(spread.deviation)),
            low: Required(Finite(low)),
            high: Required(Finite(high)),
        }
    }
}

fields! {
    /// A channel of a layer's style, and what it changes.
    pub(crate) struct RankedChannel {
        /// The layer, counted from 0 in the order of the synthesis graph.
        layer: Required<Integer<0, MOST_U32>>,
        /// The channel of the layer, counted from 0.
        channel: Required<Integer<0, MOST_U32>>,
        /// What it changes. The boundary's own attribute comes first.
        effects: Required<List<Object<ChannelEffect>, 0, 1024>>,
    }
}

fields! {
    /// How far a score changes if a channel moves.
    pub(crate) struct ChannelEffect {
        /// The attribute.
        attribute: Required<Name>,
        /// The change of its score, in standard deviations of the score, if the channel moves by one standard deviation of its samples.
        change: Required<Finite>,
    }
}

impl From<StyleChannel> for RankedChannel {
    fn from(found: StyleChannel) -> Self {
        let effect = |(attribute, change)| {
            Object(ChannelEffect {
                attribute: Required(Text(attribute)),
                change: Required(Finite(change)),
            })
        };
        Self {
            layer: Required(Integer::from(found.layer as u64)),
            channel: Required(Integer::from(found.channel as u64)),
            effects: Required(List(found.effects.into_iter().map(effect).collect())),
        }
    }
}

impl From<RankedChannel> for StyleChannel {
    fn from(sent: RankedChannel) -> Self {
        let List(effects) = sent.effects.0;
        let effect = |Object(effect): Object<ChannelEffect>| (effect.attribute.0.0, effect.change.0.0);
        Self {
            layer: sent.layer.0.usize(),
            channel: sent.channel.0.usize(),
            effects: effects.into_iter().map(effect).collect(),
        }
    }
}

impl From<Accuracy> for BoundaryAccuracy {
    fn from(accuracy: Accuracy) -> Self {
        Self {
            train: accuracy.train.map(Finite),
            held_out: accuracy.held_out.map(Finite),
            held_out_all: accuracy.held_out_all.map(Finite),
            all: accuracy.all.map(Finite),
            correlation: accuracy.correlation.map(Finite),
            cosine: accuracy.cosine.map(Finite),
            score_per_unit: accuracy.score_per_unit.map(Finite),
        }
    }
}

impl From<BoundaryAccuracy> for Accuracy {
    fn from(accuracy: BoundaryAccuracy) -> Self {
        let number = |Finite(number)| number;
        Self {
            train: accuracy.train.map(number),
            held_out: accuracy.held_out.map(number),
            held_out_all: accuracy.held_out_all.map(number),
            all: accuracy.all.map(number),
            correlation: accuracy.correlation.map(number),
            cosine: accuracy.cosine.map(number),
            score_per_unit: accuracy.score_per_unit.map(number),
        }
    }
}

choice! {
    /// The format of a boundary.
    pub(crate) enum BoundaryFormat {
        /// Everything known of it.
        Json = "json",
        /// The normal, as a NumPy file of doubles.
        Npy = "npy",
    }
}

choice! {
    /// Which boundaries of a model.
    pub(crate) enum BoundaryVersionName as BoundaryVersion {
        /// Those that edits use.
        Current = "current",
        /// Those that came with the model.
        Original = "original",
    }
}

impl From<BoundaryVersionName> for BoundaryVersion {
    fn from(name: BoundaryVersionName) -> Self {
        match name {
            BoundaryVersionName::Current => Self::Current,
            BoundaryVersionName::Original => Self::Original,
        }
    }
}

fields! {
    /// Which boundary the client wants, and how it is encoded.
    pub(crate) struct BoundaryOptions {
        /// The boundary that edits use, or the one that came with the model. Default: `current`.
        version: Option<BoundaryVersionName>,
        /// The format of the response. Default: what the `Accept` header prefers, or else JSON.
        format: Option<BoundaryFormat>,
    }
}

fields! {
    /// What a file with a normal does not contain.
    pub(crate) struct NpyOptions {
        /// b in n·code + b, for the normal of a file as it is sent. Default: 0.
        intercept: Option<Finite>,
    }
}

impl BoundaryDocument {
    /// The document of a boundary, with the spread of the model's samples.
    pub(crate) fn of(boundary: &Boundary, spread: Option<Spread>) -> Self {
        let known = boundary.provenance().clone();
        let doubts = Doubt::of(&known);
        let (rows, dim) = boundary.normal().dim();
        let shape = match boundary.space() {
            LatentSpace::WPlus => vec![rows, dim],
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => vec![rows * dim],
        };
        let values = boundary.normal().iter().copied().collect();
        Self {
            attribute: Some(Text(boundary.attribute().to_owned())),
            space: Some(boundary.space().into()),
            normal: Required(Numbers { shape, values }),
            intercept: Some(Finite(boundary.intercept())),
            samples: known.samples.map(Integer::from),
            chosen: known.chosen.map(Integer::from),
            classes: known.classes.map(|counts| List(counts.map(Integer::from).into())),
            sampling: known.sampling.map(Text),
            seed: known.seed.map(Integer::from),
            classifier: known.classifier.map(Text),
            classifier_digest: known.classifier_digest.map(Text),
            model: known.model.map(Text),
            method: known.method.map(Text),
            date: known.date.map(Text),
            length: known.length.map(Finite),
            distances: spread.map(|spread| Object(spread.into())),
            channels: (!known.channels.is_empty()).then(|| {
                List(
                    known
                        .channels
                        .into_iter()
                        .map(|channel| Object(channel.into()))
                        .collect(),
                )
            }),
            accuracy: Some(Object(known.accuracy.into())),
            warnings: Some(List(doubts.iter().map(|doubt| Text(doubt.to_string())).collect())),
        }
    }

    /// The boundary of a document that was sent to the path of `attribute` and `space`.
    pub(crate) fn boundary(
        self,
        model: &Model,
        attribute: &str,
        space: LatentSpace,
    ) -> Result<Boundary, Problem> {
        if let Some(Text(found)) = self.attribute.filter(|found| found.0 != attribute) {
            let reason = format!("found {found:?}, expected {attribute:?} as in the path");
            return Err(Problem::field("attribute", reason));
        }
        if let Some(found) = self.space.map(LatentSpace::from).filter(|&found| found != space) {
            let reason = format!("found {found}, expected {space} as in the path");
            return Err(Problem::field("space", reason));
        }
        let text = |Text(text): Note| text;
        let known = Provenance {
            samples: self.samples.map(Integer::u64),
            chosen: self.chosen.map(Integer::u64),
            classes: self
                .classes
                .map(|List(counts)| [counts[0].u64(), counts[1].u64()]),
            sampling: self.sampling.map(|Text(why)| why),
            seed: self.seed.map(Integer::u64),
            classifier: self.classifier.map(text),
            classifier_digest: self.classifier_digest.map(text),
            model: self.model.map(text),
            method: self.method.map(text),
            date: self.date.map(text),
            length: self.length.map(|Finite(length)| length),
            channels: self.channels.map_or_else(Vec::new, |List(channels)| {
                channels
                    .into_iter()
                    .map(|Object(channel)| channel.into())
                    .collect()
            }),
            accuracy: self
                .accuracy
                .map_or_else(Accuracy::default, |Object(found)| found.into()),
        };
        let Required(Numbers { shape, values }) = self.normal;
        let intercept = self.intercept.map_or(0.0, |intercept| intercept.0);
        boundary(
            model,
            attribute,
            space,
            NpyArray { shape, values },
            intercept,
            known,
        )
    }
}

/// A boundary of `model`, unless `known` names another generator.
pub(crate) fn boundary(
    model: &Model,
    attribute: &str,
    space: LatentSpace,
    array: NpyArray,
    intercept: f64,
    known: Provenance,
) -> Result<Boundary, Problem> {
    let shape = space.rows_and_columns(&array.shape).ok_or_else(|| {
        let expected = match space {
            LatentSpace::WPlus => "(layers, dim)",
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => "(dim) or (1, dim)",
        };
        let reason = format!(
            "found the shape {:?}, expected {expected} for a boundary in {space}",
            array.shape
        );
        Problem::field("normal", reason)
    })?;
    model.check_boundary_shape(space, shape)?;
    let normal =
        Array2::from_shape_vec(shape, array.values).expect("an array holds as many values as its shape says");
    let known = Provenance {
        model: known.model.or_else(|| Some(model.generator_digest().to_owned())),
        ..known
    };
    Ok(Boundary::from_outside(attribute, space, normal, intercept, known).map_err(EditorError::from)?)
}

/// A NumPy `.npy` file: numbers of shape (dim) or (1, dim); in w+ (layers, dim) or (1, layers, dim).
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
#[expect(dead_code, reason = "it stands for bytes in the document")]
pub(crate) struct NpyFile(Vec<u8>);

/// A NumPy `.npz` file: an archive of arrays.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
#[expect(dead_code, reason = "it stands for bytes in the document")]
pub(crate) struct NpzFile(Vec<u8>);
