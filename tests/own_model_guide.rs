//! The commands of `docs/your-own-model.md` work as they are printed there, with tiny checkpoints.

use std::path::Path;
use std::process::Command;

use faceplane::catalog::NpyArray;

use crate::importing::Fixture;
use crate::process::Service;
use crate::support::runtime;

/// The blocks of shell commands in a document.
fn shell_blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
}

/// Runs commands with the built program in a folder.
fn run(commands: &str, folder: &Path) {
    let program = env!("CARGO_BIN_EXE_faceplane");
    let commands = commands.replace("faceplane ", &format!("{program} "));
    let output = Command::new("sh")
        .args(["-ec", &commands])
        .env("FACEPLANE_ONNXRUNTIME", runtime().path())
        .current_dir(folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}{error}");
}

/// A service of the model `mine` in a folder.
fn serve(folder: &Path) -> Service {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--model",
            "mine",
            "--default-model",
            "mine",
        ])
        .env("FACEPLANE_ONNXRUNTIME", runtime().path())
        .current_dir(folder);
    Service::start(&mut program)
}

#[test]
fn the_guide_leads_from_every_kind_of_checkpoint_to_an_edited_face() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/your-own-model.md"))
        .unwrap();
    let kinds = [
        "sg2ada-skip",
        "sg3-t",
        "tf-stylegan1",
        "rosinality-converted",
        "interfacegan-pggan",
    ];
    for kind in kinds {
        let files = [
            ("stylegan2.pkl", kind),
            ("e4e.pt", "e4e"),
            ("encoder.pt", "e4e"),
            ("backbone.pth", "arcface-iresnet18"),
        ];
        let folder = tempfile::tempdir().unwrap();
        for (name, fixture) in files {
            let Some(fixture) = Fixture::open(fixture) else {
                return;
            };
            std::fs::copy(fixture.file(), folder.path().join(name)).unwrap();
        }
        let mut service = None;
        for block in shell_blocks(&text) {
            if block.contains("published/") {
                publish(folder.path());
            }
            if block.starts_with("faceplane serve") {
                continue;
            }
            if block.starts_with("curl") {
                let service = service.get_or_insert_with(|| serve(folder.path()));
                run(&block.replace("localhost:8080", &service.address), folder.path());
                continue;
            }
            service = None;
            // The encoder belongs to another generator than these.
            let lines: Vec<_> = block
                .lines()
                .filter(|line| !line.contains("encoder.pt"))
                .collect();
            run(&lines.join("\n"), folder.path());
        }
        for face in ["face.png", "edited.png"] {
            let file = std::fs::read(folder.path().join(face)).unwrap();
            assert!(
                file.starts_with(b"\x89PNG"),
                "{kind}: {face}: {}",
                String::from_utf8_lossy(&file)
            );
        }
    }
}

/// Writes a boundary as its authors publish them, for the z of the model `mine`.
fn publish(folder: &Path) {
    let dim = crate::support::load(&folder.join("mine")).unwrap().shape().z_dim;
    let normal = NpyArray {
        shape: vec![1, dim],
        values: vec![1.0; dim],
    };
    std::fs::create_dir(folder.join("published")).unwrap();
    let file = folder.join("published/stylegan_ffhq_smile_boundary.npy");
    std::fs::write(file, normal.write_f4()).unwrap();
}
