//! What a method does to a face, at equal change of the target.

use ndarray::{Array1, ArrayView2};

/// The changes of the target at which methods are compared, in standard deviations of its score.
pub const LEVELS: [f64; 4] = [0.5, 1.0, 1.5, 2.0];

/// The one of [`LEVELS`] that the tables of re-scoring show, and at which edits are undone: 1 standard deviation.
pub const RESCORED: usize = 1;

/// What one method does, attribute by attribute.
#[derive(Clone, Debug)]
pub struct MethodReport {
    /// The name of the method, such as `plane in w, others held`.
    pub method: String,
    /// The attributes that it can edit.
    pub effects: Vec<MethodEffect>,
}

/// What one method does when it edits one attribute.
#[derive(Clone, Debug)]
pub struct MethodEffect {
    /// The edited attribute.
    pub attribute: String,
    /// The direction that it uses, if that is not the attribute's own: `sefa-3`.
    pub along: Option<String>,
    /// The seconds from a code to the edited image, for one face: the median of three, or the mean of the searches.
    pub seconds: f64,
    /// How many faces were moved.
    pub faces: usize,
    /// The effect at each of [`LEVELS`], by the classifiers' scores.
    pub by_score: Vec<LevelEffect>,
    /// How many faces were moved whose truth was measured.
    pub faces_by_truth: usize,
    /// The effect at each of [`LEVELS`], by the true values; empty if no graph knows them.
    pub by_truth: Vec<LevelEffect>,
    /// How close undone edits come; `None` if the model has no encoder for the codes that its synthesis takes, or no face came as far as
    /// [`RESCORED`].
    pub undone: Option<UndoneEdits>,
}

/// Manipulation inversion: faces were edited, the edited images inverted, and the edits undone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UndoneEdits {
    /// How many faces.
    pub faces: usize,
    /// Their mean PSNR in dB to the faces before the edit.
    pub psnr: f64,
}

/// The mean effect on the faces whose target changes by one of [`LEVELS`].
#[derive(Clone, Debug, PartialEq)]
pub struct LevelEffect {
    /// How many faces came so far.
    pub reached: usize,
    /// The mean change of every value in its standard deviations, positive in the direction of the edit; empty if no face came
    /// so far.
    pub changes: Vec<f64>,
    /// Attribute dependency: the mean absolute change of all values but the target, in their standard deviations.
    ///
    /// Source: Wu et al., *`StyleSpace` Analysis* (CVPR 2021), where it compares methods of editing.
    pub dependency: Option<f64>,
    /// The mean similarity of the person to the one before, if it is known.
    pub identity: Option<f64>,
}

/// The mean effect of a method over all attributes at one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanEffect {
    /// The share of the moved faces that came so far.
    pub reached: f64,
    /// The mean [`LevelEffect::dependency`] of these faces.
    pub dependency: Option<f64>,
    /// The mean [`LevelEffect::identity`] of these faces.
    pub identity: Option<f64>,
}

impl MethodReport {
    /// The mean effect over all attributes, at each of [`LEVELS`], by the scores.
    #[must_use]
    pub fn by_score(&self) -> Vec<MeanEffect> {
        let effects = self.effects.iter();
        let effects: Vec<_> = effects
            .map(|effect| (effect.faces, &effect.by_score[..]))
            .collect();
        means(&effects)
    }

    /// The same by the true values; empty if no graph knows them.
    #[must_use]
    pub fn by_truth(&self) -> Vec<MeanEffect> {
        let effects = self.effects.iter().filter(|effect| !effect.by_truth.is_empty());
        let effects = effects.map(|effect| (effect.faces_by_truth, &effect.by_truth[..]));
        means(&effects.collect::<Vec<_>>())
    }

    /// The median of the seconds that an edit takes.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let mut seconds: Vec<f64> = self.effects.iter().map(|effect| effect.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or_default()
    }

    /// The undone edits of all attributes, with the mean PSNR of the attributes, if there are any.
    #[must_use]
    pub fn undone(&self) -> Option<UndoneEdits> {
        let all = || self.effects.iter().filter_map(|effect| effect.undone);
        Some(UndoneEdits {
            faces: all().map(|undone| undone.faces).sum(),
            psnr: Array1::from_iter(all().map(|undone| undone.psnr)).mean()?,
        })
    }
}

/// The mean at each level over the faces of all attributes. Each entry has the number of faces that were moved.
#[expect(clippy::cast_precision_loss, reason = "counts of faces are far below 2^53")]
fn means(effects: &[(usize, &[LevelEffect])]) -> Vec<MeanEffect> {
    let moved: usize = effects.iter().map(|(faces, _)| faces).sum();
    if moved == 0 {
        return Vec::new();
    }
    let at = |level: usize| {
        let levels = || effects.iter().map(|(_, levels)| &levels[level]);
        let mean = |value: fn(&LevelEffect) -> Option<f64>| {
            let known = levels().filter_map(|level| Some((value(level)?, level.reached as f64)));
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), (value, reached)| {
                (sum + value * reached, count + reached)
            });
            (count > 0.0).then(|| sum / count)
        };
        MeanEffect {
            reached: levels().map(|level| level.reached).sum::<usize>() as f64 / moved as f64,
            dependency: mean(|level| level.dependency),
            identity: mean(|level| level.identity),
        }
    };
    (0..LEVELS.len()).map(at).collect()
}

