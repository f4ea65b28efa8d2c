//! `faceplane batch`: the same files however the work is cut, and the faces that are kept.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use faceplane::catalog::{NpyArray, ScoredSamples};
use ndarray::{Axis, concatenate};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::signal;
use crate::support::portraits;

/// The program with these arguments. ONNX Runtime beside the repository is found from the repository only.
fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    program
}

/// The arguments of a batch of the portraits model into `output`.
fn arguments<'a>(output: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let output = output.to_str().unwrap();
    let fixed = [
        "batch",
        "--model",
        "onnx/portraits",
        "--threads",
        "1",
        "--output",
        output,
    ];
    [&fixed[..], more].concat()
}

fn batch(output: &Path, more: &[&str]) -> Output {
    program(&arguments(output, more)).output().unwrap()
}

/// Runs a batch, which must succeed, and returns what it says of itself.
fn done(output: &Path, more: &[&str]) -> Value {
    let Output {
        status,
        stdout,
        stderr,
    } = batch(output, &[more, &["--json"]].concat());
    assert!(status.success(), "{more:?}: {}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

/// The error of a batch that must fail.
fn error(output: &Path, more: &[&str]) -> String {
    let Output { status, stderr, .. } = batch(output, more);
    assert!(!status.success(), "{more:?}");
    String::from_utf8(stderr).unwrap()
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}

/// The samples of all parts.
fn samples(folder: &Path) -> Vec<ScoredSamples> {
    let files = files(&folder.join("parts"));
    files
        .values()
        .map(|file| ScoredSamples::read(file).unwrap())
        .collect()
}

/// The seeds of the pictures.
fn pictures(folder: &Path) -> Vec<u32> {
    let mut seeds: Vec<u32> = files(&folder.join("pictures"))
        .keys()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            name.strip_prefix("seed").unwrap().parse().unwrap()
        })
        .collect();
    seeds.sort_unstable();
    seeds
}

fn folder() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("batch");
    (place, folder)
}

#[test]
fn four_shards_side_by_side_give_the_files_of_one_run() {
    let ((_one, whole), (_four, shared)) = (folder(), folder());
    let seeds = ["--seeds", "200-1030", "--pictures", "webp"];
    let summary = done(&whole, &seeds);
    assert_eq!((&summary["seeds"], &summary["parts"]), (&831.into(), &5.into()));
    std::thread::scope(|scope| {
        for shard in ["1/4", "2/4", "3/4", "4/4"] {
            let shared = &shared;
            scope.spawn(move || done(shared, &[&seeds[..], &["--shard", shard]].concat()));
        }
    });
    let (whole, shared) = (files(&whole), files(&shared));
    assert_eq!(whole.len(), 831 + 5 + 1, "pictures, parts and the recipe");
    assert!(
        whole.keys().eq(shared.keys()),
        "{:?}",
        shared.keys().collect::<Vec<_>>()
    );
    assert!(whole == shared, "the bytes differ");
}

#[test]
fn a_shard_of_an_indexed_job_is_counted_from_zero() {
    let ((_one, by_name), (_two, by_index)) = (folder(), folder());
    let seeds = ["--seeds", "250-515", "--pictures", "none"];
    done(&by_name, &[&seeds[..], &["--shard", "2/3"]].concat());
    let by_env = arguments(&by_index, &[&seeds[..], &["--shards", "3"]].concat()).join(" ");
    let by_env: Vec<&str> = by_env.split(' ').collect();
    let run = program(&by_env)
        .env("JOB_COMPLETION_INDEX", "1")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(files(&by_name) == files(&by_index));
    let missing = error(&by_index, &[&seeds[..], &["--shards", "3"]].concat());
    assert!(missing.contains("JOB_COMPLETION_INDEX"), "{missing}");
}

