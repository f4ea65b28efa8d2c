//! The operations of the API as commands of the program: `faceplane sample`, `edit`, `invert`, …

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Client, phantom};

/// Runs the program in `folder`.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    let program = program.current_dir(folder).args(arguments);
    // ONNX Runtime beside the repository is found from the repository only.
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join(".onnxruntime/libonnxruntime.so");
    if std::env::var_os("FACEPLANE_ONNXRUNTIME").is_none() {
        program.env("FACEPLANE_ONNXRUNTIME", library);
    }
    program.output().unwrap()
}

/// Runs the program, which must succeed without a word, and returns its standard output.
fn output(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let Output {
        status,
        stdout,
        stderr,
    } = run(folder, arguments);
    let text = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{arguments:?}: {text}");
    assert_eq!(text, "", "{arguments:?}");
    stdout
}

/// Runs the program, which must fail with this exit code, and returns its only line of error.
fn error(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = run(folder, arguments);
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{arguments:?}: {text}");
    assert_eq!(stdout, b"", "{arguments:?}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn service() -> Client {
    Client::new(phantom(), Duration::from_mins(1))
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_command_writes_the_bytes_that_the_service_sends_for_the_same_parameters() {
    let (folder, service) = (tempfile::tempdir().unwrap(), service());
    let folder = folder.path();
    for (arguments, uri) in [
        (&["sample", "--seed", "7"][..], "/v1/sample?seed=7"),
        (
            &[
                "edit", "--seed", "7", "--space", "w+", "--edit", "smile:-2", "--edit", "age:1", "--format",
                "webp",
            ],
            "/v1/edit?seed=7&space=w%2B&edit=smile:-2&edit=age:1&format=webp",
        ),
        (
            &[
                "conditional-edit",
                "--seed",
                "7",
                "--space",
                "z",
                "--edit",
                "age:3",
                "--condition",
                "eyeglasses",
            ],
            "/v1/conditional-edit?seed=7&space=z&edit=age:3&condition=eyeglasses",
        ),
        (
            &[
                "edit",
                "--seed",
                "7",
                "--edit",
                "age",
                "--trajectory",
                "-1:1:4",
                "--layout",
                "animation",
                "--frame-time",
                "50",
            ],
            "/v1/edit?seed=7&edit=age&trajectory=-1:1:4&layout=animation&frame_time=50",
        ),
        (
            &["sample", "--seed", "7", "--json"],
            "/v1/sample?seed=7&format=json",
        ),
        (
            &["score", "--seed", "7", "--psi", "-0.5"],
            "/v1/score?seed=7&psi=-0.5",
        ),
    ] {
        let response = service.get(uri).await;
        assert_eq!(response.status, 200, "{uri}");
        assert_eq!(output(folder, arguments), response.body, "{arguments:?}");
    }
}

#[tokio::test]
async fn the_ending_of_a_file_chooses_the_format_and_a_file_that_exists_is_replaced() {
    let (folder, service) = (tempfile::tempdir().unwrap(), service());
    let folder = folder.path();
    std::fs::write(folder.join("face.png"), "old").unwrap();
    for (file, format) in [
        ("face.png", "png"),
        ("face.JPG", "jpeg"),
        ("face.gif", "gif"),
        ("face.json", "json"),
    ] {
        output(folder, &["sample", "--seed", "85", "-o", file]);
        let uri = format!("/v1/sample?seed=85&format={format}");
        let expected = service.get(&uri).await.body;
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), expected, "{file}");
    }
    output(folder, &["score", "--seed", "85", "--output", "scores.json"]);
    let scores: Value = serde_json::from_slice(&std::fs::read(folder.join("scores.json")).unwrap()).unwrap();
    assert!(scores["scores"][1]["score"].is_number(), "{scores}");
    assert_eq!(
        names(folder),
        ["face.JPG", "face.gif", "face.json", "face.png", "scores.json"],
        "no temporary file is left"
    );
}

#[tokio::test]
async fn a_folder_gets_a_file_for_each_seed_beyond_what_one_request_may_hold() {
    let (folder, service) = (tempfile::tempdir().unwrap(), service());
    let folder = folder.path();
    let arguments = ["sample", "--seeds", "106,100-105,100", "--max-images", "2"];
    output(
        folder,
        &[&arguments[..], &["--format", "jpeg", "-o", "faces/"]].concat(),
    );
    let expected: Vec<String> = (100..107).map(|seed| format!("seed{seed}.jpg")).collect();
    assert_eq!(names(&folder.join("faces")), expected);
    let one = service.get("/v1/sample?seed=104&format=jpeg").await.body;
    assert_eq!(std::fs::read(folder.join("faces/seed104.jpg")).unwrap(), one);
    // The folder exists now, so that it needs no slash.
    output(folder, &["score", "--seeds", "104,105", "-o", "faces"]);
    assert!(folder.join("faces/seed105.json").is_file());
    output(
        folder,
        &["sample", "--seed", "4", "--count", "2", "-o", "counted/"],
    );
    assert_eq!(names(&folder.join("counted")), ["seed4.png", "seed5.png"]);
}

