//! Inner products and the like, each summed in one order whatever the layout.

/// x·y = Σ xᵢ yᵢ in `f64`, summed from the first to the last element, so that it is the same bits everywhere.
pub(crate) fn inner<'a>(x: impl IntoIterator<Item = &'a f64>, y: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().zip(y).map(|(x, y)| x * y).sum()
}

/// ‖x‖ = √(x·x).
pub(crate) fn norm<'a, I: IntoIterator<Item = &'a f64> + Copy>(x: I) -> f64 {
    inner(x, x).sqrt()
}

/// w·x for w in `f64` and a row x of codes in `f32`, in `f64`: eight partial sums, added from the first to the last.
pub(crate) fn project(w: &[f64], x: &[f32]) -> f64 {
    let (w, w_rest) = w.as_chunks::<8>();
    let (x, x_rest) = x.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (w, x) in w.iter().zip(x) {
        for lane in 0..8 {
            sums[lane] += w[lane] * f64::from(x[lane]);
        }
    }
    let rest = w_rest.iter().zip(x_rest);
    sums.iter().sum::<f64>() + rest.map(|(w, x)| w * f64::from(*x)).sum::<f64>()
}

/// w + a x in place, for a row x of codes in `f32`.
pub(crate) fn add_scaled(w: &mut [f64], a: f64, x: &[f32]) {
    for (w, x) in w.iter_mut().zip(x) {
        *w += a * f64::from(*x);
    }
}

/// x·y in `f64`: eight partial sums, added from the first to the last.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (x, x_rest) = x.as_chunks::<8>();
    let (y, y_rest) = y.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f64>()
}

/// part/whole.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// The least and the largest of some numbers; the infinities the wrong way round of none.
pub(crate) fn extremes<'a>(values: impl IntoIterator<Item = &'a f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let wider = |(low, high): (f64, f64), &value: &f64| (low.min(value), high.max(value));
    values.into_iter().fold(none, wider)
}