#[test]
fn a_killed_batch_goes_on_and_gives_the_same_files() {
    let ((_one, whole), (_two, killed)) = (folder(), folder());
    let seeds = ["--seeds", "253-640", "--pictures", "png", "--edit", "smile:2"];
    let arguments = arguments(&killed, &seeds);
    let mut running = program(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let parts = killed.join("parts");
    // After a part, and in the middle of another one.
    while !parts.is_dir() || std::fs::read_dir(&parts).unwrap().count() == 0 {
        assert!(
            running.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let left = std::fs::read_dir(&parts).unwrap().count();
    assert!((1..3).contains(&left), "found {left} parts of a killed run");
    let summary = done(&killed, &seeds);
    assert_eq!(summary["found"], left);
    done(&whole, &seeds);
    assert!(files(&whole) == files(&killed));
    let again = done(&killed, &seeds);
    assert_eq!((&again["found"], &again["seeds"]), (&3.into(), &0.into()));
}

#[test]
fn other_settings_for_a_folder_are_refused_and_change_nothing() {
    let (_place, folder) = folder();
    done(&folder, &["--seeds", "0-3", "--pictures", "none"]);
    let before = files(&folder);
    for (more, says) in [
        (
            &["--seeds", "0-4", "--pictures", "none"][..],
            "seeds was \"0-3\", and is now \"0-4\"",
        ),
        (
            &["--seeds", "0-3", "--pictures", "none", "--psi", "0.5"],
            "psi was",
        ),
        (&["--seeds", "0-3"], "pictures was none, and is now \"png\""),
        (
            &["--seeds", "0-3", "--batch-size", "3"],
            "found 3, expected 1, 2, 4",
        ),
        (&["--seeds", "0-3", "--keep", "hat>=0"], "hat"),
        (
            &["--seeds", "0-3", "--keep-original", "smile>=0"],
            "--keep-original: found it without edits",
        ),
        (&["--seeds", "0-3", "--edit", "smile"], "smile"),
        (
            &["--seeds", "0-3", "--shards", "2", "--shard-index", "2"],
            "found the shard \"3/2\"",
        ),
    ] {
        let found = error(&folder, more);
        assert!(found.contains(says), "{found}");
    }
    assert!(files(&folder) == before);
}

#[test]
fn a_signal_ends_a_batch_with_a_sentence_and_the_same_command_goes_on() {
    let (_place, folder) = folder();
    let seeds = ["--seeds", "253-511", "--pictures", "png"];
    let arguments = arguments(&folder, &seeds);
    let running = program(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    while !folder.join("parts/seeds0000000000.npz").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&running, "TERM");
    let Output { status, stderr, .. } = running.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(
        String::from_utf8(stderr).unwrap(),
        "faceplane: stopped by a signal: 1 of 2 parts of the shard are finished; the same command goes on with the others\n"
    );
    assert_eq!(done(&folder, &seeds)["found"], 1);
}

#[test]
fn only_faces_within_the_limits_on_scores_are_kept() {
    let ((_one, all), (_two, smiling), (_three, edited)) = (folder(), folder(), folder());
    let seeds = ["--seeds", "0-99", "--pictures", "none"];
    done(&all, &seeds);
    let all = samples(&all).remove(0);
    let column = |name: &str| {
        let column = all.attributes.iter().position(|known| known == name).unwrap();
        all.scores.column(column).to_vec()
    };
    let expected = |limit: &dyn Fn(usize) -> bool| -> Vec<u32> {
        (0..100_u32).filter(|&seed| limit(seed as usize)).collect()
    };
    let (smile, age) = (column("smile"), column("age"));
    let summary = done(
        &smiling,
        &["--seeds", "0-99", "--keep", "smile>=0.5", "--keep", "age<=0"],
    );
    let kept = expected(&|seed| smile[seed] >= 0.5 && age[seed] <= 0.0);
    assert!((1..100).contains(&kept.len()), "the limits choose {}", kept.len());
    assert_eq!(pictures(&smiling), kept);
    assert_eq!(summary["faces"], kept.len());
    assert_eq!(samples(&smiling).remove(0).codes.len_of(Axis(0)), kept.len());
    let more = ["--edit", "smile:2", "--keep-original", "smile<=0"];
    done(&edited, &[&["--seeds", "0-99"][..], &more].concat());
    assert_eq!(pictures(&edited), expected(&|seed| smile[seed] <= 0.0));
}

#[test]
fn only_edited_faces_of_a_similar_person_are_kept() {
    let (place, all) = folder();
    // A classifier stands for an identity network: its scores are the embedding.
    let model = place.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for entry in std::fs::read_dir(portraits()).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
        }
    }
    let manifest = std::fs::read_to_string(model.join("manifest.toml")).unwrap();
    let manifest: String = manifest.split("\n[boundaries]").next().unwrap().to_owned();
    let boundaries = portraits().join("boundaries");
    let added = format!("\n[identity]\nfile = \"classifier.onnx\"\n[boundaries]\nfolder = {boundaries:?}\n");
    std::fs::write(model.join("manifest.toml"), manifest + &added).unwrap();
    let model = model.to_str().unwrap();
    let similarities = |folder: &Path| -> Vec<f64> {
        let file = files(&folder.join("parts")).into_values().next().unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
        let mut array = Vec::new();
        let mut entry = archive.by_name("similarities.npy").unwrap();
        entry.read_to_end(&mut array).unwrap();
        NpyArray::read(&array).unwrap().values
    };
    let run = |output: &Path, least: &str| {
        let output = output.to_str().unwrap();
        let fixed = [
            "batch",
            "--model",
            model,
            "--output",
            output,
            "--seeds",
            "0-39",
            "--pictures",
            "none",
        ];
        let more = ["--edit", "age:3", "--keep-similar", least];
        let ended = program(&[&fixed[..], &more].concat()).output().unwrap();
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    };
    run(&all, "-1");
    let mut found = similarities(&all);
    assert_eq!(found.len(), 40);
    found.sort_by(f64::total_cmp);
    let least = f64::midpoint(found[19], found[20]);
    let half = place.path().join("half");
    run(&half, &least.to_string());
    let mut kept = similarities(&half);
    kept.sort_by(f64::total_cmp);
    assert_eq!(kept, found[20..]);
    let refused = error(
        &place.path().join("refused"),
        &["--seeds", "0-3", "--edit", "age:1", "--keep-similar", "0.5"],
    );
    assert!(refused.contains("identity"), "{refused}");
}

#[test]
fn a_boundary_of_the_parts_of_a_batch_is_that_of_the_same_samples_in_one_file() {
    let (place, folder) = folder();
    let seeds = ["--seeds", "0-599", "--pictures", "none"];
    done(&folder, &[&seeds[..], &["--shard", "1/2"]].concat());
    let train = |latents: &Path, output: &str| {
        let output = place.path().join(output);
        let (latents, output) = (latents.to_str().unwrap(), output.to_str().unwrap());
        let arguments = [
            "train-boundary",
            "--latents",
            latents,
            "--attribute",
            "smile",
            "--output",
            output,
        ];
        program(&arguments).output().unwrap()
    };
    let missing = String::from_utf8(train(&folder, "early").stderr).unwrap();
    assert!(
        missing.contains("found 2 of 3 parts; those of the seeds 256-511 are missing"),
        "{missing}"
    );
    done(&folder, &[&seeds[..], &["--shard", "2/2"]].concat());
    let parts = samples(&folder);
    let codes: Vec<_> = parts.iter().map(|part| part.codes.view()).collect();
    let scores: Vec<_> = parts.iter().map(|part| part.scores.view()).collect();
    let joined = ScoredSamples {
        codes: concatenate(Axis(0), &codes).unwrap().into_shared(),
        scores: concatenate(Axis(0), &scores).unwrap().into_shared(),
        ..parts[0].clone()
    };
    let file = place.path().join("joined.npz");
    std::fs::write(&file, joined.write()).unwrap();
    for (latents, output) in [(&folder, "of-parts"), (&file, "of-file")] {
        let trained = train(latents, output);
        assert!(
            trained.status.success(),
            "{}",
            String::from_utf8_lossy(&trained.stderr)
        );
    }
    let normal = |output: &str| {
        let made = files(&place.path().join(output));
        let normals: Vec<_> = made
            .into_iter()
            .filter(|(path, _)| path.extension().is_some_and(|kind| kind == "npy"))
            .collect();
        assert_eq!(normals.len(), 1);
        normals
    };
    assert_eq!(normal("of-parts"), normal("of-file"));
}
