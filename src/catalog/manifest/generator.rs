//! The tables of the generator: its graphs, truncation, the gradient graph and alignment.

use serde::Deserialize;

use super::check::{WrongValue, check, one, yes};

/// `[generator]`: code → image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorEntry {
    /// File of the mapping graph, z → w; absent if synthesis takes z itself (PGGAN).
    pub mapping: Option<String>,
    /// File of the synthesis graph, code → image.
    pub synthesis: String,
    /// Whether sampled z codes are scaled to ‖z‖ = √dim.
    #[serde(default = "yes")]
    pub rescale_z: bool,
    /// Values of black and white in its images.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
}

/// `[truncation]`: `w_avg + psi (w − w_avg)`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruncationEntry {
    /// File of the average w code.
    pub w_avg: String,
    /// Default of psi.
    #[serde(default = "one")]
    pub psi: f64,
    /// Default of the number of truncated layers; all layers if absent.
    pub layers: Option<usize>,
}

/// `[gradient]`: code and image → loss and gradient.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientEntry {
    /// File of the graph. By default, the graph is derived from the synthesis graph when the model is loaded.
    pub file: Option<String>,
    /// File of the network in whose features a derived graph compares images, one of the encoder, the classifiers and the identity
    /// graph. By default the first of them, in this order.
    pub features: Option<String>,
    /// Adam's learning rate, in units of the code.
    #[serde(default = "tenth")]
    pub rate: f64,
    /// Weight of the mean square distance to the start.
    #[serde(default = "thousandth")]
    pub pull: f64,
}

/// `[alignment]`: position of the face in the model's images, relative to FFHQ's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlignmentEntry {
    /// Side of an image, in sides of FFHQ's square.
    #[serde(default = "one")]
    pub side: f64,
    /// Distance of the image's centre below the centre of FFHQ's square, in sides of the image.
    #[serde(default)]
    pub down: f64,
}

impl Default for AlignmentEntry {
    fn default() -> Self {
        Self { side: 1.0, down: 0.0 }
    }
}

impl TruncationEntry {
    pub(super) fn check(&self, generator: &GeneratorEntry) -> Result<(), WrongValue> {
        check(
            generator.mapping.is_some(),
            "truncation.w_avg",
            || format!("{:?}", self.w_avg),
            "no [truncation] without generator.mapping, because truncation is done in w",
        )
    }
}

impl GradientEntry {
    pub(super) fn check(&self) -> Result<(), WrongValue> {
        let Self {
            file,
            features,
            rate,
            pull,
        } = self;
        check(
            file.is_none() || features.is_none(),
            "gradient.features",
            || format!("{features:?}"),
            "no network of features beside gradient.file, which has its own loss",
        )?;
        check(
            rate.is_finite() && *rate > 0.0 && pull.is_finite() && *pull >= 0.0,
            "gradient",
            || format!("rate {rate}, pull {pull}"),
            "a rate above 0 and a pull of at least 0",
        )
    }
}

impl AlignmentEntry {
    pub(super) fn check(&self) -> Result<(), WrongValue> {
        let Self { side, down } = self;
        check(
            (0.1..=10.0).contains(side) && (-1.0..=1.0).contains(down),
            "alignment",
            || format!("side {side}, down {down}"),
            "a side from 0.1 to 10, and down from -1 to 1",
        )
    }
}

fn signed() -> [f32; 2] {
    [-1.0, 1.0]
}

fn tenth() -> f64 {
    0.1
}

fn thousandth() -> f64 {
    0.001
}
