//! StyleGAN2 as each program names it: codes and images equal those of the original.

use faceplane::checkpoint::Checkpoint;
use faceplane::graph::Model;
use faceplane::importing::{Imported, import};
use ndarray::{ArrayD, Axis, Slice};

use crate::importing::fixture::{Fixture, TOLERANCE};
use crate::importing::flat_files::{preferred, write};
use crate::importing::generator::check_generator;
use crate::onnx_session::{OnnxSession, assert_close};

#[test]
fn a_snapshot_of_stylegan2_ada_gives_the_codes_and_images_of_the_original() {
    let Some((_, generator)) = check_generator("sg2ada-skip") else {
        return;
    };
    assert_eq!(generator.architecture, "StyleGAN2, skip");
    assert_eq!(generator.chosen, "G_ema");
    assert_eq!((generator.z_dim, generator.w_dim), (32, 24));
    assert_eq!((generator.layers, generator.resolution), (8, 32));
}

#[test]
fn a_class_conditional_snapshot_takes_a_label() {
    let Some((fixture, generator)) = check_generator("sg2ada-cond") else {
        return;
    };
    assert_eq!((generator.classes, generator.z_dim), (3, 32));
    // A label of zeros is no class.
    let z = fixture.expected("z").slice_axis_move(Axis(0), Slice::from(0..1));
    let label = ArrayD::zeros(vec![1, 3]);
    let mut mapping = OnnxSession::open(generator.mapping.as_ref().unwrap());
    let w = mapping.output("w", &[("z", z.view()), ("label", label.view())]);
    let image =
        OnnxSession::open(&generator.synthesis).output("image", &[("w", in_every_layer(&w, 8).view())]);
    let expected = fixture.expected("image_c0");
    assert_close("without a class", image.view(), expected.view(), TOLERANCE);
}

#[test]
fn a_snapshot_of_the_resnet_architecture_gives_the_images_of_the_original() {
    let Some((_, generator)) = check_generator("sg2ada-resnet") else {
        return;
    };
    assert_eq!(generator.architecture, "StyleGAN2, resnet");
}

#[test]
fn a_network_that_was_trained_with_half_precision_keeps_its_clamp() {
    check_generator("sg2ada-fp16");
}

#[test]
fn a_checkpoint_of_rosinalitys_training_gives_the_images_of_the_original() {
    let Some((_, generator)) = check_generator("rosinality-train") else {
        return;
    };
    assert_eq!(generator.w_avg, None, "training does not write the average code");
}

#[test]
fn a_checkpoint_of_rosinalitys_converter_gives_the_images_of_the_original() {
    let Some((fixture, generator)) = check_generator("rosinality-converted") else {
        return;
    };
    let average = fixture.expected("truncation_latent");
    assert_eq!(generator.w_avg.unwrap().into_dyn(), average);
}

#[test]
fn a_checkpoint_of_genforce_gives_the_images_of_the_original() {
    check_generator("genforce-stylegan2");
}

#[test]
fn a_tensorflow_network_gives_the_images_of_the_original() {
    check_generator("tf-stylegan2");
}

