//! PGGAN and the first StyleGAN, from each kind of checkpoint.

use faceplane::checkpoint::Checkpoint;
use faceplane::graph::affine_weights;
use faceplane::graph::gradient::vector_jacobian_product;
use faceplane::importing::{Generator, Imported, import};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::importing::fixture::Fixture;
use crate::importing::flat_files;
use crate::importing::generator::check_generator;
use crate::onnx_session::{OnnxSession, numbers};

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

/// Channels of each layer of [`pggan_of_three_channels`], so that an image can show them all.
const CHANNELS: usize = 3;

/// The tensors of a PGGAN with a z of 4 values, under `GenForce`'s names. Colours are the normalized channels of the last layer.
fn pggan_of_three_channels(blocks: usize) -> Vec<(String, ArrayD<f32>)> {
    let mut tensors = vec![("layer0.weight".to_owned(), numbers(&[CHANNELS, 4, 4, 4], 1.0))];
    for (layer, seed) in (0..2 * blocks).zip((100_u16..).step_by(1000)) {
        if layer > 0 {
            let kernel = numbers(&[CHANNELS, CHANNELS, 3, 3], f32::from(seed));
            tensors.push((format!("layer{layer}.weight"), kernel));
        }
        let bias = numbers(&[CHANNELS], f32::from(seed) + 500.0) * 0.1;
        tensors.push((format!("layer{layer}.bias"), bias));
    }
    // The factor of equalized learning rates takes the root of 3 back.
    let colours = ArrayD::from_shape_fn(IxDyn(&[3, CHANNELS, 1, 1]), |at| {
        if at[0] == at[1] { 3_f32.sqrt() } else { 0.0 }
    });
    for block in 0..blocks {
        tensors.push((format!("output{block}.weight"), colours.clone()));
        tensors.push((format!("output{block}.bias"), ArrayD::zeros(vec![3])));
    }
    tensors
}

/// The image that a PGGAN of these tensors makes of one z.
fn image_of(tensors: &[(String, ArrayD<f32>)]) -> ArrayD<f32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pggan.safetensors");
    flat_files::write(&file, tensors);
    let Imported::Generator(generator) = import(&Checkpoint::read(&file).unwrap()).unwrap() else {
        panic!("no generator")
    };
    let z = numbers(&[1, 4], 7.0);
    let image = OnnxSession::open(&generator.synthesis).output("image", &[("z", z.view())]);
    image.index_axis_move(Axis(0), 0)
}

#[test]
fn pggan_of_1024_pixels_doubles_its_largest_image_like_the_smaller_ones() {
    let mut tensors = pggan_of_three_channels(9);
    // The last layer passes on its input: its kernel is 1 in the middle, times what the factor of equalized learning rates takes back.
    let (_, kernel) = tensors
        .iter_mut()
        .find(|(name, _)| name == "layer17.weight")
        .unwrap();
    *kernel = ArrayD::from_shape_fn(kernel.raw_dim(), |at| {
        if at[0] == at[1] && at[2] == 1 && at[3] == 1 {
            13.5_f32.sqrt()
        } else {
            0.0
        }
    });
    let (_, bias) = tensors
        .iter_mut()
        .find(|(name, _)| name == "layer17.bias")
        .unwrap();
    bias.fill(0.0);
    let large = image_of(&tensors);
    // The colours of the generator that has one block less are the features that the last block doubles.
    let features = image_of(&pggan_of_three_channels(8));
    assert_eq!(
        (large.shape(), features.shape()),
        (&[3, 1024, 1024][..], &[3, 512, 512][..])
    );

    let tensor = |name: &str| &tensors.iter().find(|(known, _)| known == name).unwrap().1;
    let (kernel, bias) = (tensor("layer16.weight"), tensor("layer16.bias"));
    let activated = |value: f32| if value < 0.0 { 0.2 * value } else { value };
    let normalized = |values: [f32; 3]| {
        let mean = values.iter().map(|value| value * value).sum::<f32>() / 3.0;
        values.map(|value| value / mean.sqrt())
    };
    let edge_and_middle = [0, 1, 2, 510, 511, 512, 513, 1021, 1022, 1023];
    for (y, x) in edge_and_middle
        .into_iter()
        .flat_map(|y| edge_and_middle.map(|x| (y, x)))
    {
        let convolved = [0, 1, 2].map(|channel| {
            let mut sum = 0.0;
            for (index, weight) in kernel.index_axis(Axis(0), channel).indexed_iter() {
                // The padding is 1, and each pixel of the features is four pixels.
                let (row, column) = (y + index[1], x + index[2]);
                if (1..=1024).contains(&row) && (1..=1024).contains(&column) {
                    sum += weight * features[[index[0], (row - 1) / 2, (column - 1) / 2]];
                }
            }
            activated(sum / 13.5_f32.sqrt() + bias[channel])
        });
        let expected = normalized(normalized(convolved).map(activated));
        for (channel, expected) in expected.into_iter().enumerate() {
            let found = large[[channel, y, x]];
            assert!(
                (found - expected).abs() < 1e-4,
                "{channel} {y} {x}: {found}, not {expected}"
            );
        }
    }
}
