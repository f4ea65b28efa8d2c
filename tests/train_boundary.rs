//! `faceplane train-boundary`: the files that it writes, and its errors.

use std::path::Path;
use std::process::{Command, Output};

use faceplane::catalog::NpyArray;
use faceplane::latent::standard_normal;
use serde_json::Value;
use tempfile::TempDir;

fn train(arguments: &[&str], output: &Path) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.current_dir(env!("CARGO_MANIFEST_DIR"));
    program
        .arg("train-boundary")
        .args(arguments)
        .arg("--output")
        .arg(output);
    program.output().unwrap()
}

fn card(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// 400 codes of 4 numbers and their scores along (0.6, 0.8, 0, 0), as files for the authors' script.
fn files(scores: usize) -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let codes = standard_normal(3, 1600);
    let along = |code: &[f64]| 0.6 * code[0] + 0.8 * code[1];
    let values: Vec<f64> = codes.chunks(4).map(along).take(scores).collect();
    let write = |name: &str, shape: Vec<usize>, values: Vec<f64>| {
        let file = folder.path().join(name);
        std::fs::write(&file, NpyArray { shape, values }.write_f8()).unwrap();
        file.display().to_string()
    };
    let latents = write("codes.npy", vec![400, 4], codes);
    let scores = write("scores.npy", vec![scores, 1], values);
    (folder, latents, scores)
}

#[test]
fn a_boundary_is_trained_from_files_of_the_authors_script() {
    let (folder, latents, scores) = files(400);
    let arguments = [
        "--latents",
        &latents,
        "--scores",
        &scores,
        "--attribute",
        "smile",
        "--method",
        "svm",
        "--chosen",
        "100",
    ];
    let Output {
        status,
        stderr,
        stdout,
    } = train(&arguments, &folder.path().join("found"));
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    assert!(stderr.is_empty(), "a progress line is for terminals only");
    assert!(
        String::from_utf8(stdout)
            .unwrap()
            .contains("smile_z.npy: accuracy: training 100.00 %"),
    );
    let normal = std::fs::read(folder.path().join("found/smile_z.npy")).unwrap();
    let normal = NpyArray::read(&normal).unwrap().values;
    assert!(0.6 * normal[0] + 0.8 * normal[1] > 0.99, "{normal:?}");
    let card = card(folder.path(), "found/smile_z.json");
    assert_eq!(
        (&card["attribute"], &card["chosen"]),
        (&"smile".into(), &100.into())
    );
}

#[test]
fn the_command_says_what_is_doubtful_about_a_boundary() {
    let (folder, latents, scores) = files(400);
    let mut labels = NpyArray::read(&std::fs::read(&scores).unwrap()).unwrap();
    for score in &mut labels.values {
        *score = f64::from(u8::from(*score > 1.0));
    }
    std::fs::write(&scores, labels.write_f8()).unwrap();
    let given = ["--latents", &latents, "--scores", &scores, "--attribute", "smile"];
    let Output { status, stdout, .. } = train(&given, folder.path());
    let text = String::from_utf8(stdout).unwrap();
    assert!(
        status.success() && text.contains("; expected cosine 0."),
        "{text}"
    );
    assert!(
        text.contains("\n  warning: found two different scores, the lower one 3"),
        "{text}"
    );
    assert!(card(folder.path(), "smile_z.json")["classes"].is_array());
}

#[test]
fn samples_are_written_and_give_the_same_boundary_again() {
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples.npz").display().to_string();
    let run = |arguments: &[&str], output: &str| {
        let names = ["--attribute", "smile", "--name", "my-smile"];
        let found = train(&[arguments, &names[..]].concat(), &folder.path().join(output));
        assert!(
            found.status.success(),
            "{}",
            String::from_utf8_lossy(&found.stderr)
        );
        std::fs::read(folder.path().join(output).join("my-smile_w.npy")).unwrap()
    };
    let from_model = [
        "--samples",
        "80",
        "--seed",
        "3",
        "--space",
        "w",
        "--samples-output",
        &samples,
    ];
    let first = run(&from_model, "first");
    assert_eq!(run(&["--latents", &samples], "again"), first);
    assert_ne!(
        run(
            &["--latents", &samples, "--method", "svm", "--ratio", "0.3"],
            "other"
        ),
        first
    );
    let Output { status, stderr, .. } = train(&["--latents", &samples, "--attribute", "hat"], folder.path());
    assert!(!status.success());
    let text = String::from_utf8_lossy(&stderr);
    assert!(text.contains("found no scores of \"hat\""), "{text}");
}

