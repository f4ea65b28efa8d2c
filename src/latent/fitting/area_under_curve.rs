//! Which of two values separates two classes of codes better: the areas under their ROC curves (AUC).

use crate::latent::statistics::float;

/// The AUC of the first values less that of the second ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AreaDifference {
    /// Both areas, 0 to 1: that of the first values, and that of the second ones.
    pub(crate) areas: [f64; 2],
    /// The difference, −1 to 1.
    pub(crate) difference: f64,
    /// The square of its standard error.
    pub(crate) variance: f64,
}

impl AreaDifference {
    /// The fewest codes of either class. The standard error of a comparison by fewer is not known well.
    pub(crate) const LEAST_OF_CLASS: usize = 10;

    /// Compares two values of each code. `positive` says which codes are of the positive class; there are at least two of each class.
    ///
    /// Source: *Comparing the Areas under Two or More Correlated Receiver Operating Characteristic Curves* (Biometrics 44, 1988), by E. R.
    /// `DeLong`, D. M. `DeLong` and D. L. Clarke-Pearson.
    pub(crate) fn between(values: &[f64], others: &[f64], positive: &[bool]) -> Self {
        let (ours, theirs) = (
            shares_in_order(values, positive),
            shares_in_order(others, positive),
        );
        let of_class = |class: bool| {
            let own = positive.iter().zip(ours.iter().zip(&theirs));
            let differences = own
                .filter(|(positive, _)| **positive == class)
                .map(|(_, (ours, theirs))| ours - theirs);
            let differences: Vec<f64> = differences.collect();
            let count = float(differences.len());
            let mean = differences.iter().sum::<f64>() / count;
            let squares: f64 = differences
                .iter()
                .map(|difference| (difference - mean).powi(2))
                .sum();
            (mean, squares / (count - 1.0) / count)
        };
        let ((difference, of_positive), (_, of_negative)) = (of_class(true), of_class(false));
        let area = |shares: &[f64]| {
            let own = shares.iter().zip(positive).filter(|(_, positive)| **positive);
            own.clone().map(|(share, _)| share).sum::<f64>() / float(own.count())
        };
        Self {
            areas: [area(&ours), area(&theirs)],
            difference,
            variance: of_positive + of_negative,
        }
    }
}

/// For a positive code, the share of negative ones with a lower value; for a negative code, the share of positive ones with a higher value.
/// Equal values count half. The mean over a class is the AUC.
fn shares_in_order(values: &[f64], positive: &[bool]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&one, &other| values[one].total_cmp(&values[other]));
    let positives = positive.iter().filter(|positive| **positive).count();
    let (positives, negatives) = (float(positives), float(values.len() - positives));
    let (mut positives_below, mut negatives_below) = (0.0, 0.0);
    let mut shares = vec![0.0; values.len()];
    #[expect(clippy::float_cmp, reason = "ties are equal numbers")]
    for equal in order.chunk_by(|&one, &other| values[one] == values[other]) {
        let of_positive = equal.iter().filter(|&&index| positive[index]).count();
        let (of_positive, of_negative) = (float(of_positive), float(equal.len() - of_positive));
        for &index in equal {
            shares[index] = if positive[index] {
                (negatives_below + 0.5 * of_negative) / negatives
            } else {
                1.0 - (positives_below + 0.5 * of_positive) / positives
            };
        }
        positives_below += of_positive;
        negatives_below += of_negative;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_a_class_is_the_share_of_pairs_in_order() {
        // Of four pairs, one is in order, one is equal, and two are not in order.
        let shares = shares_in_order(&[2.0, 1.0, 2.0, 1.5], &[true, true, false, false]);
        assert_eq!(shares, [0.75, 0.0, 0.25, 0.5]);
    }

    #[test]
    fn values_in_better_order_have_the_larger_area() {
        let positive = [true, true, true, false, false, false];
        let (good, bad) = ([6.0, 5.0, 4.0, 3.0, 2.0, 1.0], [6.0, 1.0, 4.0, 3.0, 2.0, 5.0]);
        let AreaDifference {
            areas,
            difference,
            variance,
        } = AreaDifference::between(&good, &bad, &positive);
        assert!(
            (areas[0] - 1.0).abs() < 1e-15 && (areas[1] - 5.0 / 9.0).abs() < 1e-15,
            "{areas:?}"
        );
        // Four of nine pairs are in the wrong order. The differences of the positive class are 0, 1 and 1/3, those of the negative one
        // 1/3, 1/3 and 2/3.
        assert!((difference - 4.0 / 9.0).abs() < 1e-15, "{difference}");
        assert!((variance - 8.0 / 81.0).abs() < 1e-15, "{variance}");
        let none = AreaDifference::between(&good, &good, &positive);
        assert!(none.difference == 0.0 && none.variance == 0.0, "{none:?}");
    }
}
