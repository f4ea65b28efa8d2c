//! Judging without a service: methods compared by the truth, and the files that `faceplane judge` writes.

use std::process::Command;
use std::sync::Arc;

use faceplane::catalog::write_boundary;
use faceplane::editor::{Comparisons, KnownTruth, MethodReport, Model, Report, ReportRequest, judge};
use faceplane::engine::{Encoder, EngineError, Truth};
use faceplane::graph::operators::matmul;
use faceplane::graph::{Axis, GraphBuilder};
use faceplane::latent::{Boundary, BoundaryFit, FitMethod, LatentSpace, Provenance};
use ndarray::{Array2, Array3, ArrayD, ArrayView3, ArrayView4};
use tempfile::TempDir;

use crate::api::labels::model_folder;
use crate::linear_generator::{LinearEncoder, LinearGenerator};
use crate::support::{model_of, model_with_encoder};

/// The truth of the linear generator: its smile is the last value of w, and its age the one before.
struct LinearTruth;

impl Truth for LinearTruth {
    fn values(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let size = (codes.len_of(ndarray::Axis(0)), 2);
        Ok(Array2::from_shape_fn(size, |(image, attribute)| {
            codes[[image, 0, 3 - attribute]]
        }))
    }
}

/// Takes every image for that of the mean code.
struct BlindEncoder;

impl Encoder for BlindEncoder {
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError> {
        Ok(Array3::zeros((images.len_of(ndarray::Axis(0)), 1, 4)))
    }
}

async fn judged() -> Report {
    judged_model(model_of(LinearGenerator::new(), 64)).await
}

async fn judged_model(model: Model) -> Report {
    let fit = BoundaryFit {
        method: FitMethod::LeastSquares,
        ..BoundaryFit::default()
    };
    let comparisons = Comparisons {
        truth: Some((KnownTruth::new(Box::new(LinearTruth)), 30)),
        fits: vec![("least squares".to_owned(), fit)],
    };
    let request = ReportRequest {
        space: LatentSpace::W,
        samples: 300,
        faces: 4,
        compared: 4,
        seed: 1,
    };
    let reports = judge(
        &Arc::new(model),
        &[LatentSpace::W],
        request,
        comparisons,
        |_, _, _| (),
    )
    .await;
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
    assert!(report.inverted_faces.is_none(), "the model has no encoder");
}

#[tokio::test]
async fn edits_of_every_method_are_undone_on_the_codes_of_the_edited_images() {
    let report = judged_model(model_with_encoder(LinearGenerator::new(), LinearEncoder)).await;
    let inverted = report.inverted_faces.unwrap();
    assert_eq!(inverted.faces, 4);
    // The encoder is exact, so that only the rounding of the pixels is left.
    assert!(inverted.psnr > 45.0, "{inverted:?}");
    let names: Vec<&str> = report.methods.iter().map(|one| one.method.as_str()).collect();
    for name in [
        "plane in z (true direction)",
        "plane in w",
        "target score in w, others held",
        "PCA in w",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    for method in &report.methods {
        for effect in method
            .effects
            .iter()
            .filter(|effect| effect.by_score[1].reached > 0)
        {
            let undone = effect.undone.unwrap();
            assert!(
                undone.psnr > 45.0,
                "{} {}: {undone:?}",
                method.method,
                effect.attribute
            );
            assert_eq!(undone.faces, effect.by_score[1].reached);
        }
    }
}

#[tokio::test]
async fn edits_that_the_encoder_does_not_see_are_not_undone() {
    let report = judged_model(model_with_encoder(LinearGenerator::new(), BlindEncoder)).await;
    for psnr in [
        method(&report, "plane in w").undone().unwrap().psnr,
        report.inverted_faces.unwrap().psnr,
    ] {
        assert!(psnr < 40.0, "{psnr}");
    }
}

/// The folder of a small model with boundaries in z and w, and a graph of its truth.
fn folder() -> TempDir {
    let folder = model_folder();
    for space in [LatentSpace::Z, LatentSpace::W] {
        let normal = Array2::from_shape_fn((1, 4), |(_, value)| f64::from(u8::from(value == 1)));
        let boundary = Boundary::new("bright", space, normal, 0.0, Provenance::default()).unwrap();
        write_boundary(&folder.path().join("boundaries"), &boundary).unwrap();
    }
    let manifest = folder.path().join("manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(manifest, text + "[boundaries]\nfolder = \"boundaries\"\n").unwrap();
    let mut truth = GraphBuilder::new("truth");
    let batch_of = |length| [Axis::batch(), Axis::Fixed(length)];
    let w = truth.input("w", &batch_of(4));
    let weights = ArrayD::from_shape_fn(vec![4, 1], |index| if index[0] == 2 { 1.0 } else { 0.0 });
    let weights = truth.constant(&weights);
    let values = matmul(&mut truth, &w, &weights);
    truth.output("truth", &values, &batch_of(1));
    std::fs::write(folder.path().join("truth.onnx"), truth.finish().to_bytes()).unwrap();
    folder
}

#[test]
fn the_command_writes_tables_curves_and_a_report() {
    let folder = folder();
    let output = folder.path().join("new/judging");
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.args([
        "judge",
        "--samples",
        "400",
        "--faces",
        "2",
        "--seed",
        "4",
        "--fit",
        "svm",
        "--truth",
    ]);
    program.arg(folder.path().join("truth.onnx")).arg(folder.path());
    let done = program.arg("--output").arg(&output).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| std::fs::read_to_string(output.join(name)).unwrap();
    let tables = read("judging.md");
    for text in [
        "**Table 1.** Accuracy of the boundaries on 400 samples of seed 4",
        "| attribute | z: ends | z: all | w: ends | w: all |",
        "**Table 2.** Cosines of the boundaries' normals in z.",
        "**Table 3.** Correlation of the scores.",
        "| plane in w (svm) |",
        "| plane in z (true direction) |",
        "| SeFa in w |",
        "**Attribute dependency by truth**, at equal true change of the target.",
        "| plane in w | 500 |",
    ] {
        assert!(tables.contains(text), "no {text}: {tables}");
    }
    for curve in ["dependency.svg", "dependency-by-truth.svg"] {
        assert!(read(curve).contains("target score in w"), "{curve}");
    }
    for space in ["z", "w"] {
        let report: serde_json::Value = serde_json::from_str(&read(&format!("report-{space}.json"))).unwrap();
        assert_eq!(report["space"], space);
        assert!(read(&format!("report-{space}.html")).starts_with("<!doctype html>"));
    }
    assert!(output.join("strip-bright.jpg").exists());
}
