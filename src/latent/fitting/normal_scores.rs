//! Scores replaced by the normal quantiles of their ranks, which straightens scores that saturate or have outliers.

use crate::latent::statistics::float;

/// Scores as normal quantiles of their ranks.
pub(crate) struct NormalScores {
    /// One quantile for each score; their mean is 0. Equal scores have equal quantiles.
    pub(crate) quantiles: Vec<f64>,
    /// The scores, sorted.
    sorted: Vec<f64>,
}

impl NormalScores {
    /// Ranks finite scores.
    pub(crate) fn of(scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&one, &other| scores[one].total_cmp(&scores[other]));
        let mut ranked = Self {
            quantiles: vec![0.0; scores.len()],
            sorted: order.iter().map(|&index| scores[index]).collect(),
        };
        let mut below = 0;
        #[expect(clippy::float_cmp, reason = "ties are equal numbers")]
        for equal in order.chunk_by(|&one, &other| scores[one] == scores[other]) {
            let quantile = ranked.quantile_at(below, below + equal.len());
            for &index in equal {
                ranked.quantiles[index] = quantile;
            }
            below += equal.len();
        }
        let mean = ranked.quantiles.iter().sum::<f64>() / float(scores.len());
        for quantile in &mut ranked.quantiles {
            *quantile -= mean;
        }
        ranked
    }

    /// The quantile of any score: that of the share of scores below it, where equal ones count half.
    pub(crate) fn at(&self, score: f64) -> f64 {
        let below = self.sorted.partition_point(|&other| other < score);
        let not_above = self.sorted.partition_point(|&other| other <= score);
        self.quantile_at(below, not_above)
    }

    /// The quantile of scores in the sorted ones from `below` to `not_above`.
    fn quantile_at(&self, below: usize, not_above: usize) -> f64 {
        let all = float(self.sorted.len());
        let share = (float(below) + float(not_above)) / (2.0 * all);
        // A score beyond all others is as rare as half of one.
        normal_quantile(share.clamp(0.5 / all, 1.0 - 0.5 / all))
    }
}

/// The number below which a standard normal variable lies with the probability `p`, 0 < p < 1, to 10⁻⁶.
///
/// Source: Wichura, *Algorithm AS 241: The Percentage Points of the Normal Distribution* (Applied Statistics 37, 1988), in its
/// version of seven digits.
fn normal_quantile(p: f64) -> f64 {
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred
            * polynomial(
                r,
                &[3.387_132_717_9, 50.434_271_938, 159.291_132_02, 59.109_374_720],
            )
            / polynomial(r, &[1.0, 17.895_169_469, 78.757_757_664, 67.187_563_600]);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    let root = (-tail.ln()).sqrt();
    let distance = if root <= 5.0 {
        polynomial(
            root - 1.6,
            &[
                1.423_437_277_7,
                2.756_815_390_0,
                1.306_728_481_6,
                0.170_238_211_03,
            ],
        ) / polynomial(root - 1.6, &[1.0, 0.737_001_642_50, 0.120_211_329_75])
    } else {
        polynomial(
            root - 5.0,
            &[
                6.657_905_115_0,
                3.081_226_386_0,
                0.428_682_943_37,
                0.017_337_203_997,
            ],
        ) / polynomial(root - 5.0, &[1.0, 0.241_978_942_25, 0.012_258_202_635])
    };
    distance.copysign(centred)
}

/// The polynomial with these coefficients, the constant first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        // scipy.stats.norm.ppf
        for (p, expected) in [
            (0.5, 0.0),
            (0.9, 1.281_551_565_545),
            (0.975, 1.959_963_984_540),
            (0.999_5, 3.290_526_731_492),
            (1e-12, -7.034_483_825_301),
        ] {
            let found = normal_quantile(p);
            assert!(
                (found - expected).abs() < 1e-5,
                "{p}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn normal_scores_keep_the_order_and_share_ties() {
        let ranked = NormalScores::of(&[3.0, -1.0, 3.0, 1e9]);
        let [a, b, c, d] = ranked.quantiles[..] else {
            panic!("four scores");
        };
        assert!(b < a && (a - c).abs() < 1e-15 && c < d, "{:?}", ranked.quantiles);
        assert!(ranked.at(0.0) > ranked.at(-5.0) && ranked.at(1e12) >= ranked.at(1e9));
    }
}
