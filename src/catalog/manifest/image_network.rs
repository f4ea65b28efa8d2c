//! The tables of networks that take images: what their input is like, the encoder, landmarks and identity.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::check::{WrongValue, check, yes};
use crate::latent::LatentSpace;

/// How the images of the generator are converted for a network. A part of every table of a network that takes images.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct InputEntry {
    /// Values of black and white. See [`range`](Self::range) for the default.
    pub image_range: Option<[f32; 2]>,
    /// Height and width, if the graph leaves them open.
    pub size: Option<InputSize>,
    /// The channels and their order.
    #[serde(default)]
    pub channels: Channels,
    /// What is subtracted from a value in the range.
    pub mean: Option<ChannelValues>,
    /// What the difference is divided by.
    pub std: Option<ChannelValues>,
    /// The order of the axes; absent if the graph's shape shows it.
    pub layout: Option<Layout>,
    /// The part of the image that the network gets, in fractions of width and height: left, top, right, bottom.
    pub crop: Option<[f64; 4]>,
}

/// Height and width of a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum InputSize {
    /// Both.
    Square(usize),
    /// Height, then width.
    HeightWidth([usize; 2]),
}

/// The channels of a network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel of 0.299 red + 0.587 green + 0.114 blue.
    Gray,
}

/// The order of the axes of a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channels, height, width.
    #[serde(alias = "NCHW")]
    Nchw,
    /// Batch, height, width, channels.
    #[serde(alias = "NHWC")]
    Nhwc,
}

/// A number for each channel, in the order of the network's channels.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum ChannelValues {
    /// The same for all.
    All(f32),
    /// One for each of three.
    Each([f32; 3]),
}

impl InputSize {
    /// Height and width.
    #[must_use]
    pub fn height_width(self) -> [usize; 2] {
        match self {
            Self::Square(side) => [side, side],
            Self::HeightWidth(sides) => sides,
        }
    }
}

impl ChannelValues {
    /// The value of a channel, one of at most three.
    #[must_use]
    pub fn of(self, channel: usize) -> f32 {
        match self {
            Self::All(value) => value,
            Self::Each(values) => values[channel],
        }
    }

    fn all(self, is_valid: impl Fn(f32) -> bool) -> bool {
        (0..3).all(|channel| is_valid(self.of(channel)))
    }
}

impl InputEntry {
    /// Values of black and white before `mean` and `std`. The default is −1 and 1; with `mean` or `std`, it is 0 and 1.
    #[must_use]
    pub fn range(&self) -> [f32; 2] {
        let is_normalized = self.mean.is_some() || self.std.is_some();
        let default = if is_normalized { [0.0, 1.0] } else { [-1.0, 1.0] };
        self.image_range.unwrap_or(default)
    }

    /// Checks the values. `table` is named in errors.
    pub(super) fn check(&self, table: &str) -> Result<(), WrongValue> {
        let key = |key: &str| format!("{table}.{key}");
        let [black, white] = self.range();
        check(
            black.is_finite() && white.is_finite() && black.to_bits() != white.to_bits(),
            &key("image_range"),
            || format!("[{black}, {white}]"),
            "two different finite numbers, the values of black and white",
        )?;
        let sides = self.size.map_or([1, 1], InputSize::height_width);
        check(
            sides.iter().all(|side| (1..=8192).contains(side)),
            &key("size"),
            || format!("{sides:?}"),
            "a side of 1 to 8192 pixels, or [height, width]",
        )?;
        let (mean, std) = (
            self.mean.unwrap_or(ChannelValues::All(0.0)),
            self.std.unwrap_or(ChannelValues::All(1.0)),
        );
        check(
            mean.all(f32::is_finite),
            &key("mean"),
            || format!("{mean:?}"),
            "finite numbers",
        )?;
        check(
            std.all(|value| value.is_finite() && value > 0.0),
            &key("std"),
            || format!("{std:?}"),
            "finite numbers above 0",
        )?;
        let has_one_each = !matches!((mean, std), (ChannelValues::All(_), ChannelValues::All(_)));
        check(
            self.channels != Channels::Gray || !has_one_each,
            &key("mean"),
            || "three numbers in mean or std".to_owned(),
            "one number in each, because the channel is gray",
        )?;
        let crop @ [left, top, right, bottom] = self.crop.unwrap_or([0.0, 0.0, 1.0, 1.0]);
        check(
            crop.iter().all(|edge| (0.0..=1.0).contains(edge)) && left < right && top < bottom,
            &key("crop"),
            || format!("{crop:?}"),
            "[left, top, right, bottom] in fractions of the image, 0 to 1, with left before right and top before bottom",
        )
    }
}

