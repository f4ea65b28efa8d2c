//! The logistic regression is at the minimum of its loss.

use std::ops::ControlFlow;

use ndarray::Array2;

use super::*;
use crate::latent::fitting::moments::Moments;
use crate::latent::fitting::progress::Progress;
use crate::latent::standard_normal;

const VALUES: usize = 6;

/// Codes whose values have deviations from 1 to 0.01, and their sides: about a tenth is positive, with noise.
#[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
fn codes_and_sides(count: usize) -> (Array2<f32>, Vec<f64>) {
    let numbers = standard_normal(5, count * (VALUES + 1));
    let deviation = |value: usize| 0.4_f64.powi(i32::try_from(value).unwrap());
    let codes = Array2::from_shape_fn((count, VALUES), |(row, value)| {
        (numbers[row * (VALUES + 1) + value] * deviation(value) + 3.0) as f32
    });
    let side = |row: usize| {
        let numbers = &numbers[row * (VALUES + 1)..][..=VALUES];
        let along = numbers.iter().sum::<f64>() / 7.0_f64.sqrt();
        if along > 1.28 { 1.0 } else { -1.0 }
    };
    (codes, (0..count).map(side).collect())
}

fn fit(codes: &Array2<f32>, sides: &[f64], balanced: bool) -> Hyperplane {
    let selected: Vec<usize> = (0..codes.nrows()).collect();
    let rows = CodeRows {
        codes: codes.view(),
        selected: &selected,
    };
    let halves = [
        selected[..selected.len() / 2].to_vec(),
        selected[selected.len() / 2..].to_vec(),
    ];
    let mut never_cancel = |_| ControlFlow::Continue(());
    let halves = Moments::of_halves(rows, &halves, &mut Progress::new(&mut never_cancel)).unwrap();
    let (_, reduced) = Moments::reduce_all(halves);
    let problem = LogisticProblem {
        values: rows.dim(),
        rows,
        indices: &selected,
        sides,
        balanced,
        codes: &reduced,
    };
    let start = Start {
        w: vec![1.0; VALUES],
        times: 0.0,
        margins: None,
    };
    let solution = solve(&problem, start, &mut |_| Ok(())).unwrap();
    for (value, expected) in solution
        .values
        .iter()
        .zip(solution.hyperplane.values(rows, &selected))
    {
        assert!((value - expected).abs() < 1e-9, "{value}, {expected}");
    }
    solution.hyperplane
}

/// The loss that the documentation of [`solve`] has.
fn loss(codes: &Array2<f32>, sides: &[f64], weights: [f64; 2], w: &[f64], intercept: f64) -> f64 {
    let mean = codes.mapv(f64::from).mean_axis(ndarray::Axis(0)).unwrap();
    let square = (codes.mapv(f64::from) - &mean)
        .mapv(|value| value * value)
        .mean()
        .unwrap();
    let losses = codes.rows().into_iter().zip(sides).map(|(row, side)| {
        let row: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
        let margin = dot(w, &row) + intercept;
        weights[usize::from(*side > 0.0)] * (-side * margin).exp().ln_1p()
    });
    0.5 * square * dot(w, w) + losses.sum::<f64>()
}

#[test]
fn no_change_of_the_hyperplane_lowers_the_loss() {
    let (codes, sides) = codes_and_sides(3000);
    let positive = float(sides.iter().filter(|side| **side > 0.0).count());
    for (balanced, weights) in [
        (false, [1.0, 1.0]),
        (true, [1500.0 / (3000.0 - positive), 1500.0 / positive]),
    ] {
        let Hyperplane { w, intercept } = fit(&codes, &sides, balanced);
        let least = loss(&codes, &sides, weights, &w, intercept);
        for value in 0..VALUES {
            for change in [-0.3, 0.3] {
                let mut moved = w.clone();
                // Relative to the deviation of the value, with the mean margin as before.
                let step = change / 0.4_f64.powi(i32::try_from(value).unwrap());
                moved[value] += step;
                let found = loss(&codes, &sides, weights, &moved, intercept - 3.0 * step);
                assert!(found > least, "{balanced}, {value}, {change}: {found}, {least}");
            }
        }
        for change in [-0.3, 0.3] {
            let found = loss(&codes, &sides, weights, &w, intercept + change);
            assert!(found > least, "{balanced}, intercept, {change}: {found}, {least}");
        }
    }
}

#[test]
fn balanced_classes_move_the_plane_towards_the_larger_one() {
    let (codes, sides) = codes_and_sides(3000);
    let share = |balanced: bool| {
        let plane = fit(&codes, &sides, balanced);
        let positive = codes
            .rows()
            .into_iter()
            .filter(|row| plane.value(row.as_slice().unwrap()) > 0.0);
        float(positive.count()) / 3000.0
    };
    let positive = float(sides.iter().filter(|side| **side > 0.0).count()) / 3000.0;
    let (plain, balanced) = (share(false), share(true));
    assert!(
        plain < positive && positive + 0.03 < balanced,
        "{plain} {positive} {balanced}"
    );
}
