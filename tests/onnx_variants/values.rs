//! Exports with other types, pictures or random values: taken over, each makes the faces of the plain graph.

use faceplane::graph::operators::{add, mul};
use faceplane::graph::proto::{DataType, TensorProto};
use faceplane::graph::{GraphBuilder, Model, Value, integer, integers, scalar};

use super::adopted::{same, whole};
use super::served::{assert_same, import_one, imported_faces, plain_faces};
use super::tiny::{DIM, SIZE, axes, declare, mapping, plain, synthesis};

/// The plain generator with inputs, outputs and weights of another type.
pub(crate) fn plain_in(element: DataType) -> Model {
    let mut model = plain();
    let graph = model.graph_mut();
    declare(&mut graph.input, element);
    declare(&mut graph.output, element);
    let is_float = |tensor: &&mut TensorProto| tensor.data_type == i32::from(DataType::Float);
    for tensor in graph.initializer.iter_mut().filter(is_float) {
        let (values, _) = tensor.raw_data.as_chunks::<4>();
        let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes));
        tensor.raw_data = match element {
            DataType::Double => values.flat_map(|value| f64::from(value).to_le_bytes()).collect(),
            _ => values
                .flat_map(|value| half::f16::from_f32(value).to_le_bytes())
                .collect(),
        };
        tensor.data_type = element.into();
    }
    model
}

#[test]
fn float16_and_float64_become_float32() {
    for element in [DataType::Float16, DataType::Double] {
        let generator = import_one(&plain_in(element));
        assert!(
            generator.architecture.contains("floating-point"),
            "{}",
            generator.architecture
        );
        let (found, expected) = (imported_faces(&generator), plain_faces());
        if element == DataType::Double {
            assert_same(&found, &expected);
        } else {
            // The weights were rounded to 11 bits.
            let apart = found
                .iter()
                .zip(&expected)
                .flat_map(|(a, b)| a.2.iter().zip(&b.2));
            assert!(apart.map(|(a, b)| a.abs_diff(*b)).max() <= Some(3));
        }
    }
}

#[test]
fn pictures_in_bytes_with_channels_last_become_rgb_from_minus_one_to_one() {
    let to_bytes = |graph: &mut GraphBuilder, image: Value| {
        let image = graph.node("Transpose", &[&image], vec![integers("perm", &[0, 2, 3, 1])]);
        let half = graph.constant(&scalar(127.5));
        let image = mul(graph, &image, &half);
        // Conversion to bytes cuts off, so that half a level is added to round.
        let centre = graph.constant(&scalar(128.0));
        add(graph, &image, &centre)
    };
    let mut floats = whole(same, to_bytes);
    floats.graph_mut().output = vec![faceplane::graph::float_value("image", &axes(&[SIZE, SIZE, 3]))];
    let mut graph = floats.clone();
    // The last node is the identity that makes the output.
    let last = graph.graph_mut().node.last_mut().unwrap();
    last.op_type = "Cast".to_owned();
    last.attribute = vec![integer("to", i64::from(i32::from(DataType::Uint8)))];
    declare(&mut graph.graph_mut().output, DataType::Uint8);
    for model in [floats, graph] {
        let generator = import_one(&model);
        assert!(
            generator
                .architecture
                .contains("channels last; pictures from 0 to 255")
        );
        assert!(generator.mapping.is_some());
        assert_same(&imported_faces(&generator), &plain_faces());
    }
}

#[test]
fn pictures_from_zero_to_one_become_pictures_from_minus_one_to_one() {
    let to_unit = |graph: &mut GraphBuilder, image: Value| {
        let half = graph.constant(&scalar(0.5));
        let image = mul(graph, &image, &half);
        add(graph, &image, &half)
    };
    assert_same(
        &imported_faces(&import_one(&whole(same, to_unit))),
        &plain_faces(),
    );
}

#[test]
fn one_channel_is_grey_and_a_fourth_is_left_out() {
    let channels = |count| {
        let mut graph = GraphBuilder::new("channels");
        let z = graph.input("z", &axes(&[DIM]));
        let w = mapping(&mut graph, &z);
        let image = synthesis(&mut graph, &[w.clone(), w.clone(), w], count);
        graph.output("image", &image, &axes(&[count, SIZE, SIZE]));
        imported_faces(&import_one(&graph.finish()))
    };
    for (_, _, rgb) in channels(1) {
        let (pixels, _) = rgb.as_chunks::<3>();
        assert!(
            pixels
                .iter()
                .all(|[red, green, blue]| red == green && green == blue)
        );
        assert!(
            pixels.iter().any(|pixel| pixel != &pixels[0]),
            "there is a picture"
        );
    }
    let of_four = channels(4);
    let (pixels, rest) = of_four[0].2.as_chunks::<3>();
    assert_eq!((pixels.len(), rest.len()), (SIZE * SIZE, 0));
    assert!(
        pixels
            .iter()
            .any(|[red, green, blue]| red != green && green != blue)
    );
}

#[test]
fn random_noise_becomes_constants_that_are_the_same_in_every_import() {
    for operator in ["RandomNormalLike", "RandomUniformLike"] {
        let noisy = |graph: &mut GraphBuilder, image: Value| {
            let noise = graph.node(operator, &[&image], vec![]);
            let strength = graph.constant(&scalar(0.2));
            let noise = mul(graph, &noise, &strength);
            add(graph, &image, &noise)
        };
        let model = whole(same, noisy);
        let (first, second) = (import_one(&model), import_one(&model));
        assert!(first.architecture.contains("constants for 1 random nodes"));
        assert!(first.mapping.is_some());
        let faces = imported_faces(&first);
        assert_eq!(faces, imported_faces(&second));
        assert_eq!(faces, imported_faces(&first));
        assert_ne!(faces, plain_faces(), "there is noise");
    }
}
