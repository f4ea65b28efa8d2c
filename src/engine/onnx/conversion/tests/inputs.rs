//! The keys of a network's input.

use half::f16;
use ndarray::{Array2, Array4, ArrayD, Axis as AxisOf, Slice};

use super::{COLUMNS, RANGE, file, fixed, images, linear, manifest, shape};
use crate::engine::onnx::network::Network;
use crate::engine::onnx::recognizer::OnnxRecognizer;
use crate::engine::test_support::runtime;
use crate::engine::{EngineError, Recognizer as _};
use crate::graph::proto::{DataType, TypeValue, ValueInfoProto};
use crate::graph::{Axis, GraphBuilder, Model, integer};

fn recognizer(model: &Model, keys: &str) -> Result<OnnxRecognizer, EngineError> {
    let entry = manifest(&format!("[identity]\nfile = \"network.onnx\"\n{keys}")).identity;
    OnnxRecognizer::open(runtime(), &file(model), &entry.unwrap(), &shape(), RANGE)
}

/// Compares what a network with these keys says of images with what ONNX Runtime says of the `converted` ones.
fn assert_equal(model: &Model, keys: &str, converted: ArrayD<f32>) {
    let count = converted.len_of(AxisOf(0));
    let found = recognizer(model, keys)
        .unwrap()
        .embed(images(count).view())
        .unwrap();
    let mut network = Network::open(runtime(), &file(model), "output").unwrap();
    let expected = network.run(converted.view()).unwrap();
    assert_near(&found, &expected, keys);
}

fn assert_near(found: &Array2<f32>, expected: &ArrayD<f32>, case: &str) {
    assert_eq!(found.shape(), expected.shape(), "{case}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-4,
            "{case}: {found} is not {expected}"
        );
    }
}

/// The weight of pixel `at` for pixel `index`, where an axis of `length` pixels becomes `new_length`, before the sum of weights is 1.
fn triangle(at: usize, index: usize, length: usize, new_length: usize) -> f64 {
    let number = |index: usize| f64::from(u32::try_from(index).unwrap());
    let scale = number(length) / number(new_length);
    let distance = (number(at) + 0.5 - (number(index) + 0.5) * scale).abs();
    (1.0 - distance / scale.max(1.0)).max(0.0)
}

/// Images in another size, each pixel as the weighted mean of all pixels.
fn resized(images: &Array4<f32>, [new_height, new_width]: [usize; 2]) -> Array4<f32> {
    let (count, channels, height, width) = images.dim();
    Array4::from_shape_fn(
        (count, channels, new_height, new_width),
        |(image, channel, y, x)| {
            let (mut sum, mut weights) = (0.0, 0.0);
            for row in 0..height {
                for column in 0..width {
                    let weight = triangle(row, y, height, new_height) * triangle(column, x, width, new_width);
                    sum += weight * f64::from(images[[image, channel, row, column]]);
                    weights += weight;
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "pixels are f32")]
            let pixel = (sum / weights) as f32;
            pixel
        },
    )
}

#[test]
fn an_input_of_the_generators_size_and_range_gets_the_image_itself() {
    let model = linear(&fixed(&[3, 12, 10]), COLUMNS);
    assert_equal(&model, "", images(2).into_dyn());
}

#[test]
fn a_network_of_any_size_gets_a_resized_image() {
    for size in [[5, 7], [9, 10], [24, 20], [30, 11]] {
        let model = linear(&fixed(&[3, size[0], size[1]]), COLUMNS);
        assert_equal(&model, "", resized(&images(2), size).into_dyn());
    }
}

#[test]
fn a_size_that_the_graph_leaves_open_is_the_manifests() {
    let axes = [
        Axis::batch(),
        Axis::Fixed(3),
        Axis::Open("4".to_owned()),
        Axis::Open("5".to_owned()),
    ];
    let model = linear(&axes, COLUMNS);
    assert_equal(&model, "size = [4, 5]", resized(&images(2), [4, 5]).into_dyn());
    let error = recognizer(&linear(&fixed(&[3, 6, 5]), COLUMNS), "size = 7")
        .err()
        .unwrap();
    assert!(error.to_string().contains("[batch, 3, 7, 7]"), "{error}");
}

#[test]
fn channels_are_rgb_bgr_or_gray() {
    let images = images(2);
    let model = linear(&fixed(&[3, 12, 10]), COLUMNS);
    let bgr = images.select(AxisOf(1), &[2, 1, 0]);
    assert_equal(&model, "channels = \"bgr\"", bgr.into_dyn());
    let model = linear(&fixed(&[1, 12, 10]), COLUMNS);
    let channel = |index: usize| images.select(AxisOf(1), &[index]);
    let gray = channel(0) * 0.299 + channel(1) * 0.587 + channel(2) * 0.114;
    assert_equal(&model, "channels = \"gray\"", gray.into_dyn());
    let error = recognizer(&model, "").err().unwrap();
    assert!(
        error.to_string().contains("correct the manifest's channels"),
        "{error}"
    );
}

#[test]
fn a_range_mean_and_deviation_of_each_channel_are_applied_in_this_order() {
    let model = linear(&fixed(&[3, 12, 10]), COLUMNS);
    let unit = images(2).mapv(|value| value.midpoint(1.0));
    assert_equal(&model, "image_range = [0, 255]", (&unit * 255.0).into_dyn());
    let per_channel =
        |values: [f32; 3]| Array4::from_shape_fn((1, 3, 1, 1), |(_, channel, ..)| values[channel]);
    let normalized = (&unit - per_channel([0.485, 0.456, 0.406])) / per_channel([0.229, 0.224, 0.225]);
    let keys = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]";
    assert_equal(&model, keys, normalized.into_dyn());
    let scaled = (&unit * 255.0 - 127.5) / 128.0;
    assert_equal(
        &model,
        "image_range = [0, 255]\nmean = 127.5\nstd = 128",
        scaled.into_dyn(),
    );
    // The mean has the order of the network's channels.
    let bgr = images(2)
        .select(AxisOf(1), &[2, 1, 0])
        .mapv(|value| (value + 1.0) * 127.5);
    let bgr = bgr - per_channel([104.0, 117.0, 123.0]);
    let keys = "channels = \"bgr\"\nimage_range = [0, 255]\nmean = [104, 117, 123]";
    assert_equal(&model, keys, bgr.into_dyn());
}

