//! Fits to samples that are few, of very many values, or unequally noisy, and what is said of them.

use faceplane::latent::{BoundaryFit, Doubt, FitMethod, LatentSpace, Provenance, standard_normal};
use ndarray::Array1;

use super::directions::{DIM, cosine, scored, with};
use super::{codes, fit};

#[test]
fn the_expected_cosine_knows_of_noise_that_is_larger_at_some_codes() {
    let (mut expected, mut found) = (0.0, 0.0);
    let draws = 40;
    for draw in 0..draws {
        // Codes of different lengths, and noise that grows with the square of the length.
        let (mut codes, plain, truth) = scored(100 * draw, 600, 0.0);
        let errors = standard_normal(100 * draw + 9000, codes.len_of(ndarray::Axis(0)));
        let lengths = standard_normal(100 * draw + 7000, errors.len());
        let mut scores = plain;
        #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
        for (index, mut code) in codes.outer_iter_mut().enumerate() {
            let scale = (0.4 * lengths[index]).exp();
            code.mapv_inplace(|value| value * scale as f32);
            scores[index] = scale * scores[index] + 0.8 * scale * scale * errors[index];
        }
        let boundary = fit(&with(FitMethod::LeastSquares), codes.view(), scores.view()).unwrap();
        expected += boundary.provenance().accuracy.cosine.unwrap() / f64::from(draws);
        found += cosine(&boundary, &truth) / f64::from(draws);
    }
    // As if the noise were equal, the estimate is 0.97.
    assert!((0.90..0.93).contains(&found), "{found}");
    assert!((expected - found).abs() < 0.02, "{expected}, {found}");
}

#[test]
fn few_codes_are_tested_on_others_too() {
    for seed in 0..10 {
        let (codes, scores, _) = scored(100 * seed, 2 * DIM - 4, 0.01);
        let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
        let accuracy = &boundary.provenance().accuracy;
        assert!(
            accuracy.held_out_all.is_some() && accuracy.correlation.is_some(),
            "{accuracy:?}"
        );
        assert!(Doubt::of(boundary.provenance()).contains(&Doubt::UnknownCosine));
    }
}

#[test]
fn a_class_that_one_half_lacks_leaves_the_boundary_untested_which_is_told() {
    let told = (0..10).filter(|&seed| {
        let (codes, scores, _) = scored(100 * seed, 20, 0.3);
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let classes = scores.mapv(|score| f64::from(u8::from(score > sorted[17])));
        let boundary = fit(&BoundaryFit::default(), codes.view(), classes.view()).unwrap();
        let is_tested = boundary.provenance().accuracy.held_out_all.is_some();
        let is_told = Doubt::of(boundary.provenance()).contains(&Doubt::NotTested);
        assert_ne!(is_tested, is_told);
        is_told
    });
    // Both of them are in the same half in 47 % of all splits.
    assert!((1..10).contains(&told.count()));
}

/// Labels of codes in w+ with more values than the fit has a matrix for.
#[test]
fn all_labels_of_very_large_codes_are_used() {
    let (layers, dim, samples) = (18, 256, 60);
    let codes = codes(3, samples, (layers, dim), 0.0);
    let along = |code: ndarray::ArrayView2<'_, f32>| -> f64 {
        let rows = code.rows().into_iter().map(|row| f64::from(row[0] + row[1]));
        rows.sum()
    };
    let labels: Array1<f64> = codes
        .outer_iter()
        .map(|code| f64::from(u8::from(along(code) > 3.0)))
        .collect();
    let boundary = BoundaryFit::default()
        .fit(
            "smile",
            LatentSpace::WPlus,
            codes.view(),
            labels.view(),
            Provenance::default(),
            |_| std::ops::ControlFlow::Continue(()),
        )
        .unwrap();
    let known = boundary.provenance();
    assert_eq!(known.method.as_deref(), Some("logistic regression"));
    assert_eq!(known.accuracy.all, Some(1.0));
    assert!(
        matches!(Doubt::of(known)[0], Doubt::Classes { .. }),
        "{:?}",
        Doubt::of(known)
    );
    #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
    let found = along(boundary.normal().mapv(|value| value as f32).view());
    // The unit of the normal is √18, and the true direction has 36 of 4,608 values. With noise alone, 0 would be expected.
    let cosine = found / (18.0_f64.sqrt() * 6.0);
    assert!(cosine > 0.08, "{cosine}");
}
