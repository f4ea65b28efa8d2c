//! PGGAN and the first StyleGAN, from each kind of checkpoint.

use faceplane::graph::affine_weights;
use faceplane::graph::gradient::vector_jacobian_product;
use faceplane::importing::{Generator, Imported};
use ndarray::{ArrayD, Axis};

use crate::importing::fixture::Fixture;
use crate::importing::generator::check_generator;
use crate::onnx_session::OnnxSession;

#[test]
fn pggan_equals_the_original_from_every_kind_of_checkpoint() {
    for name in [
        "tf-pggan",
        "tf-pggan-fused",
        "interfacegan-pggan",
        "genforce-pggan",
    ] {
        let Some((_, generator)) = check_generator(name) else {
            return;
        };
        assert_eq!(generator.architecture, "PGGAN", "{name}");
        assert_eq!(sizes(&generator), [32, 32, 32, 1], "{name}");
    }
}

#[test]
fn stylegan_equals_the_original_from_every_kind_of_checkpoint() {
    for name in ["tf-stylegan1", "interfacegan-stylegan", "genforce-stylegan"] {
        let Some((_, generator)) = check_generator(name) else {
            return;
        };
        assert_eq!(generator.architecture, "StyleGAN", "{name}");
        assert_eq!(sizes(&generator), [32, 32, 24, 8], "{name}");
        assert_eq!(generator.truncation, (0.7, None), "{name}");
    }
}

#[test]
fn stylegan_of_128_pixels_adds_up_shifts_of_its_last_doubling_kernel() {
    for name in ["tf-stylegan1-128", "interfacegan-stylegan-128"] {
        let Some((_, generator)) = check_generator(name) else {
            return;
        };
        assert_eq!(sizes(&generator), [128, 32, 24, 12], "{name}");
        assert_eq!(generator.truncation, (0.7, Some(8)), "{name}");
    }
}

#[test]
fn an_added_style_changes_the_image_unless_it_is_zero() {
    let Some((fixture, generator)) = check_generator("genforce-stylegan") else {
        return;
    };
    let codes = fixture.expected("wplus");
    let mut session = OnnxSession::open(&generator.synthesis);
    let zero = ArrayD::zeros(vec![1, 24]);
    let plain = session.output("image", &[("w", codes.view())]);
    let same = session.output("image", &[("w", codes.view()), ("style_3", zero.view())]);
    assert_eq!(plain, same);

    let added = ArrayD::from_elem(vec![codes.len_of(Axis(0)), 24], 0.5);
    let changed = session.output("image", &[("w", codes.view()), ("style_3", added.view())]);
    assert!(plain != changed);
}

#[test]
fn an_added_feature_changes_the_image_where_it_is() {
    for name in ["genforce-stylegan", "genforce-pggan"] {
        let Some((fixture, generator)) = check_generator(name) else {
            return;
        };
        let (input, codes) = match generator.mapping {
            Some(_) => ("w", fixture.expected("wplus")),
            None => ("z", fixture.expected("z")),
        };
        let mut session = OnnxSession::open(&generator.synthesis);
        let plain = session.output("image", &[(input, codes.view())]);
        let mut feature = ArrayD::zeros(vec![codes.len_of(Axis(0)), 5, 32, 32]);
        feature[[0, 2, 7, 9]] = 1.0;
        let changed = session.output("image", &[(input, codes.view()), ("feature_32", feature.view())]);
        let differing: Vec<_> = (&changed - &plain)
            .indexed_iter()
            .filter(|(_, difference)| **difference != 0.0)
            .map(|(at, _)| (at[0], at[2], at[3]))
            .collect();
        assert_eq!(differing, [(0, 7, 9); 3], "{name}");
    }
}

fn sizes(generator: &Generator) -> [usize; 4] {
    [
        generator.resolution,
        generator.z_dim,
        generator.w_dim,
        generator.layers,
    ]
}

#[test]
fn the_matrices_of_the_styles_or_of_the_first_layer_are_found_in_the_graph() {
    // Two values for each of the channels 12, 12, 12, 12, 10, 10, 5, 5.
    for (name, input, dim, outputs) in [("tf-stylegan1", "w", 24, 156), ("tf-pggan", "z", 32, 12 * 16)] {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let Imported::Generator(generator) = fixture.import() else {
            panic!("{name} is no generator");
        };
        let found = affine_weights(generator.synthesis.graph(), input, dim).unwrap();
        assert_eq!(found.dim(), (dim, outputs), "{name}");
    }
}

#[test]
fn the_graphs_can_be_differentiated() {
    for name in ["tf-stylegan1", "tf-pggan"] {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let Imported::Generator(generator) = fixture.import() else {
            panic!("{name} is no generator");
        };
        vector_jacobian_product(&generator.synthesis, "image", &[]).unwrap();
    }
}