#[test]
fn another_filter_of_the_upsampling_is_refused() {
    let Some(fixture) = Fixture::open("sg2ada-skip") else {
        return;
    };
    let checkpoint = Checkpoint::read(&fixture.file()).unwrap();
    let tensors = preferred(&checkpoint).tensors.iter();
    let changed: Vec<_> = tensors
        .map(|(name, tensor)| {
            let values = tensor.read().unwrap();
            let is_filter = name == "synthesis.b4.resample_filter";
            (
                name.clone(),
                if is_filter { values.mapv(|_| 1.0) } else { values },
            )
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    write(file.path(), &changed);
    let error = import(&Checkpoint::read(file.path()).unwrap()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("the state dict: found the upsampling filter"),
        "{error}"
    );
    assert!(error.contains("[1, 3, 3, 1]"), "{error}");
}

#[test]
fn a_style_of_each_layer_can_be_changed_in_one_image_of_a_batch() {
    let Some((synthesis, codes)) = two_faces() else {
        return;
    };
    let mut session = OnnxSession::open(&synthesis);
    let unchanged = session.output("image", &[("w", codes.view())]);
    // Four blocks: two for 4×4, three for each other resolution.
    for layer in 0..11 {
        let name = format!("style_{layer}");
        let mut styles = ArrayD::zeros(vec![2, optional_axes(&synthesis, &name)[1]]);
        styles.index_axis_mut(Axis(0), 1).fill(0.5);
        let images = session.output("image", &[("w", codes.view()), (&name, styles.view())]);
        let apart = |row| largest(&(&images.index_axis(Axis(0), row) - &unchanged.index_axis(Axis(0), row)));
        assert!(apart(0) == 0.0, "{name} changes another image");
        assert!(apart(1) > 1e-3, "{name} changes nothing");
    }
    assert!(
        !synthesis
            .graph()
            .input
            .iter()
            .any(|input| input.name == "style_11")
    );
}

#[test]
fn the_image_is_linear_in_the_style_of_the_last_layer() {
    let Some((synthesis, codes)) = two_faces() else {
        return;
    };
    let mut session = OnnxSession::open(&synthesis);
    let channels = optional_axes(&synthesis, "style_10")[1];
    let mut changed = |by: f32| {
        let style = ArrayD::from_elem(vec![1, channels], by);
        session.output("image", &[("w", codes.view()), ("style_10", style.view())])
    };
    let (none, once, twice) = (changed(0.0), changed(1.0), changed(2.0));
    assert_close(
        "twice",
        (&twice - &none).view(),
        ((&once - &none) * 2.0).view(),
        TOLERANCE,
    );
}

#[test]
fn the_features_of_32_pixels_can_be_corrected() {
    let Some((synthesis, codes)) = two_faces() else {
        return;
    };
    let mut session = OnnxSession::open(&synthesis);
    let unchanged = session.output("image", &[("w", codes.view())]);
    let axes = optional_axes(&synthesis, "feature_32");
    assert_eq!(axes[2..], [32, 32]);
    let mut correction = ArrayD::zeros(vec![1, axes[1], 32, 32]);
    correction[[0, 0, 5, 7]] = 1.0;
    let images = session.output("image", &[("w", codes.view()), ("feature_32", correction.view())]);
    for ((place, value), before) in images.indexed_iter().zip(&unchanged) {
        // Only the conversion to colours follows, which keeps pixels apart.
        let changed = (place[2], place[3]) == (5, 7);
        assert_eq!((value - before).abs() > 0.0, changed, "{place:?}");
    }
}

/// The synthesis of a fixture, and two codes.
fn two_faces() -> Option<(Model, ArrayD<f32>)> {
    let fixture = Fixture::open("sg2ada-skip")?;
    let Imported::Generator(generator) = fixture.import() else {
        panic!("no generator");
    };
    let w = fixture.expected("w").slice_axis_move(Axis(0), Slice::from(0..2));
    Some((generator.synthesis, in_every_layer(&w, generator.layers)))
}

fn in_every_layer(w: &ArrayD<f32>, layers: usize) -> ArrayD<f32> {
    let shape = vec![w.shape()[0], layers, w.shape()[1]];
    w.view().insert_axis(Axis(1)).broadcast(shape).unwrap().to_owned()
}

/// The shape of an optional input's default.
fn optional_axes(model: &Model, name: &str) -> Vec<usize> {
    let default = model
        .graph()
        .initializer
        .iter()
        .find(|tensor| tensor.name == name);
    let dims = &default.unwrap().dims;
    dims.iter()
        .map(|&length| usize::try_from(length).unwrap())
        .collect()
}

fn largest(values: &ArrayD<f32>) -> f32 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}