/// A place on a walk, between two stations.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The station after it, at least 1; the face itself is station 0.
    pub(crate) station: usize,
    /// The share of the way from the station before, 0 to 1.
    pub(crate) share: f64,
}

impl Place {
    fn between(self, from: f64, to: f64) -> f64 {
        from + self.share * (to - from)
    }
}

/// Sums over faces at one level.
#[derive(Clone, Default)]
struct LevelSum {
    reached: usize,
    changes: Vec<f64>,
    absolute: f64,
    identity: f64,
}

/// Collects the walks of many faces into the effect at each level.
pub(crate) struct EffectSum {
    target: usize,
    deviations: Vec<f64>,
    levels: [LevelSum; LEVELS.len()],
    has_identity: bool,
}

impl EffectSum {
    /// No faces yet. `target` is the column of the edited attribute, and `deviations` are those of all columns.
    pub(crate) fn new(target: usize, deviations: &[f64]) -> Self {
        let level = LevelSum {
            changes: vec![0.0; deviations.len()],
            ..LevelSum::default()
        };
        Self {
            target,
            deviations: deviations.to_vec(),
            levels: std::array::from_fn(|_| level.clone()),
            has_identity: false,
        }
    }

    /// Adds the walk of a face: its `values` `[stations, columns]`, the first of them before the edit, and the similarity of each
    /// station to the first, if it is known. `sign` is −1 if the edit lowers the target.
    pub(crate) fn add(&mut self, values: ArrayView2<'_, f64>, identity: Option<&[f64]>, sign: f64) {
        for (index, level) in LEVELS.into_iter().enumerate() {
            let Some(place) = self.place(values, sign, level) else {
                break;
            };
            let before = place.station - 1;
            let moved: Vec<f64> = (0..values.ncols())
                .map(|column| {
                    let change = |station| self.change(values, sign, station, column);
                    place.between(change(before), change(place.station))
                })
                .collect();
            let sum = &mut self.levels[index];
            sum.reached += 1;
            for (column, moved) in moved.into_iter().enumerate() {
                sum.changes[column] += moved;
                if column != self.target {
                    sum.absolute += moved.abs();
                }
            }
            if let Some(identity) = identity {
                self.has_identity = true;
                sum.identity += place.between(identity[before], identity[place.station]);
            }
        }
    }

    /// Where the target of a walk, as in [`add`](Self::add), has changed by `level`, if it comes so far.
    pub(crate) fn place(&self, values: ArrayView2<'_, f64>, sign: f64, level: f64) -> Option<Place> {
        let change = |station| self.change(values, sign, station, self.target);
        let station = (1..values.nrows()).find(|&station| change(station) >= level)?;
        let (from, to) = (change(station - 1), change(station));
        Some(Place {
            station,
            share: (level - from) / (to - from),
        })
    }

    /// The change of a value up to a station, in its standard deviations.
    fn change(&self, values: ArrayView2<'_, f64>, sign: f64, station: usize, column: usize) -> f64 {
        let deviation = self.deviations[column];
        // A value that is the same for all samples has no unit.
        if deviation > 0.0 {
            sign * (values[[station, column]] - values[[0, column]]) / deviation
        } else {
            0.0
        }
    }

    /// The means at each level.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of faces and attributes are far below 2^53"
    )]
    pub(crate) fn means(self) -> Vec<LevelEffect> {
        let others = self.deviations.len() - 1;
        let mean = |sum: LevelSum| {
            let reached = sum.reached as f64;
            let is_known = sum.reached > 0;
            LevelEffect {
                reached: sum.reached,
                changes: if is_known {
                    sum.changes.into_iter().map(|change| change / reached).collect()
                } else {
                    Vec::new()
                },
                dependency: (is_known && others > 0).then(|| sum.absolute / (reached * others as f64)),
                identity: (is_known && self.has_identity).then(|| sum.identity / reached),
            }
        };
        self.levels.into_iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn the_effect_is_read_where_the_target_has_changed_by_the_level() {
        // The target falls by 1 a station and its deviation is 2, so that 1 deviation is at station 2.
        let values = arr2(&[[5.0, 0.0, 1.0], [4.0, 0.2, 1.0], [3.0, 0.6, 1.0], [2.0, 2.0, 1.0]]);
        let mut sum = EffectSum::new(0, &[2.0, 0.5, 0.0]);
        sum.add(values.view(), Some(&[1.0, 0.9, 0.8, 0.5]), -1.0);
        let levels = sum.means();
        assert_eq!(
            levels.iter().map(|level| level.reached).collect::<Vec<_>>(),
            [1, 1, 1, 0]
        );
        assert!((levels[0].dependency.unwrap() - 0.4 / 2.0).abs() < 1e-12);
        assert!((levels[1].changes[1] + 1.2).abs() < 1e-12, "{levels:?}");
        assert!((levels[1].identity.unwrap() - 0.8).abs() < 1e-12);
        assert!((levels[0].changes[0] - 0.5).abs() < 1e-12);
        assert_eq!((levels[3].dependency, levels[3].identity), (None, None));
    }
}
