//! Ridge regression of scores on codes.

use crate::latent::fitting::agreement::CODES_PER_VALUE;
use crate::latent::fitting::moments::ReducedCodes;
use crate::latent::linear_algebra::dot_product::dot;
use crate::latent::statistics::float;

/// The strengths that cross-validation tries, as powers of ten of the mean variance of the codes: from 10⁻⁸ to 10⁴.
const EXPONENTS: (i32, i32) = (-8, 4);
/// Strengths for each power of ten.
const PER_DECADE: i32 = 4;

/// A linear prediction y ≈ w·(x − x̄) of scores whose mean is 0.
pub(crate) struct Ridge {
    pub(crate) w: Vec<f64>,
    /// λ: what was added to the diagonal of the scatter matrix.
    pub(crate) strength: f64,
    /// The mean square error that generalized cross-validation expects on other codes, relative to the variance of the scores.
    pub(crate) expected_error: f64,
}

/// Fits a ridge regression with the strength that generalized cross-validation finds.
///
/// It solves (S + λ) w = Σ (x − x̄) y, where S is the scatter matrix, and chooses the λ with the lowest
/// n Σ (y − w·(x − x̄))²/(n − f)², where f = 1 + tr S (S + λ)⁻¹ is the number of free parameters. `cross` is Σ (x − x̄) y, and
/// `total` is Σ y². Source: Golub, Heath, Wahba, *Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter*
/// (Technometrics 21, 1979). `None` if no strength leaves degrees of freedom.
pub(crate) fn cross_validated(codes: &ReducedCodes, cross: &[f64], total: f64) -> Option<Ridge> {
    let mut rotated = cross.to_vec();
    codes.scatter.rotate(&mut rotated);
    let mean_variance = codes.scatter.trace() / float(rotated.len());
    let exponents = EXPONENTS.0 * PER_DECADE..=EXPONENTS.1 * PER_DECADE;
    let fits = exponents.filter_map(|step| {
        let strength = 10.0_f64.powf(f64::from(step) / f64::from(PER_DECADE)) * mean_variance;
        solve(codes, &rotated, total, strength)
    });
    let mut best = fits.min_by(|one, other| one.expected_error.total_cmp(&other.expected_error))?;
    codes.scatter.rotate_back(&mut best.w);
    Some(best)
}

/// Fits a ridge regression with a given strength; with 0, it is least squares. `None` if values of the codes depend on others.
pub(crate) fn with_strength(codes: &ReducedCodes, cross: &[f64], total: f64, strength: f64) -> Option<Ridge> {
    let mut rotated = cross.to_vec();
    codes.scatter.rotate(&mut rotated);
    let mut fit = solve(codes, &rotated, total, strength)?;
    codes.scatter.rotate_back(&mut fit.w);
    Some(fit)
}

/// A fit in the axes in which the scatter matrix is tridiagonal.
fn solve(codes: &ReducedCodes, cross: &[f64], total: f64, strength: f64) -> Option<Ridge> {
    let (w, trace) = codes.scatter.solve_shifted(strength, cross)?;
    let n = float(codes.count);
    let parameters = 1.0 + float(w.len()) - strength * trace;
    let free = n - parameters;
    // Below, the error is a quotient of two small numbers.
    if free <= 1e-3 * n {
        return None;
    }
    let residual = (total - dot(&w, cross) - strength * dot(&w, &w)).max(0.0);
    Some(Ridge {
        w,
        strength,
        expected_error: n * n * residual / (free * free * total),
    })
}

/// The expected cosine between the direction of a fit and that of unlimited codes. `None` for too few codes.
///
/// Least squares gives o = w + e without bias, where the covariance of e is σ² S⁻¹, and the fit is correlated with it by
/// σ² (S + λ)⁻¹. So fit·o − σ² tr (S + λ)⁻¹ estimates fit·w, and o·o − σ² tr S⁻¹ estimates w·w. `noise_factor` gets o, and says how many
/// times larger the squared error is because the noise differs from code to code.
pub(crate) fn expected_cosine(
    codes: &ReducedCodes,
    cross: &[f64],
    total: f64,
    fit: &Ridge,
    noise_factor: impl FnOnce(&[f64]) -> f64,
) -> Option<f64> {
    let values = cross.len();
    if codes.count < CODES_PER_VALUE * values {
        return None;
    }
    let mut rotated = cross.to_vec();
    codes.scatter.rotate(&mut rotated);
    let (mut unbiased, trace) = codes.scatter.solve_shifted(0.0, &rotated)?;
    let (_, fit_trace) = codes.scatter.solve_shifted(fit.strength, &rotated)?;
    codes.scatter.rotate_back(&mut unbiased);
    let variance = (total - dot(&unbiased, cross)).max(0.0) / float(codes.count - values - 1);
    let variance = variance * noise_factor(&unbiased);
    let along = dot(&fit.w, &unbiased) - variance * fit_trace;
    let square = dot(&unbiased, &unbiased) - variance * trace;
    let length = dot(&fit.w, &fit.w).sqrt();
    // If noise alone could give w, nothing is known of its direction.
    let is_found = square > 0.0 && length > 0.0;
    Some(if is_found {
        (along / (length * square.sqrt())).clamp(0.0, 1.0)
    } else {
        0.0
    })
}