#[test]
fn what_would_lose_a_boundary_is_refused_before_it_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples.npz").display().to_string();
    let repeated = [
        "--attribute",
        "smile",
        "--attribute",
        "pose",
        "--name",
        "one",
        "--name",
        "one",
    ];
    let ranked = [
        "--attribute",
        "smile",
        "--space",
        "s",
        "--samples-output",
        &samples,
    ];
    for (arguments, reason) in [
        (&repeated[..], "found the name \"one\" twice"),
        (&ranked, "beside the space s"),
    ] {
        let Output { status, stderr, .. } = train(arguments, folder.path());
        let text = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && text.contains(reason), "{text}");
    }
}

#[test]
fn the_trained_files_fit_into_a_model_folder() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--attribute",
        "smile",
        "--attribute",
        "pose",
        "--space",
        "w",
        "--samples",
        "64",
        "--ratio",
        "0.5",
        "--seed",
        "3",
    ];
    let Output { status, stderr, .. } = train(&arguments, folder.path());
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    for attribute in ["smile", "pose"] {
        let card = card(folder.path(), &format!("{attribute}_w.json"));
        assert_eq!(
            (&card["samples"], &card["seed"]),
            (&64.into(), &3.into()),
            "{card}"
        );
        assert!(card["model"].is_string() && card["classifier"] == "classifier.onnx");
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_an_error_before_training() {
    let (folder, ..) = files(4);
    let output = folder.path().join("scores.npy/found");
    let Output { status, stderr, .. } = train(&["--attribute", "smile"], &output);
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(
        text.contains("scores.npy/found") && !text.contains("samples"),
        "{text}"
    );
}

#[test]
fn a_training_that_cannot_work_is_one_line_of_error_and_writes_no_file() {
    let (folder, latents, scores) = files(399);
    let output = folder.path().join("found");
    let given = ["--latents", &latents, "--scores", &scores, "--attribute", "smile"];
    let cases: [(&[&str], &str); 4] = [
        (&given, "scores.npy: found the shape [399, 1], expected (400)"),
        (
            &["--attribute", "hat", "--samples", "8"],
            "no classifier of model phantom scores \"hat\"",
        ),
        (
            &["--attribute", "smile", "--samples", "8", "--split", "2"],
            "split",
        ),
        (&[&given[..], &["--attribute", "age"]].concat(), "expected one"),
    ];
    for (arguments, expected) in cases {
        let Output { status, stderr, .. } = train(arguments, &output);
        let text = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{text}");
        assert!(text.contains(expected) && !text.contains("panicked"), "{text}");
        assert!(!output.exists(), "{text}");
    }
}

#[test]
fn a_boundary_in_the_folder_is_replaced_only_if_that_is_asked_for() {
    let (folder, latents, scores) = files(400);
    let output = folder.path().join("boundaries");
    let arguments = ["--latents", &latents, "--scores", &scores, "--attribute", "smile"];
    assert!(train(&arguments, &output).status.success());
    let first = std::fs::read(output.join("smile_z.json")).unwrap();
    let other = [&arguments[..], &["--method", "svm"]].concat();
    let Output { status, stderr, .. } = train(&other, &output);
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(!status.success());
    assert!(
        stderr.contains("smile_z.npy: found a boundary there") && stderr.contains("--replace"),
        "{stderr}"
    );
    assert_eq!(std::fs::read(output.join("smile_z.json")).unwrap(), first);
    assert!(
        train(&[&other[..], &["--name", "smile-2"]].concat(), &output)
            .status
            .success()
    );
    assert!(
        train(&[&other[..], &["--replace"]].concat(), &output)
            .status
            .success()
    );
    assert_ne!(std::fs::read(output.join("smile_z.json")).unwrap(), first);
}
