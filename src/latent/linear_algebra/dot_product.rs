//! Dot products and norms, each summed in a fixed order.

/// x·y = Σ xᵢ yᵢ in `f64`, summed from the first element to the last. The bits do not depend on the memory layout.
pub(crate) fn ordered_dot<'a>(
    x: impl IntoIterator<Item = &'a f64>,
    y: impl IntoIterator<Item = &'a f64>,
) -> f64 {
    x.into_iter().zip(y).map(|(x, y)| x * y).sum()
}

/// ‖x‖ = √(x·x).
pub(crate) fn norm<'a, I: IntoIterator<Item = &'a f64> + Copy>(x: I) -> f64 {
    ordered_dot(x, x).sqrt()
}

/// w·x in `f64`, for w in `f64` and a code x in `f32`: eight partial sums, added from the first to the last.
pub(crate) fn dot_with_code(w: &[f64], x: &[f32]) -> f64 {
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

/// Replaces w by w + a x, for w in `f64` and a code x in `f32`.
pub(crate) fn add_scaled(w: &mut [f64], a: f64, x: &[f32]) {
    for (w, x) in w.iter_mut().zip(x) {
        *w += a * f64::from(*x);
    }
}

/// Replaces w by w + Σ a x over four codes x, which reads and writes w once.
pub(crate) fn add_four_scaled(w: &mut [f64], a: [f64; 4], x: [&[f32]; 4]) {
    let x = x.map(|x| &x[..w.len()]);
    for (index, w) in w.iter_mut().enumerate() {
        let scaled = |code: usize| a[code] * f64::from(x[code][index]);
        *w += (scaled(0) + scaled(1)) + (scaled(2) + scaled(3));
    }
}

/// Replaces w by w + a x, both in `f64`.
pub(crate) fn add_scaled_f64(w: &mut [f64], a: f64, x: &[f64]) {
    for (w, x) in w.iter_mut().zip(x) {
        *w += a * x;
    }
}

/// x·y in `f64`: eight partial sums, added from the first to the last, which the processor computes in parallel.
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
