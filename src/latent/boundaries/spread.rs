//! Where the samples of a generator are, as signed distances from a boundary.

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::ordered_dot;
use crate::latent::{Boundary, LatentCode, LatentSpace, LayerRange};

/// Standard deviations from the mean to the ends of the [range](Spread::range) of the samples. 99.7 % of normally distributed samples
/// lie within.
const RANGE: f64 = 3.0;

/// The mean and the standard deviation of the signed distances of samples from a boundary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Spread {
    /// The spread of z codes around a `boundary` in z; `None` for a boundary of another space.
    ///
    /// The values of a z code are independent standard normal numbers, so that n·z, with ‖n‖ = 1, is one too: its mean is 0
    /// and its deviation is 1. A code that is scaled to the length √dim is uniform on a sphere. Then the mean of (n·z)² is the
    /// same for each n, and for dim orthogonal ones their sum is ‖z‖² = dim. The deviation is 1 again.
    #[must_use]
    pub fn in_z(boundary: &Boundary) -> Option<Self> {
        (boundary.space() == LatentSpace::Z).then(|| Self {
            mean: boundary.distance_of_origin(),
            deviation: 1.0,
        })
    }

    /// The spread of `codes` around a `boundary` that can measure them; `None` for one that cannot, or fewer than two codes.
    #[must_use]
    pub fn of_codes(boundary: &Boundary, codes: &[LatentCode]) -> Option<Self> {
        let distances = codes.iter().map(|code| boundary.signed_distance(code));
        let distances: Array1<f64> = distances.collect::<Result<_, _>>().ok()?;
        (distances.len() > 1).then(|| Self {
            mean: distances.mean().expect("there are two"),
            deviation: distances.std(1.0),
        })
    }

    /// A signed distance, in standard deviations from the mean of the samples; `None` if all samples have one distance.
    #[must_use]
    pub fn deviations(&self, distance: f64) -> Option<f64> {
        (self.deviation > 0.0).then(|| (distance - self.mean) / self.deviation)
    }

    /// The signed distances three standard deviations below and above the mean. Nearly all samples lie between them, so
    /// that they suit the ends of a slider.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let room = RANGE * self.deviation;
        (self.mean - room, self.mean + room)
    }
}

/// The mean and the covariance of sampled w codes.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeMoments {
    mean: Array1<f64>,
    covariance: Array2<f64>,
}

impl CodeMoments {
    /// The moments of `codes`, [samples, dim].
    ///
    /// # Panics
    /// If there are fewer than two codes.
    #[must_use]
    pub fn of(codes: ArrayView2<'_, f32>) -> Self {
        assert!(codes.nrows() > 1, "the covariance of one code is not defined");
        let codes = codes.as_standard_layout();
        let all: Vec<usize> = (0..codes.nrows()).collect();
        let rows = CodeRows {
            codes: codes.view(),
            selected: &all,
        };
        let mean = rows.mean(&all);
        let mut covariance = Array2::zeros((rows.dim(), rows.dim()));
        #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
        let share = 1.0 / (all.len() - 1) as f64;
        rows.add_scatter(&all, &mean, share, &mut covariance);
        Self { mean, covariance }
    }

    /// The spread of the codes around a `boundary` in w or w+, on some `layers` of w+ or on all for `None`; `None` for a boundary of
    /// another space or size.
    ///
    /// With n·w + b, the mean is n·w̄ + b and the variance is nᵀ C n, for the covariance C. In w+, a sample is a w code that is
    /// repeated on all layers, so that n is the mean of the normal's rows on these layers.
    #[must_use]
    pub fn spread(&self, boundary: &Boundary, layers: Option<LayerRange>) -> Option<Spread> {
        let is_of_w = matches!(boundary.space(), LatentSpace::W | LatentSpace::WPlus);
        if !is_of_w || boundary.normal().ncols() != self.mean.len() {
            return None;
        }
        let rows = Slice::from(boundary.rows_on(layers).ok()?);
        let normal = boundary.normal().slice_axis(Axis(0), rows).mean_axis(Axis(0))?;
        let rows = self.covariance.outer_iter();
        let products: Array1<f64> = rows.map(|row| ordered_dot(row, &normal)).collect();
        Some(Spread {
            mean: ordered_dot(&self.mean, &normal) + boundary.distance_of_origin(),
            deviation: ordered_dot(&products, &normal).max(0.0).sqrt(),
        })
    }
}
