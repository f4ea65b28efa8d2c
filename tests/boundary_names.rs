//! Boundary files under the names and in the shapes that they come with.

use std::path::Path;

use faceplane::catalog::{ModelFolder, NpyArray, read_boundaries};
use faceplane::graph::operators::{matmul, reshape};
use faceplane::graph::{Axis, GraphBuilder};
use faceplane::latent::{Boundary, LatentSpace, standard_normal};
use ndarray::ArrayD;

use crate::checkpoint::pickle_writer::{Pickle, torch_file, whole};
use crate::reference;
use crate::support::load;

/// Writes a boundary of this shape, with random numbers.
fn write(folder: &Path, file: &str, shape: &[usize]) {
    let values = standard_normal(7, shape.iter().product());
    let shape = shape.to_vec();
    std::fs::write(folder.join(file), NpyArray { shape, values }.write_f4()).unwrap();
}

/// Reads a folder, and says the attribute and the space of each boundary.
fn read(folder: &Path, of_rows: Option<LatentSpace>) -> Result<Vec<String>, String> {
    let boundaries = read_boundaries(&ModelFolder::Disk(folder.to_owned()), ".", of_rows);
    let name = |(_, boundary): (String, Boundary)| format!("{} {}", boundary.attribute(), boundary.space());
    let read = boundaries.map_err(|error| error.to_string())?;
    Ok(read.into_iter().map(name).collect())
}

#[test]
fn the_attribute_and_the_space_come_from_the_name_and_the_shape() {
    let folder = tempfile::tempdir().unwrap();
    for (file, shape) in [
        ("age.npy", &[18, 8][..]),
        ("boundary_Young.npy", &[1, 18, 8]),
        ("pggan_celebahq_age_boundary.npy", &[1, 8]),
        ("stylegan_ffhq_smile_w_boundary.npy", &[1, 8]),
        ("stylegan_celebahq_gender_c_age_boundary.npy", &[8]),
    ] {
        write(folder.path(), file, shape);
    }
    assert_eq!(
        read(folder.path(), None).unwrap(),
        ["age w+", "Young w+", "age z", "gender_c_age z", "smile w"]
    );
}

#[test]
fn a_row_that_fits_z_and_w_needs_its_space_from_the_name_the_json_or_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "boundary_Young.npy", &[1, 8]);
    let error = read(folder.path(), None).unwrap_err();
    assert!(
        error.contains("boundary_Young.npy: found a boundary of shape [1, 8]")
            && error.contains("rename it to Young_z.npy or Young_w.npy"),
        "{error}"
    );
    assert_eq!(read(folder.path(), Some(LatentSpace::W)).unwrap(), ["Young w"]);
    std::fs::write(folder.path().join("boundary_Young.json"), r#"{"space": "z"}"#).unwrap();
    assert_eq!(read(folder.path(), Some(LatentSpace::W)).unwrap(), ["Young z"]);
}

#[test]
fn directions_of_e4e_are_boundaries_under_the_names_of_their_files_or_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: Vec<u8>| std::fs::write(folder.path().join(name), content).unwrap();
    let ones = [1.0; 32];
    let elements = ones.map(f32::to_le_bytes).concat();
    file("age.pt", torch_file(&[1, 4, 8], &ones));
    file("smile.pt", torch_file(&[4, 8], &ones));
    let pose = whole(Pickle::new().op(b"}").text("pose"), &[1, 4, 8]).op(b"s");
    let beard = whole(pose.text("beard_z"), &[1, 8]).op(b"s");
    file("others.pt", beard.zip(&elements));
    let list = whole(Pickle::new().op(b"]"), &[4, 8]).op(b"a");
    file("hair.pt", whole(list, &[1, 4, 8]).op(b"a").zip(&elements));
    file(
        "one.pt",
        whole(Pickle::new().op(b"]"), &[4, 8]).op(b"a").zip(&elements),
    );
    file("note.txt", b"not a boundary".to_vec());
    assert_eq!(
        read(folder.path(), None).unwrap(),
        [
            "age w+",
            "hair-1 w+",
            "hair-2 w+",
            "one w+",
            "pose w+",
            "beard z",
            "smile w+"
        ]
    );
    let age = &read_boundaries(&ModelFolder::Disk(folder.path().to_owned()), ".", None).unwrap()[0].1;
    let expected = (1.0_f64 / 8.0).sqrt();
    assert!(age.normal().iter().all(|value| (value - expected).abs() < 1e-15));
    assert_eq!(age.provenance().length, Some(32.0_f64.sqrt()));
}

