//! What can be wrong with a code, a boundary or an edit.

use thiserror::Error;

use crate::latent::LatentSpace;

/// The errors of this layer: each says what was found, what was expected, and what to do.
///
/// Shapes are `[rows, dim]`: one row in z and w, one a layer in w+.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LatentError {
    /// A latent space's name is none of the three.
    #[error("`{found}` is no latent space; expected one of `z`, `w`, `w+`: use one of these, in lower case")]
    UnknownSpace {
        /// The name as it was given.
        found: String,
    },

    /// A matrix is not the covariance of codes' rows.
    #[error(
        "found a matrix of shape [{rows}, {columns}] that is no covariance: {reason}; expected a symmetric positive definite one: compute it from more samples than a code has numbers"
    )]
    NoCovariance {
        /// Rows found.
        rows: usize,
        /// Columns found.
        columns: usize,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A code or a normal holds no numbers.
    #[error(
        "found the shape [{rows}, {dim}] in {space}; expected at least one row and one column: give the values"
    )]
    Empty {
        /// The space it was meant for.
        space: LatentSpace,
        /// Rows found.
        rows: usize,
        /// Columns found.
        dim: usize,
    },

    /// A code or a normal in z or w has more than one row.
    #[error(
        "found {rows} rows in {space}; expected one: give one row, or name the space w+ if each row is a layer"
    )]
    Rows {
        /// The space it was meant for.
        space: LatentSpace,
        /// Rows found.
        rows: usize,
    },

    /// A code or a normal holds a NaN or an infinity, or a move led beyond what `f32` holds.
    #[error(
        "found {value} at row {row}, column {column}; expected a finite number: correct the value, or make the move \
         that led there smaller"
    )]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },

    /// A list of values was given for a w+ code, whose shape it does not tell.
    #[error(
        "found one row of {dim} values for w+; expected [layers, dim]: give a row for each layer, or use z or w"
    )]
    RowInWPlus {
        /// Values found.
        dim: usize,
    },

    /// A z code was to be repeated on layers.
    #[error("found a {found} code to repeat on {layers} layers; expected w or w+: map z to w first")]
    NotLayered {
        /// The code's space.
        found: LatentSpace,
        /// Layers asked for.
        layers: usize,
    },

    /// A w+ code has another number of layers than the model.
    #[error("found a w+ code of {found} layers; expected {expected}: give a code made for this model")]
    Layers {
        /// The code's layers.
        found: usize,
        /// Layers asked for.
        expected: usize,
    },

    /// A range of layers cannot be read.
    #[error("`{found}` is no range of layers; expected one as `3` or first and last as `0-3`: count from 0")]
    UnreadableLayers {
        /// The text as it was given.
        found: String,
    },

    /// A range of layers ends before it begins.
    #[error(
        "found layers {first}-{last}; expected the first not to come after the last: write {last}-{first}"
    )]
    BackwardLayers {
        /// First layer.
        first: usize,
        /// Last layer.
        last: usize,
    },

    /// A range names layers that are not there.
    #[error(
        "found layers {first}-{last}; expected them among the code's {total}, counted from 0: lower the last"
    )]
    LayersBeyond {
        /// First layer.
        first: usize,
        /// Last layer.
        last: usize,
        /// Layers that the code has.
        total: usize,
    },

    /// Layers were named for a code that has none.
    #[error(
        "found layers {first}-{last} for a {space} code; expected w+: leave the layers out, or give a w+ code"
    )]
    LayersOutsideWPlus {
        /// First layer.
        first: usize,
        /// Last layer.
        last: usize,
        /// The code's space.
        space: LatentSpace,
    },

    /// Truncation's psi is out of range.
    #[error("found psi {found}; expected a number from -2 to 2: 1 leaves the code as it is, 0.7 is usual")]
    Psi {
        /// The psi found.
        found: f64,
    },

    /// Truncation was asked for on no layer, or on more than there are.
    #[error(
        "found truncation on {found} layers; expected at least 1 and at most the model's {total}: name fewer, or psi 1 \
         for no truncation"
    )]
    TruncatedLayers {
        /// Layers asked for.
        found: usize,
        /// Layers that the model has.
        total: usize,
    },

    /// Truncation was asked for outside w.
    #[error(
        "found a {found} code to truncate; expected w, as mapping gives it: synthesize this one as it is"
    )]
    NotTruncated {
        /// The code's space.
        found: LatentSpace,
    },

    /// The average has another size than the code.
    #[error(
        "found an average of {found} values for a w code of {expected}: give the average that came with the model"
    )]
    AverageSize {
        /// Values in the average.
        found: usize,
        /// Values in the code.
        expected: usize,
    },

    /// A boundary has no attribute's name.
    #[error("found a boundary without an attribute's name; expected one such as `smile`: name it")]
    Unnamed,

    /// A boundary's normal has no direction.
    #[error(
        "found a normal of norm {norm} for `{attribute}`; expected one between 1e-150 and 1e150: give a normal that \
         points somewhere"
    )]
    Norm {
        /// The boundary's attribute.
        attribute: String,
        /// The norm found.
        norm: f64,
    },

    /// A boundary's intercept is not finite.
    #[error(
        "found the intercept {found} for `{attribute}`; expected a finite number: use 0 if it is unknown"
    )]
    Intercept {
        /// The boundary's attribute.
        attribute: String,
        /// The intercept found, after division by the normal's norm.
        found: f64,
    },

    /// A boundary met something of another space.
    #[error("found {found} where `{attribute}` lies in {expected}: use a boundary and a code of one space")]
    Space {
        /// The boundary's attribute.
        attribute: String,
        /// The space it met.
        found: LatentSpace,
        /// The boundary's own space.
        expected: LatentSpace,
    },

    /// A boundary met something of another size.
    #[error(
        "found the shape [{}, {}] where `{attribute}` has [{}, {}]: use a boundary and a code of one model",
        found.0, found.1, expected.0, expected.1
    )]
    Shape {
        /// The boundary's attribute.
        attribute: String,
        /// The shape it met, as (rows, dim).
        found: (usize, usize),
        /// The boundary's own shape.
        expected: (usize, usize),
    },

    /// Nothing of the primal is left when its conditions are taken away.
    #[error(
        "found `{primal}` within the span of its conditions {}, with {retained:e} of it left; expected at least \
         {least:e}: leave out the condition that says the same as `{primal}`",
        quoted(conditions)
    )]
    Spanned {
        /// The primal's attribute.
        primal: String,
        /// The conditions' attributes.
        conditions: Vec<String>,
        /// What was left: the sine of the angle between the primal and the conditions' span.
        retained: f64,
        /// What must be left.
        least: f64,
    },

    /// An edit's amount is not finite.
    #[error(
        "found the amount {found} for `{attribute}`; expected a finite number: values from -3 to 3 are usual"
    )]
    Amount {
        /// The boundary's attribute.
        attribute: String,
        /// The amount found.
        found: f64,
    },

    /// The targets of several edits cannot be met together.
    #[error(
        "found targets for {} that the edits' directions cannot set apart; expected directions that reach each alone: \
         name each attribute once, and drop one that says the same as the others",
        quoted(attributes)
    )]
    Singular {
        /// The attributes with a target.
        attributes: Vec<String>,
    },

    /// Not every code has one score.
    #[error(
        "found {scores} scores for {codes} codes; expected one a code: give them in the order of the codes"
    )]
    ScoreCount {
        /// Scores found.
        scores: usize,
        /// Codes found.
        codes: usize,
    },

    /// A score is a NaN or an infinity.
    #[error(
        "found the score {found} for sample {sample}; expected a finite number: leave the sample out, or name this \
         score as the invalid one"
    )]
    Score {
        /// The sample, from 0.
        sample: usize,
        /// Its score.
        found: f64,
    },

    /// All scores are one number.
    #[error(
        "found the score {score} for every one of {samples} samples; expected scores that differ: score more samples, \
         or with a classifier that tells them apart"
    )]
    ConstantScores {
        /// Samples that have a score.
        samples: usize,
        /// Their score.
        score: f64,
    },

    /// One end of the scores has no score that the other has not.
    #[error(
        "found {chosen} samples at each end of the scores of which one end has only the score {score}, and the other \
         has it too; expected two classes: choose fewer, or score more samples"
    )]
    OneClass {
        /// Samples chosen at each end.
        chosen: usize,
        /// The score that both ends have.
        score: f64,
    },

    /// There are too few samples to find a boundary by.
    #[error("found {found} samples {of}; expected at least {least}: {advice}")]
    TooFewSamples {
        /// Samples found.
        found: usize,
        /// Samples needed.
        least: usize,
        /// Which samples were counted.
        of: &'static str,
        /// What to do.
        advice: &'static str,
    },

    /// Codes have more values than least squares takes.
    #[error(
        "found codes of {found} values for least squares; expected at most {most}: use the support vector machine"
    )]
    TooWide {
        /// Values found.
        found: usize,
        /// The most that it takes.
        most: usize,
    },

    /// The codes do not fill their space.
    #[error(
        "found codes that lie in a plane of fewer dimensions than their {dim} values; expected independent values: \
         sample more codes, or use the support vector machine"
    )]
    Flat {
        /// Values of a code.
        dim: usize,
    },

    /// An option of a separation is out of range.
    #[error("found {found} for the {option}; expected {expected}")]
    Separation {
        /// The option.
        option: &'static str,
        /// The value found.
        found: f64,
        /// What it may be, and what is usual.
        expected: &'static str,
    },

    /// A support vector machine did not come to an end.
    #[error(
        "found margins {gap} apart when the support vector machine gave up; expected {tolerance}: scale the codes so that \
         their values are near 1, or choose other samples"
    )]
    Unsettled {
        /// How far apart the margins still are.
        gap: f64,
        /// How far they may be.
        tolerance: f64,
    },

    /// Whoever asked for a long computation wants it no more.
    #[error("the computation was cancelled before it was done; start it again if it is wanted")]
    Cancelled,

    /// A trajectory has an end that is no number.
    #[error(
        "found a trajectory from {start} to {end}; expected finite ends and a finite length: -3 to 3 is usual"
    )]
    TrajectoryEnds {
        /// Start.
        start: f64,
        /// End.
        end: f64,
    },

    /// A trajectory has no step.
    #[error("found a trajectory of 0 steps; expected at least 1: 10 is usual")]
    NoSteps,
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
