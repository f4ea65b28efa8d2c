//! Exports that `faceplane import` takes over: each is served, and its faces are those of the plain graph.

use faceplane::graph::operators::{add, mul, reshape, sub};
use faceplane::graph::proto::DataType;
use faceplane::graph::{Axis, GraphBuilder, Model, Value, integer, scalar};
use ndarray::{ArrayD, IxDyn};

use super::served::{assert_same, file, import, import_one, imported_faces, plain_faces};
use super::tiny::{
    DIM, LAYERS, SIZE, axes, cast, declare, mapping, plain, repeated, rows, synthesis, weights,
};

/// A whole generator, z → image, that repeats w over the layers. `change_w` may change w, `change_image` the picture.
pub(super) fn whole(
    change_w: impl FnOnce(&mut GraphBuilder, Value) -> Value,
    change_image: impl FnOnce(&mut GraphBuilder, Value) -> Value,
) -> Model {
    let mut graph = GraphBuilder::new("whole");
    let z = graph.input("z", &axes(&[DIM]));
    let w = mapping(&mut graph, &z);
    let w = repeated(&mut graph, &w);
    let w = change_w(&mut graph, w);
    let rows = rows(&mut graph, &w);
    let image = synthesis(&mut graph, &rows, 3);
    let image = change_image(&mut graph, image);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    graph.finish()
}

pub(super) fn same(_: &mut GraphBuilder, value: Value) -> Value {
    value
}

#[test]
fn a_whole_generator_is_split_where_the_layers_branch() {
    let generator = import_one(&whole(same, same));
    assert!(generator.mapping.is_some());
    assert_eq!(
        (generator.layers, generator.w_dim, generator.z_dim),
        (LAYERS, DIM, DIM)
    );
    assert_eq!(generator.resolution, SIZE);
    assert_same(&imported_faces(&generator), &plain_faces());
}

#[test]
fn a_generator_whose_layers_take_one_w_is_split_too() {
    let generator = import_one(&plain());
    assert!(generator.mapping.is_some());
    assert_eq!(generator.layers, 1);
    assert_same(&imported_faces(&generator), &plain_faces());
}

#[test]
fn a_generator_without_a_mapping_stays_whole() {
    let mut graph = GraphBuilder::new("no mapping");
    let z = graph.input("z", &axes(&[DIM]));
    // As in PGGAN, z is normalized, which is no mapping.
    let squares = mul(&mut graph, &z, &z);
    let mean = faceplane::graph::operators::reduce_mean(&mut graph, &squares, &[1]);
    let root = faceplane::graph::operators::sqrt(&mut graph, &mean);
    let w = faceplane::graph::operators::div(&mut graph, &z, &root);
    let image = synthesis(&mut graph, &[w.clone(), w.clone(), w], 3);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let model = graph.finish();
    let generator = import_one(&model);
    assert!(generator.mapping.is_none());
    assert_same(
        &imported_faces(&generator),
        &super::served::faces(super::served::folder_of(&model).path()).unwrap(),
    );
}

#[test]
fn shapes_of_z_that_synthesis_uses_are_taken_from_w() {
    // PyTorch's exporter repeats constants over the batch that it reads from z.
    let mut graph = GraphBuilder::new("whole");
    let z = graph.input("z", &axes(&[DIM]));
    let shape = graph.node("Shape", &[&z], vec![]);
    let first = graph.integers(&[0]);
    let batch = graph.node("Gather", &[&shape, &first], vec![integer("axis", 0)]);
    let w = mapping(&mut graph, &z);
    let w = repeated(&mut graph, &w);
    let rows = rows(&mut graph, &w);
    let image = synthesis(&mut graph, &rows, 3);
    let rest = graph.integers(&[3, 1, 1]);
    let target = graph.node("Concat", &[&batch, &rest], vec![integer("axis", 0)]);
    let zero = graph.constant(&ArrayD::zeros(IxDyn(&[1, 3, 1, 1])));
    let zeros = graph.node("Expand", &[&zero, &target], vec![]);
    let image = add(&mut graph, &image, &zeros);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let generator = import_one(&graph.finish());
    assert_eq!(generator.layers, LAYERS);
    assert!(generator.mapping.is_some());
    assert_same(&imported_faces(&generator), &plain_faces());
}

