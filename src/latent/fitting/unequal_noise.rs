//! How much larger the error of a direction is if the noise is larger at codes that count more.

use crate::latent::fitting::moments::ReducedCodes;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::{dot, dot_with_code};
use crate::latent::linear_algebra::halves::both_halves;
use crate::latent::statistics::float;

/// Most codes that are looked at.
const MOST: usize = 1000;

/// Some codes, evenly spread over all, with how much each counts in a least-squares fit to all.
pub(crate) struct Influences {
    codes: Vec<Influence>,
}

struct Influence {
    index: usize,
    /// 1/n + (x − x̄)ᵀ S⁻¹ (x − x̄): how far the prediction at the code x follows its own score, 0 to 1.
    leverage: f64,
    /// ‖S⁻¹ (x − x̄)‖²: how far the weights follow its score.
    square: f64,
}

impl Influences {
    /// The influences of some of `rows`, whose moments are `codes`. None are known if values of the codes depend on others.
    pub(crate) fn of(rows: CodeRows<'_>, codes: &ReducedCodes) -> Self {
        let step = rows.len().div_ceil(MOST).max(1);
        let influence = |&index: &usize| {
            let values = rows.row(index).iter().zip(&codes.mean);
            let mut centred: Vec<f64> = values.map(|(&value, mean)| f64::from(value) - mean).collect();
            codes.scatter.rotate(&mut centred);
            let (weights, _) = codes.scatter.solve_shifted(0.0, &centred)?;
            Some(Influence {
                index,
                leverage: 1.0 / float(rows.len()) + dot(&weights, &centred),
                square: dot(&weights, &weights),
            })
        };
        let indices: Vec<usize> = (0..rows.len()).step_by(step).collect();
        let [mut first, second] = both_halves(indices.len(), |half| {
            indices[half].iter().map_while(influence).collect::<Vec<_>>()
        });
        first.extend(second);
        Self { codes: first }
    }

    /// The scores of these codes, of the scores of all.
    pub(crate) fn select(&self, scores: &[f64]) -> Vec<f64> {
        self.codes.iter().map(|code| scores[code.index]).collect()
    }

    /// How many times larger the squared error of least squares is than it were with equal noise. `scores` are those of these codes, and
    /// their prediction is w·x + b.
    ///
    /// It is the quotient of Σ r²q and Σ r² Σ q/n, where q is the influence of a code and r its residual, whose square is divided by one
    /// less the leverage. Source: `MacKinnon` and White, *Some Heteroskedasticity-Consistent Covariance Matrix Estimators with Improved
    /// Finite Sample Properties* (Journal of Econometrics 29, 1985), there called HC2.
    pub(crate) fn noise_factor(&self, rows: CodeRows<'_>, scores: &[f64], w: &[f64], b: f64) -> f64 {
        let (mut both, mut noise, mut influence) = (0.0, 0.0, 0.0);
        for (code, score) in self.codes.iter().zip(scores) {
            let residual = score - b - dot_with_code(w, rows.row(code.index));
            let square = residual * residual / (1.0 - code.leverage).max(1e-3);
            both += square * code.square;
            noise += square;
            influence += code.square;
        }
        let equal = noise * influence / float(self.codes.len().max(1));
        if equal > 0.0 { both / equal } else { 1.0 }
    }
}
