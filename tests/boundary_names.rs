//! Boundary files under the names and in the shapes that they come with.

use std::path::Path;

use faceplane::catalog::{ModelFolder, NpyArray, read_boundaries};
use faceplane::graph::operators::{matmul, reshape};
use faceplane::graph::{Axis, GraphBuilder};
use faceplane::latent::{Boundary, LatentSpace, standard_normal};
use ndarray::ArrayD;

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