/// `[encoder]`: image → code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderEntry {
    /// File of the graph.
    pub file: String,
    /// Latent space of its codes: z, w or w+.
    #[serde(deserialize_with = "space")]
    pub space: LatentSpace,
    /// The conversion of images for it.
    #[serde(flatten)]
    pub input: InputEntry,
    /// Name of the output to read.
    pub output: Option<String>,
    /// Whether its codes include `w_avg`; otherwise the service adds it.
    #[serde(default = "yes")]
    pub adds_w_avg: bool,
    /// File of the covariance of its errors, which scales the optimization from its codes.
    pub errors: Option<String>,
}

/// `[identity]`: image → embedding of the person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityEntry {
    /// File of the graph.
    pub file: String,
    /// The conversion of images for it.
    #[serde(flatten)]
    pub input: InputEntry,
    /// Name of the output to read.
    pub output: Option<String>,
}

/// `[landmarks]`: photograph → landmarks of the face.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandmarksEntry {
    /// File of the graph.
    pub file: String,
    /// The conversion of images for it.
    #[serde(flatten)]
    pub input: InputEntry,
    /// Name of the output to read.
    pub output: Option<String>,
    /// The unit of its coordinates.
    #[serde(default)]
    pub unit: LandmarkUnit,
    /// The coordinates of a point.
    #[serde(default)]
    pub coordinates: Coordinates,
    /// The 5 or 68 landmarks, as points of the output; absent if the output has just these.
    pub points: Option<Vec<LandmarkPoint>>,
}

/// The unit of the coordinates of landmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LandmarkUnit {
    /// Fractions of the image's width and height.
    #[default]
    Fraction,
    /// Pixels of the network's input.
    Pixels,
}

/// The coordinates of a point in the output of a landmark graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coordinates {
    /// x and y.
    #[default]
    Xy,
    /// x, y, and a third value that is not used.
    Xyz,
}

/// A landmark, made of points of a network's output.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum LandmarkPoint {
    /// One point, by its index.
    Point(usize),
    /// The mean of several points.
    Mean(Vec<usize>),
}

impl LandmarkPoint {
    /// The indices of its points.
    #[must_use]
    pub fn indices(&self) -> &[usize] {
        match self {
            Self::Point(index) => std::slice::from_ref(index),
            Self::Mean(indices) => indices,
        }
    }
}

impl LandmarksEntry {
    pub(super) fn check(&self) -> Result<(), WrongValue> {
        self.input.check("landmarks")?;
        check(
            self.input.crop.is_none(),
            "landmarks.crop",
            || "a crop".to_owned(),
            "none, because the landmark graph finds the face in the whole photograph",
        )?;
        let points = self.points.as_deref().unwrap_or_default();
        check(
            self.points.is_none()
                || [5, 68].contains(&points.len()) && points.iter().all(|point| !point.indices().is_empty()),
            "landmarks.points",
            || format!("{} points", points.len()),
            "5 or 68 points, each an index, or a list of indices to take the mean of",
        )
    }
}

fn space<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LatentSpace, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("found {text:?}, expected \"z\", \"w\" or \"w+\"")))
}
