//! The errors of this layer: wrong codes, boundaries, edits and trajectories.

use thiserror::Error;

use crate::latent::{FitError, LatentSpace, UnknownSpace};

/// An error of this layer. The message says what was found, what was expected, and what to do.
///
/// Shapes are `[rows, dim]`: one row in z and w, one row per layer in w+.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LatentError {
    /// A text names no latent space.
    #[error(transparent)]
    UnknownSpace(#[from] UnknownSpace),

    /// A boundary cannot be fitted to the scored codes.
    #[error(transparent)]
    Fit(#[from] FitError),

    /// A matrix is not a covariance matrix.
    #[error(
        "found a matrix of shape [{rows}, {columns}] that is {reason}; expected a symmetric positive definite covariance \
         matrix: compute it from more samples than a code has values"
    )]
    NotCovariance {
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
        /// The property that is wrong.
        reason: &'static str,
    },

    /// A code or a normal has no values.
    #[error(
        "found the shape [{rows}, {dim}] in {space}; expected at least one row and one column: add the values"
    )]
    Empty {
        /// The latent space.
        space: LatentSpace,
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        dim: usize,
    },

    /// A code or a normal in z or w has more than one row.
    #[error(
        "found {rows} rows in {space}; expected one row: send one row, or use the space w+ if each row is a layer"
    )]
    RowCount {
        /// The latent space.
        space: LatentSpace,
        /// Number of rows.
        rows: usize,
    },

    /// A code or a normal has a NaN or an infinity, or an edit left the range of `f32`.
    #[error(
        "found {value} at row {row}, column {column}; expected a finite number: correct the value, or make the edit smaller"
    )]
    NotFinite {
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },

    /// A w+ code has one list of values, which does not say how many layers it has.
    #[error(
        "found one row of {dim} values for w+; expected the shape [layers, dim]: send one row per layer, or use z or w"
    )]
    OneRowForWPlus {
        /// Number of values.
        dim: usize,
    },

    /// A z code cannot be repeated on layers.
    #[error(
        "found a {found} code for {layers} layers; expected a w or w+ code: map z to w with the mapping network first"
    )]
    NotLayered {
        /// The space of the code.
        found: LatentSpace,
        /// Number of layers.
        layers: usize,
    },

    /// A w+ code has another number of layers than the model.
    #[error("found a w+ code of {found} layers; expected {expected} layers: use a code of this model")]
    LayerCount {
        /// Layers of the code.
        found: usize,
        /// Layers of the model.
        expected: usize,
    },

    /// A text is not a range of layers.
    #[error(
        "found the layers `{found}`; expected one layer as `3`, or the first and the last as `0-3`, counted from 0"
    )]
    UnreadableLayers {
        /// The text.
        found: String,
    },

    /// The last layer of a range is less than the first.
    #[error("found layers {first}-{last}; expected the lower number first: write {last}-{first}")]
    ReversedLayers {
        /// First layer.
        first: usize,
        /// Last layer.
        last: usize,
    },

    /// The code does not have all layers of a range.
    #[error(
        "found layers {first}-{last}; expected layers from 0 to {}, since the code has {total}: lower the last layer",
        total.saturating_sub(1)
    )]
    LayersOutOfRange {
        /// First layer.
        first: usize,
        /// Last layer.
        last: usize,
        /// Layers of the code.
        total: usize,
    },

    /// A z or w code has no layers.
    #[error(
        "found layers {first}-{last} for a {space} code; expected a w+ code: leave out the layers, or use a w+ code"
    )]
    LayersOutsideWPlus {
        /// First layer.
        first: usize,
        /// Last layer.
        last: usize,
        /// The space of the code.
        space: LatentSpace,
    },

    /// The ψ of a truncation is out of range.
    #[error(
        "found psi {found}; expected a number from -2 to 2: 1 does not truncate, and 0.7 is a common value"
    )]
    Psi {
        /// The ψ.
        found: f64,
    },

    /// A truncation has 0 layers, or more than the model.
    #[error(
        "found truncation on {found} layers; expected 1 to {total} layers: lower the number, or use psi 1 to leave the \
         code unchanged"
    )]
    TruncatedLayers {
        /// Layers of the truncation.
        found: usize,
        /// Layers of the model.
        total: usize,
    },

    /// A z or w+ code cannot be truncated.
    #[error(
        "found a {found} code to truncate; expected a w code from the mapping network: synthesize this code unchanged"
    )]
    NotTruncatable {
        /// The space of the code.
        found: LatentSpace,
    },

    /// The average w code has another size than the code.
    #[error(
        "found an average of {found} values for a w code of {expected} values: use the average of this model"
    )]
    AverageSize {
        /// Values of the average.
        found: usize,
        /// Values of the code.
        expected: usize,
    },

    /// An attribute has a name that does not fit into a URL or a file's name.
    #[error(
        "found the attribute {found:?} {reason}; expected a name of 1 to 64 bytes of UTF-8 (a letter beyond ASCII takes 2 to 4), \
         without colon, comma, control characters and blanks around it, and not `.` or `..`: choose another name"
    )]
    AttributeName {
        /// The name, or its beginning.
        found: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The norm of a normal is zero, or too small or too large.
    #[error(
        "found a normal of norm {norm} for `{attribute}`; expected a norm from 1e-150 to 1e150: use a normal that has a \
         direction"
    )]
    Norm {
        /// The attribute of the boundary.
        attribute: String,
        /// The norm.
        norm: f64,
    },

    /// The intercept of a boundary is not finite.
    #[error(
        "found the intercept {found} for `{attribute}`; expected a finite number: use 0 if it is unknown"
    )]
    Intercept {
        /// The attribute of the boundary.
        attribute: String,
        /// The intercept after division by the norm of the normal.
        found: f64,
    },

    /// A boundary was used with something of another space.
    #[error(
        "found {found}, but `{attribute}` lies in {expected}: use a boundary and a code of the same latent space"
    )]
    SpaceMismatch {
        /// The attribute of the boundary.
        attribute: String,
        /// The other space.
        found: LatentSpace,
        /// The space of the boundary.
        expected: LatentSpace,
    },

    /// A boundary was used with something of another shape.
    #[error(
        "found the shape [{}, {}], but `{attribute}` has [{}, {}]: use a boundary and a code of the same model",
        found.0, found.1, expected.0, expected.1
    )]
    ShapeMismatch {
        /// The attribute of the boundary.
        attribute: String,
        /// The other shape, as (rows, dim).
        found: (usize, usize),
        /// The shape of the boundary, as (rows, dim).
        expected: (usize, usize),
    },

    /// A primal lies in the span of its conditions, so that the projection leaves nothing of it.
    #[error(
        "found that only {retained:.1e} of `{primal}` is independent of its conditions {}; expected at least {least:e}: \
         remove the condition that depends on `{primal}`",
        quoted(conditions)
    )]
    DependentPrimal {
        /// The attribute of the primal.
        primal: String,
        /// The attributes of the conditions.
        conditions: Vec<String>,
        /// The sine of the angle between the primal and the span of the conditions.
        retained: f64,
        /// The least sine that is accepted.
        least: f64,
    },

    /// The amount of an edit is not finite.
    #[error(
        "found the amount {found} for `{attribute}`; expected a finite number: values from -3 to 3 are common"
    )]
    Amount {
        /// The attribute of the boundary.
        attribute: String,
        /// The amount.
        found: f64,
    },

    /// A normal cannot have had the length that the boundary's provenance gives.
    #[error(
        "found the length {found} of the normal of `{attribute}` where it comes from; expected a number above 0, or none"
    )]
    FileLength {
        /// The attribute of the boundary.
        attribute: String,
        /// The length.
        found: f64,
    },

    /// An amount in standard deviations of the samples, which are not known.
    #[error(
        "found an amount in deviations along `{attribute}` in {space}, where the standard deviation of the samples is not known, or \
         0; expected one in distances: send the unit `distance`"
    )]
    UnknownDeviation {
        /// The attribute of the boundary.
        attribute: String,
        /// The space of the boundary.
        space: LatentSpace,
    },

    /// The targets of several edits cannot be reached together.
    #[error(
        "found targets for {} that cannot be reached together; expected edits with independent directions: name each \
         attribute once, and remove an attribute that depends on the others",
        quoted(attributes)
    )]
    ConflictingTargets {
        /// The attributes that have a target.
        attributes: Vec<String>,
    },

    /// An end of a trajectory is not finite.
    #[error(
        "found a trajectory from {start} to {end}; expected finite ends and a finite difference: -3 to 3 is common"
    )]
    TrajectoryEnds {
        /// Start.
        start: f64,
        /// End.
        end: f64,
    },

    /// A class that the generator does not have.
    #[error("found the class {found}; expected a class from 0 to {}", classes.saturating_sub(1))]
    ClassOutOfRange {
        /// The class.
        found: usize,
        /// The number of classes.
        classes: usize,
    },

    /// A label with another number of values than the generator has classes.
    #[error(
        "found a label of {found} numbers; expected {classes}, one for each class, or the index of a class"
    )]
    LabelLength {
        /// Values of the label.
        found: usize,
        /// The number of classes.
        classes: usize,
    },

    /// Two z codes of opposite directions: no arc between them is the shortest.
    #[error(
        "found two faces with opposite z codes, between which there is no shortest arc; expected another face between them, or the \
         space w"
    )]
    OppositeCodes,

    /// A trajectory has no steps.
    #[error("found a trajectory of 0 steps; expected at least 1: 10 is common")]
    NoSteps,
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