#[test]
fn psi_a_cutoff_noise_and_an_empty_label_become_constants() {
    let mut graph = GraphBuilder::new("whole");
    let z = graph.input("z", &axes(&[DIM]));
    let label = graph.input("label", &axes(&[0]));
    let psi = graph.input("truncation_psi", &[Axis::Fixed(1)]);
    let cutoff = graph.input("truncation_cutoff", &[Axis::Fixed(1)]);
    let noise = graph.input("noise0", &axes(&[1, SIZE, SIZE]));
    let both = graph.node("Concat", &[&z, &label], vec![integer("axis", 1)]);
    let w = mapping(&mut graph, &both);
    let center = graph.constant(&weights(&[DIM], 0.3));
    let apart = sub(&mut graph, &w, &center);
    let scaled = mul(&mut graph, &apart, &psi);
    let w = add(&mut graph, &center, &scaled);
    let w = repeated(&mut graph, &w);
    let rows = rows(&mut graph, &w);
    let image = synthesis(&mut graph, &rows, 3);
    let strength = graph.constant(&scalar(0.001));
    let noise = mul(&mut graph, &noise, &strength);
    let cutoff = cast(&mut graph, &cutoff, DataType::Float);
    let image = add(&mut graph, &image, &cutoff);
    let image = add(&mut graph, &image, &noise);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let mut model = graph.finish();
    declare(&mut model.graph_mut().input[3..4], DataType::Int64);
    let generator = import_one(&model);
    assert!(generator.mapping.is_some());
    assert_eq!(generator.classes, 0);
    for change in [
        "truncation_psi = 1",
        "truncation_cutoff = 0",
        "constants for noise0",
        "label without columns",
    ] {
        assert!(
            generator.architecture.contains(change),
            "{}",
            generator.architecture
        );
    }
    assert_same(&imported_faces(&generator), &plain_faces());
}

#[test]
fn the_label_of_a_whole_generator_becomes_an_input_of_the_mapping() {
    let mut graph = GraphBuilder::new("conditional");
    let z = graph.input("latents", &axes(&[DIM]));
    let label = graph.input("c", &axes(&[5]));
    let matrix = graph.constant(&weights(&[5, DIM], 0.4));
    let embedded = faceplane::graph::operators::matmul(&mut graph, &label, &matrix);
    let z = add(&mut graph, &z, &embedded);
    let w = mapping(&mut graph, &z);
    let w = repeated(&mut graph, &w);
    let rows = rows(&mut graph, &w);
    let image = synthesis(&mut graph, &rows, 3);
    graph.output("img", &image, &axes(&[3, SIZE, SIZE]));
    let generator = import_one(&graph.finish());
    assert_eq!(generator.classes, 5);
    let inputs = faceplane::graph::edits::inputs(&generator.mapping.unwrap());
    assert_eq!(
        inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(),
        ["z", "label"]
    );
}

#[test]
fn a_mapping_that_repeats_w_and_a_synthesis_of_w_plus_are_one_generator() {
    let mut graph = GraphBuilder::new("mapping");
    let z = graph.input("input", &axes(&[DIM]));
    let w = mapping(&mut graph, &z);
    let w = repeated(&mut graph, &w);
    graph.output("ws", &w, &axes(&[LAYERS, DIM]));
    let first = graph.finish();
    let mut graph = GraphBuilder::new("synthesis");
    let w = graph.input("ws", &axes(&[LAYERS, DIM]));
    let rows = rows(&mut graph, &w);
    let image = synthesis(&mut graph, &rows, 3);
    graph.output("output", &image, &axes(&[3, SIZE, SIZE]));
    let second = graph.finish();
    let generator = import(&[file("a.onnx", &second), file("b.onnx", &first)]).unwrap();
    assert_eq!((generator.layers, generator.w_dim), (LAYERS, DIM));
    assert_same(&imported_faces(&generator), &plain_faces());
    let alone = import(&[file("a.onnx", &second)]).unwrap_err().to_string();
    assert!(
        alone.starts_with("a.onnx: found") && alone.contains("no mapping"),
        "{alone}"
    );
}