#[test]
fn a_layout_of_nhwc_is_seen_in_the_graph_or_named() {
    let nhwc = |images: Array4<f32>| {
        images
            .permuted_axes([0, 2, 3, 1])
            .as_standard_layout()
            .into_owned()
    };
    let model = linear(&fixed(&[12, 10, 3]), COLUMNS);
    assert_equal(&model, "", nhwc(images(2)).into_dyn());
    // Both orders are possible for 3×3 pixels.
    let model = linear(&fixed(&[3, 3, 3]), COLUMNS);
    let small = resized(&images(2), [3, 3]);
    assert_equal(&model, "", small.clone().into_dyn());
    assert_equal(&model, "layout = \"nhwc\"", nhwc(small).into_dyn());
}

#[test]
fn a_crop_is_the_part_between_fractions_of_the_sides() {
    let mut part = images(2);
    part.slice_axis_inplace(AxisOf(2), Slice::from(3..9));
    part.slice_axis_inplace(AxisOf(3), Slice::from(2..8));
    let model = linear(&fixed(&[3, 6, 6]), COLUMNS);
    assert_equal(&model, "crop = [0.2, 0.25, 0.8, 0.75]", part.clone().into_dyn());
    let model = linear(&fixed(&[3, 4, 5]), COLUMNS);
    let small = resized(&part.as_standard_layout().into_owned(), [4, 5]);
    assert_equal(&model, "crop = [0.2, 0.25, 0.8, 0.75]", small.into_dyn());
}

#[test]
fn a_fixed_batch_is_filled_up() {
    let open = linear(&fixed(&[3, 12, 10]), COLUMNS);
    let mut network = Network::open(runtime(), &file(&open), "output").unwrap();
    let expected = network.run(images(5).view()).unwrap();
    for batch in [1, 2, 3, 5, 8] {
        let axes = [batch, 3, 12, 10].map(Axis::Fixed);
        let found = recognizer(&linear(&axes, COLUMNS), "")
            .unwrap()
            .embed(images(5).view());
        assert_near(&found.unwrap(), &expected, &format!("a batch of {batch}"));
    }
}

/// The graph with an input and an output of another type: the new input is cast to what the old one was, and so is the output.
fn with_types(mut model: Model, element: DataType) -> Model {
    let graph = model.graph_mut();
    graph.node[0].input[0] = "cast".to_owned();
    let mut builder = GraphBuilder::new("casts");
    let input = builder.input("input", &[]);
    builder.node("Cast", &[&input], vec![integer("to", DataType::Float as i64)]);
    let mut cast = builder.finish().graph().node[0].clone();
    cast.output[0] = "cast".to_owned();
    graph.node.insert(0, cast.clone());
    if element == DataType::Float16 {
        let last = graph.node.last_mut().unwrap();
        last.output[0] = "uncast".to_owned();
        cast.input[0] = "uncast".to_owned();
        cast.output[0] = "output".to_owned();
        cast.name = "cast_of_output".to_owned();
        cast.attribute[0].i = DataType::Float16 as i64;
        graph.node.push(cast);
        set_type(&mut graph.output[0], element);
    }
    set_type(&mut graph.input[0], element);
    model
}

fn set_type(value: &mut ValueInfoProto, element: DataType) {
    let Some(TypeValue::Tensor(tensor)) = value.r#type.as_mut().unwrap().value.as_mut() else {
        panic!("a tensor")
    };
    tensor.elem_type = element.into();
}

/// The half that is nearest to a number.
fn nearest_half(value: f32) -> f32 {
    f16::from_f32(value).to_f32()
}

#[test]
fn a_network_of_float16_says_what_it_says_of_the_nearest_halves() {
    // The images in their own size, and resized. A resized pixel that lies between two halves may be rounded to the other one, and
    // then the output too: its own step is the bound.
    for (size, tolerance) in [([12, 10], 1e-4), ([4, 5], f16::EPSILON.to_f32())] {
        let model = linear(&fixed(&[3, size[0], size[1]]), COLUMNS);
        let mut network = Network::open(runtime(), &file(&model), "output").unwrap();
        let halves = resized(&images(2), size).mapv(nearest_half);
        let expected = network.run(halves.view()).unwrap().mapv(nearest_half);
        let found = recognizer(&with_types(model, DataType::Float16), "");
        let found = found.unwrap().embed(images(2).view()).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error <= tolerance, "{size:?}: {found} is not {expected}");
        }
    }
}

#[test]
fn a_network_of_bytes_gets_the_nearest_bytes() {
    let model = linear(&fixed(&[3, 4, 5]), COLUMNS);
    let bytes = resized(&images(2), [4, 5]).mapv(|value| ((value + 1.0) * 127.5 + 0.5).floor());
    let mut network = Network::open(runtime(), &file(&model), "output").unwrap();
    let expected = network.run(bytes.view()).unwrap();
    let found = recognizer(&with_types(model, DataType::Uint8), "");
    let found = found.unwrap().embed(images(2).view()).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error < 1e-4, "uint8: {found} is not {expected}");
    }
}
