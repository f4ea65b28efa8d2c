//! The order of the channels for an attribute, and the boundary that moves the best ones.

use ndarray::{Array1, Array2};

use crate::latent::{Accuracy, Boundary, LatentError, LatentSpace, Provenance, StyleChannel};

/// Ranked channels that a boundary lists.
const LISTED: usize = 50;

/// What each channel changes.
pub(crate) struct ChannelEffects {
    /// The mean of each channel over the samples.
    pub(crate) means: Array1<f64>,
    /// The standard deviation of each channel.
    pub(crate) deviations: Array1<f64>,
    /// The standard deviation of each output's scores.
    pub(crate) score_deviations: Array1<f64>,
    /// `[channels, outputs]`: the change of a score, in deviations of the score, by one deviation of the channel.
    pub(crate) effects: Array2<f64>,
}

impl ChannelEffects {
    /// The channels for the output in a column, the best one first.
    ///
    /// A channel with the effects e on all outputs is worth e²/‖e‖ for its effect e on this one: the size of the effect times its share of
    /// all effects.
    pub(crate) fn ranked(&self, column: usize) -> Vec<usize> {
        let worth = |channel: &usize| {
            let effects = self.effects.row(*channel);
            let length = effects.dot(&effects).sqrt();
            if length > 0.0 {
                effects[column] * effects[column] / length
            } else {
                0.0
            }
        };
        let mut ranked: Vec<usize> = (0..self.effects.nrows()).collect();
        ranked.sort_by(|one, other| worth(other).total_cmp(&worth(one)));
        ranked
    }

    /// The boundary called `name` of the output in a column: along its normal, each of the best `count` channels moves by its effect times its
    /// deviation. It goes through the mean of the samples. `layers` are the channels of each layer, and `outputs` the names of the columns.
    ///
    /// # Errors
    /// [`LatentError::Norm`] if no channel has an effect.
    pub(crate) fn boundary(
        &self,
        name: &str,
        column: usize,
        count: usize,
        layers: &[usize],
        outputs: &[&str],
        provenance: Provenance,
    ) -> Result<Boundary, LatentError> {
        let ranked = self.ranked(column);
        let mut normal = Array1::zeros(self.means.len());
        for &channel in ranked.iter().take(count) {
            normal[channel] = self.effects[[channel, column]] * self.deviations[channel];
        }
        let length = normal.dot(&normal).sqrt();
        if length > 0.0 {
            normal /= length;
        }
        let rises = ranked
            .iter()
            .take(count)
            .filter(|&&channel| self.deviations[channel] > 0.0);
        let rise: f64 = rises
            .map(|&channel| normal[channel] * self.effects[[channel, column]] / self.deviations[channel])
            .sum();
        let listed = ranked.iter().take(LISTED.max(count));
        let provenance = Provenance {
            method: Some("style channels".to_owned()),
            channels: listed
                .map(|&channel| self.channel(channel, column, layers, outputs))
                .collect(),
            accuracy: Accuracy {
                score_per_unit: Some(rise * self.score_deviations[column]),
                ..Accuracy::default()
            },
            ..provenance
        };
        let intercept = -normal.dot(&self.means);
        let normal = normal.insert_axis(ndarray::Axis(0));
        Boundary::new(name, LatentSpace::S, normal, intercept, provenance)
    }

    fn channel(&self, index: usize, column: usize, layers: &[usize], outputs: &[&str]) -> StyleChannel {
        let (mut layer, mut channel) = (0, index);
        while channel >= layers[layer] {
            channel -= layers[layer];
            layer += 1;
        }
        let others = (0..outputs.len()).filter(|&other| other != column);
        let effect = |output: usize| (outputs[output].to_owned(), self.effects[[index, output]]);
        StyleChannel {
            layer,
            channel,
            effects: std::iter::once(column).chain(others).map(effect).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn effects() -> ChannelEffects {
        ChannelEffects {
            means: array![1.0, 0.0, 0.0, 2.0],
            deviations: array![0.5, 1.0, 1.0, 2.0],
            score_deviations: array![3.0, 1.0],
            effects: array![[0.4, 0.0], [0.9, 3.0], [0.0, 0.0], [-0.6, 0.1]],
        }
    }

    #[test]
    fn a_channel_that_moves_other_scores_more_ranks_below_a_weaker_one_that_does_not() {
        assert_eq!(effects().ranked(0), [3, 0, 1, 2]);
        assert_eq!(effects().ranked(1)[0], 1);
    }

    #[test]
    fn a_boundary_moves_the_best_channels_by_their_effects_and_goes_through_the_mean() {
        let made = effects()
            .boundary("smile", 0, 2, &[3, 1], &["smile", "age"], Provenance::default())
            .unwrap();
        let length = (0.2_f64.powi(2) + 1.2_f64.powi(2)).sqrt();
        let expected = array![[0.2 / length, 0.0, 0.0, -1.2 / length]];
        assert!(
            (made.normal() - &expected)
                .iter()
                .all(|error| error.abs() < 1e-12)
        );
        assert!((made.intercept() - (2.4 - 0.2) / length).abs() < 1e-12);
        let best = &made.provenance().channels[0];
        assert_eq!((best.layer, best.channel), (1, 0));
        assert_eq!(
            best.effects,
            [("smile".to_owned(), -0.6), ("age".to_owned(), 0.1)]
        );
        // One unit moves channel 0 by 0.4 deviations per unit of 0.2/length, and channel 3 by 0.6.
        let rise = (0.2 * 0.4 / 0.5 + 1.2 * 0.6 / 2.0) / length * 3.0;
        assert!((made.provenance().accuracy.score_per_unit.unwrap() - rise).abs() < 1e-12);
    }

    #[test]
    fn an_attribute_that_no_channel_moves_has_no_boundary() {
        let mut effects = effects();
        effects.effects.fill(0.0);
        let refused = effects.boundary("smile", 0, 2, &[4], &["smile", "age"], Provenance::default());
        assert!(matches!(refused, Err(LatentError::Norm { .. })));
    }
}