#[test]
fn a_code_with_axes_of_length_one_is_reshaped() {
    for shape in [&[DIM, 1, 1][..], &[1, DIM]] {
        let mut graph = GraphBuilder::new("whole");
        let z = graph.input("noise", &axes(shape));
        let z = reshape(&mut graph, &z, &[-1, 8]);
        let w = mapping(&mut graph, &z);
        let image = synthesis(&mut graph, &[w.clone(), w.clone(), w], 3);
        graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
        assert_same(&imported_faces(&import_one(&graph.finish())), &plain_faces());
    }
}

#[test]
fn a_code_without_a_batch_is_a_batch_of_one() {
    let mut graph = GraphBuilder::new("whole");
    let z = graph.input("z", &[Axis::Fixed(DIM)]);
    let z = reshape(&mut graph, &z, &[1, 8]);
    let w = mapping(&mut graph, &z);
    let image = synthesis(&mut graph, &[w.clone(), w.clone(), w], 3);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    assert_same(&imported_faces(&import_one(&graph.finish())), &plain_faces());
}

#[test]
fn a_graph_that_was_traced_with_one_image_runs_one_at_a_time() {
    let frozen = |graph: &mut GraphBuilder, image: Value| {
        let size = i64::try_from(SIZE).unwrap();
        reshape(graph, &image, &[1, 3, size, size])
    };
    assert_same(&imported_faces(&import_one(&whole(same, frozen))), &plain_faces());
}

#[test]
fn what_cannot_be_taken_over_is_named() {
    let mut graph = GraphBuilder::new("classifier");
    let picture = graph.input("pixels", &axes(&[3, SIZE, SIZE]));
    let mean = faceplane::graph::operators::reduce_mean(&mut graph, &picture, &[1, 2, 3]);
    graph.output("scores", &mean, &axes(&[1, 1, 1]));
    let classifier = graph.finish();
    let error = import(&[file("c.onnx", &classifier)]).unwrap_err().to_string();
    assert!(
        error.starts_with("c.onnx: found 0 networks that make images"),
        "{error}"
    );
    let beside = import(&[file("c.onnx", &classifier), file("g.onnx", &plain())]).unwrap();
    assert!(
        beside.architecture.contains("c.onnx left out"),
        "{}",
        beside.architecture
    );
    let mut graph = GraphBuilder::new("odd");
    let z = graph.input("z", &axes(&[DIM]));
    let speed = graph.input("speed", &[]);
    let z = mul(&mut graph, &z, &speed);
    let image = synthesis(&mut graph, &[z.clone(), z.clone(), z], 3);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let error = import(&[file("odd.onnx", &graph.finish())])
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"speed\""), "{error}");
}

#[test]
fn the_command_imports_a_folder_of_onnx_files_with_weights_beside_them() {
    let mut graph = GraphBuilder::new("synthesis");
    let w = graph.input("w", &axes(&[LAYERS, DIM]));
    let rows = rows(&mut graph, &w);
    let image = synthesis(&mut graph, &rows, 3);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let (second, weights) = super::with_external_weights(graph.finish(), "weights.bin");
    let mut graph = GraphBuilder::new("mapping");
    let z = graph.input("z", &axes(&[DIM]));
    let w = mapping(&mut graph, &z);
    graph.output("w", &w, &axes(&[DIM]));
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("g.onnx", second),
        ("weights.bin", weights),
        ("f.onnx", graph.finish().to_bytes()),
    ];
    std::fs::create_dir(folder.path().join("export")).unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join("export").join(name), content).unwrap();
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_faceplane"))
        .arg("import")
        .arg(folder.path().join("export"))
        .args(["--name", "tiny", "--output"])
        .arg(folder.path().join("tiny"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("ONNX") && printed.contains("3 layers"),
        "{printed}"
    );
    // The manifest has the average w, but the default psi is 1.
    assert_same(
        &super::served::faces(&folder.path().join("tiny")).unwrap(),
        &plain_faces(),
    );
}
