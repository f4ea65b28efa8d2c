//! Judging without a service: methods compared by the truth, and the files that `faceplane judge` writes.

use std::process::Command;
use std::sync::Arc;

use faceplane::editor::{Comparisons, KnownTruth, MethodReport, Report, ReportRequest, judge};
use faceplane::engine::{EngineError, Truth};
use faceplane::latent::{BoundaryFit, FitMethod, LatentSpace};
use ndarray::{Array2, ArrayView3, Axis};

use crate::linear_generator::LinearGenerator;
use crate::support::{model_of, portraits};

/// The truth of the linear generator: its smile is the last value of w, and its age the one before.
struct LinearTruth;

impl Truth for LinearTruth {
    fn values(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let size = (codes.len_of(Axis(0)), 2);
        Ok(Array2::from_shape_fn(size, |(image, attribute)| {
            codes[[image, 0, 3 - attribute]]
        }))
    }
}

async fn judged() -> Report {
    let fit = BoundaryFit {
        method: FitMethod::LeastSquares,
        ..BoundaryFit::default()
    };
    let comparisons = Comparisons {
        faces: Some(4),
        truth: Some((KnownTruth::new(Box::new(LinearTruth)), 30)),
        fits: vec![("least squares".to_owned(), fit)],
        ..Comparisons::default()
    };
    let request = ReportRequest {
        space: LatentSpace::W,
        samples: 300,
        faces: 4,
        seed: 1,
    };
    let model = Arc::new(model_of(LinearGenerator::new(), 64));
    let reports = judge(&model, &[LatentSpace::W], request, comparisons, |_, _, _| ()).await;
    reports.unwrap().remove(0)
}

fn method<'a>(report: &'a Report, name: &str) -> &'a MethodReport {
    let mut methods = report.methods.iter();
    methods.find(|method| method.method == name).unwrap_or_else(|| {
        let known: Vec<_> = report.methods.iter().map(|method| &method.method).collect();
        panic!("there is no {name}: {known:?}")
    })
}

#[tokio::test]
async fn by_truth_the_true_direction_changes_nothing_else() {
    let report = judged().await;
    for space in ["z", "w"] {
        let truth = method(&report, &format!("plane in {space} (true direction)"));
        for level in truth.by_truth() {
            assert!(
                level.dependency.unwrap() < 0.01 && level.reached > 0.99,
                "{level:?}"
            );
        }
    }
    // Age's boundary has the cosine 0.8 with the true age, and 0.6 with the true smile.
    let age = &method(&report, "plane in w").effects[1];
    assert_eq!((age.attribute.as_str(), age.faces_by_truth), ("age", 30));
    let dependency = age.by_truth[1].dependency.unwrap();
    assert!((dependency - 0.75).abs() < 0.1, "{dependency}");
}

#[tokio::test]
async fn boundaries_that_are_fitted_to_the_samples_are_a_method_of_their_own() {
    let report = judged().await;
    // The scores are linear in the code, so that least squares finds the boundaries that the model has.
    let fitted = &method(&report, "plane in w (least squares)").effects;
    let shipped = &method(&report, "plane in w").effects;
    for (fitted, shipped) in fitted.iter().zip(shipped) {
        let pair = [fitted, shipped].map(|effect| effect.by_score[1].dependency.unwrap());
        assert!((pair[0] - pair[1]).abs() < 0.01, "{pair:?}");
    }
    assert_eq!(report.manipulation_inversion.as_ref().map(|one| one.faces), None);
}

#[test]
fn the_command_writes_tables_curves_and_a_report() {
    let output = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.args(["judge", "--samples", "50", "--faces", "1", "--seed", "4"]);
    program
        .arg(portraits())
        .arg("--output")
        .arg(output.path().join("new"));
    let done = program.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| std::fs::read_to_string(output.path().join("new").join(name)).unwrap();
    let tables = read("judging.md");
    for text in [
        "**Table 1.** Accuracy of the boundaries on 50 samples of seed 4",
        "| attribute | z: ends | z: all | w: ends | w: all |",
        "**Table 2.** Cosines of the boundaries' normals in z.",
        "**Table 3.** Correlation of the scores.",
        "| plane in w, others held |",
        "| SeFa in w |",
        "**Manipulation inversion** (faces: 1)",
    ] {
        assert!(tables.contains(text), "{tables}");
    }
    for curve in ["dependency.svg", "identity.svg"] {
        assert!(read(curve).contains("target score in w, others held"), "{curve}");
    }
    for space in ["z", "w"] {
        let report: serde_json::Value = serde_json::from_str(&read(&format!("report-{space}.json"))).unwrap();
        assert_eq!(report["space"], space);
        assert!(read(&format!("report-{space}.html")).starts_with("<!doctype html>"));
    }
    assert!(output.path().join("new/strip-smile.jpg").exists());
}
