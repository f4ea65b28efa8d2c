//! `faceplane check`: the table, the sheet and the warnings.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::model_folders::copied_model;

/// The report on a model folder, and the contact sheet.
fn check(model: &Path) -> (Value, Vec<u8>) {
    let sheet = model.join("check.png");
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.current_dir(env!("CARGO_MANIFEST_DIR"));
    program
        .args(["check", "--json", "--faces", "8", "--sheet"])
        .arg(&sheet)
        .arg(model);
    let output = program.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        std::fs::read(sheet).unwrap(),
    )
}

#[test]
fn the_networks_of_a_folder_are_shown_on_a_sheet_and_a_wrong_range_is_warned_of() {
    let (_folder, model) = copied_model();
    let (report, sheet) = check(&model);
    assert_eq!(report["warnings"], Value::Array(Vec::new()), "{report:#}");
    let attributes: Vec<_> = report["scores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|score| &score["attribute"])
        .collect();
    assert_eq!(
        attributes,
        ["pose", "smile", "age", "gender", "eyeglasses", "quality"]
    );
    assert_eq!(report["scores"][1]["values"].as_array().unwrap().len(), 8);
    assert_eq!(report["encoder"], 8);
    let sheet = image::load_from_memory(&sheet).unwrap();
    assert!(
        sheet.width() >= 3 * 160 && sheet.height() > 3 * 160,
        "three columns with text"
    );

    let manifest = model.join("manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let wrong = text.replacen(
        "file = \"classifier.onnx\"",
        "image_range = [0, 255]\nfile = \"classifier.onnx\"",
        1,
    );
    assert_ne!(text, wrong);
    std::fs::write(&manifest, wrong).unwrap();
    let (report, _) = check(&model);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("image_range = [-1, 1] instead of [0, 255]"),
        "{report:#}"
    );
}
