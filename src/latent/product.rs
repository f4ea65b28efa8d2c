//! The inner product, summed in one order whatever the layout.

/// x·y = Σ xᵢ yᵢ in `f64`, summed from the first to the last element, so that it is the same bits everywhere.
pub(super) fn inner<'a>(x: impl IntoIterator<Item = &'a f64>, y: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().zip(y).map(|(x, y)| x * y).sum()
}

/// ‖x‖ = √(x·x).
pub(super) fn norm<'a, I: IntoIterator<Item = &'a f64> + Copy>(x: I) -> f64 {
    inner(x, x).sqrt()
}
