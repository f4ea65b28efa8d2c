//! Our projections compared with the conditional boundaries that the method's authors published for PGGAN on CelebA-HQ.
//!
//! They are read from the folder of references. If it does not exist, the tests say so and pass.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use faceplane::latent::{
    Amount, Boundary, Edit, LatentCode, LatentSpace, Provenance, apply, condition, sample_z,
};
use ndarray::Array2;
use npyz::NpyFile;

use crate::reference;

/// The published conditional boundaries.
const CONDITIONAL: [(&str, &[&str]); 9] = [
    ("age", &["eyeglasses"]),
    ("age", &["gender"]),
    ("age", &["gender", "eyeglasses"]),
    ("eyeglasses", &["age"]),
    ("eyeglasses", &["age", "gender"]),
    ("eyeglasses", &["gender"]),
    ("gender", &["age"]),
    ("gender", &["age", "eyeglasses"]),
    ("gender", &["eyeglasses"]),
];

/// The folder of published boundaries, if it exists.
fn folder() -> Option<PathBuf> {
    reference::folder("boundaries")
}

/// The values of a published file.
fn normal(folder: &Path, name: &str) -> Array2<f64> {
    let path = folder.join(format!("pggan_celebahq_{name}_boundary.npy"));
    let file = NpyFile::new(BufReader::new(File::open(path).unwrap())).unwrap();
    let values: Vec<f64> = file.into_vec().unwrap();
    Array2::from_shape_vec((1, values.len()), values).unwrap()
}

fn boundary(folder: &Path, name: &str) -> Boundary {
    Boundary::new(
        name,
        LatentSpace::Z,
        normal(folder, name),
        0.0,
        Provenance::default(),
    )
    .unwrap()
}

/// All nine equal ours to 9e-16 (norm of the difference), the rounding of `f64`. The reference code adds 1e-8 to the
/// denominators for two conditions, which would change one element by 1.1e-9 to 1.3e-9. The published files were made
/// without it.
#[test]
fn projecting_the_published_boundaries_gives_the_published_conditional_ones() {
    let Some(folder) = folder() else { return };
    for (primal, names) in CONDITIONAL {
        let conditions: Vec<_> = names.iter().map(|name| boundary(&folder, name)).collect();
        let ours = condition(&boundary(&folder, primal), &conditions.iter().collect::<Vec<_>>()).unwrap();
        let name = format!("{primal}_c_{}", names.join("_"));
        let apart = ours.direction.step() - &normal(&folder, &name);
        let apart = (&apart * &apart).sum().sqrt();
        println!(
            "{name}: {apart:.2e} from the published one, {:.6} retained, {:?}",
            ours.retained, ours.cosines
        );
        assert!(apart < 1e-15, "{name} is {apart:e} from the published one");
    }
}

#[test]
fn the_published_boundaries_have_the_known_cosines() {
    let Some(folder) = folder() else { return };
    for (one, other, known) in [
        ("age", "gender", 0.486),
        ("age", "eyeglasses", 0.378),
        ("gender", "eyeglasses", 0.523),
    ] {
        let cosine = boundary(&folder, one).cosine(&boundary(&folder, other)).unwrap();
        assert!((cosine - known).abs() < 5e-4, "{one} and {other}: {cosine}");
    }
}

#[test]
fn editing_a_sampled_face_older_keeps_its_gender_and_eyeglasses() {
    let Some(folder) = folder() else { return };
    let [age, gender, eyeglasses] = ["age", "gender", "eyeglasses"].map(|name| boundary(&folder, name));
    let older = condition(&age, &[&gender, &eyeglasses]).unwrap().direction;
    let age = Arc::new(age);
    let edit = Edit::new(age.clone(), older, Amount::To(3.0)).unwrap();
    for seed in 0..20 {
        let code = sample_z(seed, 512, true).unwrap();
        let edited = apply(&code, std::slice::from_ref(&edit), None).unwrap();
        let distance = |boundary: &Boundary, code: &LatentCode| boundary.signed_distance(code).unwrap();
        assert!((distance(&age, &edited) - 3.0).abs() < 1e-5);
        for held in [&gender, &eyeglasses] {
            assert!((distance(held, &edited) - distance(held, &code)).abs() < 1e-5);
        }
    }
}