#[test]
fn a_pickle_that_is_no_direction_is_refused_by_its_name_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("age.pt");
    let marker = folder.path().join("executed");
    let command = format!("touch {}", marker.display());
    let cases = [
        (
            b"no pickle".to_vec(),
            "found an unknown format; expected an array",
        ),
        (Pickle::new().op(b"}").finish(), "found a file without an array"),
        (
            Pickle::new()
                .global("posix", "system")
                .text(&command)
                .op(b"\x85R")
                .finish(),
            "found a file without an array",
        ),
        (
            torch_file(&[2, 3, 8], &[0.0; 48]),
            "found the shape [2, 3, 8]; expected (dim,) or (1, dim)",
        ),
        (
            Pickle::new()
                .tensor("FloatStorage", 1, 0, &[1 << 11, 1 << 11], &[0, 0])
                .zip(&[0; 4]),
            "found an array of shape [2048, 2048]; expected at most 1048576 numbers",
        ),
        (torch_file(&[4, 8], &[0.0; 31]), "expected 32 elements of 4 bytes"),
    ];
    for (content, says) in cases {
        std::fs::write(&file, content).unwrap();
        let error = read(folder.path(), Some(LatentSpace::Z)).unwrap_err();
        assert!(error.contains("age.pt: ") && error.contains(says), "{error}");
    }
    assert!(!marker.exists());
}

#[test]
fn the_length_in_the_file_is_kept_beside_the_normal() {
    let folder = tempfile::tempdir().unwrap();
    let shape = vec![4, 4];
    let array = NpyArray {
        shape,
        values: vec![0.5; 16],
    };
    std::fs::write(folder.path().join("smile_w+.npy"), array.write_f4()).unwrap();
    std::fs::write(folder.path().join("smile_w+.json"), r#"{"intercept": 3}"#).unwrap();
    let array = NpyArray {
        values: vec![-3.0; 16],
        ..array
    };
    std::fs::write(folder.path().join("age_w+.npy"), array.write_f4()).unwrap();
    let found = read_boundaries(&ModelFolder::Disk(folder.path().to_owned()), ".", None).unwrap();
    let [(_, age), (_, smile)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(age.provenance().length, Some(12.0));
    assert!((age.normal()[[0, 0]] + 0.5).abs() < 1e-15);
    assert_eq!((smile.provenance().length, smile.intercept()), (None, 3.0));
}

/// The folder of a model of the given name: images of 8×8 pixels by a random linear function of a z of 512 numbers.
fn generator_of_z(folder: &Path, boundaries: &Path) {
    let mut graph = GraphBuilder::new("synthesis");
    let z = graph.input("z", &[Axis::batch(), Axis::Fixed(512)]);
    let weights = ArrayD::from_shape_vec(vec![512, 192], standard_normal(1, 512 * 192)).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    let weights = graph.constant(&weights.mapv(|weight| weight as f32 / 50.0));
    let pixels = matmul(&mut graph, &z, &weights);
    let image = reshape(&mut graph, &pixels, &[0, 3, 8, 8]);
    let axes = [Axis::batch(), Axis::Fixed(3), Axis::Fixed(8), Axis::Fixed(8)];
    graph.output("image", &image, &axes);
    std::fs::write(folder.join("synthesis.onnx"), graph.finish().to_bytes()).unwrap();
    let manifest = "name = \"pggan\"\n[generator]\nsynthesis = \"synthesis.onnx\"\n[boundaries]\nfolder = \"boundaries\"\n";
    std::fs::write(folder.join("manifest.toml"), manifest).unwrap();
    std::fs::create_dir(folder.join("boundaries")).unwrap();
    for entry in std::fs::read_dir(boundaries).unwrap() {
        let file = entry.unwrap().path();
        let copy = folder.join("boundaries").join(file.file_name().unwrap());
        std::fs::write(copy, std::fs::read(&file).unwrap()).unwrap();
    }
}

#[test]
fn the_fifteen_published_boundaries_load_without_a_rename() {
    let Some(published) = reference::folder("boundaries") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    generator_of_z(folder.path(), &published);
    let model = load(folder.path()).unwrap();
    let names: Vec<_> = model
        .boundaries()
        .iter()
        .map(|boundary| format!("{} {}", boundary.attribute(), boundary.space()))
        .collect();
    assert_eq!(
        names,
        [
            "age z",
            "age_c_eyeglasses z",
            "age_c_gender z",
            "age_c_gender_eyeglasses z",
            "eyeglasses z",
            "eyeglasses_c_age z",
            "eyeglasses_c_age_gender z",
            "eyeglasses_c_gender z",
            "gender z",
            "gender_c_age z",
            "gender_c_age_eyeglasses z",
            "gender_c_eyeglasses z",
            "pose z",
            "quality z",
            "smile z",
        ]
    );
}