#[tokio::test]
async fn images_are_edited_inverted_and_scored_from_their_files() {
    let (folder, service) = (tempfile::tempdir().unwrap(), service());
    let folder = folder.path();
    // These carry their codes, so that nothing is searched.
    for seed in ["7", "8"] {
        output(
            folder,
            &["sample", "--seed", seed, "-o", &format!("face{seed}.png")],
        );
    }
    output(
        folder,
        &[
            "edit",
            "face7.png",
            "face8.png",
            "--edit",
            "smile:2",
            "-o",
            "smiling/",
        ],
    );
    assert_eq!(names(&folder.join("smiling")), ["face7.png", "face8.png"]);
    let by_name = output(folder, &["edit", "--image", "face7.png", "--edit", "smile:2"]);
    assert_eq!(std::fs::read(folder.join("smiling/face7.png")).unwrap(), by_name);
    let scored = output(folder, &["score", "face7.png"]);
    let of_image: Value = serde_json::from_slice(&scored).unwrap();
    let of_seed = service.get("/v1/score?seed=7").await.json();
    assert_eq!(of_image["scores"], of_seed["scores"]);
    let inverted = output(folder, &["invert", "face8.png", "--json"]);
    let inverted: Value = serde_json::from_slice(&inverted).unwrap();
    assert_eq!(inverted["method"], "metadata");
}

#[tokio::test]
async fn a_motion_is_an_animation_in_a_file_and_its_frames_in_a_folder() {
    let (folder, service) = (tempfile::tempdir().unwrap(), service());
    let folder = folder.path();
    let motion = ["interpolate", "--seeds", "85,265", "--frames", "4"];
    output(folder, &[&motion[..], &["-o", "motion.webp"]].concat());
    let uri = "/v1/interpolate?seeds=85,265&frames=4&format=webp";
    let expected = service.get(uri).await.body;
    assert!(std::fs::read(folder.join("motion.webp")).unwrap() == expected);
    output(folder, &[&motion[..], &["-o", "frames/"]].concat());
    let frames = names(&folder.join("frames"));
    assert_eq!(frames, ["face0.png", "face1.png", "face2.png", "face3.png"]);
    output(folder, &[&motion[..], &["-o", "frames.zip"]].concat());
    let archive = std::fs::read(folder.join("frames.zip")).unwrap();
    assert!(archive.starts_with(b"PK"), "an archive");
}

#[test]
fn a_seed_chosen_at_random_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = run(folder, &["sample", "-o", "face.png"]);
    let text = String::from_utf8(first.stderr).unwrap();
    let seed = text.trim().strip_prefix("faceplane: the seed is ").unwrap();
    output(folder, &["sample", "--seed", seed, "-o", "again.png"]);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert!(read("face.png") == read("again.png"));
}

#[test]
fn a_wrong_request_exits_with_2_and_says_what_the_service_says() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("text.png"), "no image").unwrap();
    for (arguments, expected) in [
        (
            &["sample", "--psi", "9"][..],
            "psi: found 9, expected a number from -2 to 2",
        ),
        (
            &["edit", "--seed", "7", "--edit", "beard:2"],
            "no boundary for \"beard\"",
        ),
        (
            &["sample", "--count", "65"],
            "count: found 65, expected 1 to 64 faces in one response",
        ),
        (
            &["sample", "-o", "face.tiff"],
            "face.tiff: found no format at the end of the name, expected .png",
        ),
        (&["score", "-o", "face.png"], "expected .json"),
        (&["invert", "nobody.png"], "nobody.png: the image cannot be read"),
        (
            &["edit", "text.png", "Cargo/../text.png", "--edit", "smile:1"],
            "found 2 images, expected a folder",
        ),
        (
            &[
                "edit", "text.png", "text.png", "--edit", "smile:1", "-o", "faces/",
            ],
            "found two images of the name \"text\"",
        ),
        (&["score", "text.png"], "image"),
        (
            &[
                "edit", "--seed", "7", "--seeds", "8-9", "--edit", "smile:1", "-o", "faces/",
            ],
            "seeds: found seed beside it",
        ),
        (
            &["sample", "--seed", "4294967295", "--count", "2", "-o", "faces/"],
            "expected the last seed to be at most 4294967295",
        ),
    ] {
        let text = error(folder, 2, arguments);
        assert!(text.starts_with("faceplane: "), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(names(folder), ["text.png"]);
}

#[test]
fn what_the_request_is_not_to_blame_for_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = error(folder, 1, &["sample", "--model", "nowhere", "-o", "face.png"]);
    assert!(text.contains("nowhere"), "{text}");
    let text = error(folder, 1, &["sample", "-o", "nowhere/face.png"]);
    assert!(
        text.contains("nowhere/face.png: the response cannot be written"),
        "{text}"
    );
}

#[test]
fn the_help_has_every_parameter_with_its_words_and_its_default() {
    let folder = tempfile::tempdir().unwrap();
    let help = |command: &str| {
        let text = String::from_utf8(output(folder.path(), &[command, "--help"])).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let edit = help("edit");
    for part in [
        "--edit <EDIT>",
        "--truncation-layers <TRUNCATION_LAYERS>",
        "[possible values: z, w, w+, s]",
        "--landmarks",
        "Default: 90.",
        "[IMAGE]...",
        "Edit a face",
        "Example: smile:3.",
    ] {
        assert!(edit.contains(part), "{part}: {edit}");
    }
    assert!(!help("sample").contains("[IMAGE]"), "sampling takes no image");
    let without_image = run(folder.path(), &["invert"]).status;
    assert_eq!(without_image.code(), Some(2), "an inversion needs an image");
}

#[test]
fn completions_are_printed_for_each_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = output(folder.path(), &["completions", shell]);
        let script = String::from_utf8(script).unwrap();
        for word in ["conditional-edit", "truncation-layers", "train-boundary"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
