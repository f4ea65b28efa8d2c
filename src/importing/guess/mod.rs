//! Guesses what an ONNX network is from its graph, and writes its entry for a manifest.
//!
//! Names and shapes say much: a classifier with 18 outputs of 224×224 pixels is `FairFace`'s, an embedding of 512 numbers from
//! 112×112 pixels is of the `ArcFace` kind. What they cannot say (the range of the pixels, the meaning of columns) is a guess that a
//! comment names; `faceplane check` shows whether it is right.

mod interface;
mod scores;

use std::fmt::Write as _;

use crate::graph::Model;
use crate::graph::proto::DataType;
use interface::{ImageAxes, Interface, Output};
use scores::guess_scores;

/// A table of a manifest for a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// What the network was taken for.
    pub kind: GuessedKind,
    /// The table, as TOML with comments.
    pub entry: String,
}

/// What a network that takes images can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessedKind {
    /// Image → scores.
    Classifier,
    /// Image → code.
    Encoder,
    /// Image → landmarks.
    Landmarks,
    /// Image → embedding.
    Identity,
}

/// Points of a landmark graph's output: how many, how many coordinates each has, and the five for a manifest.
const POINTS: [(usize, usize, Option<&str>); 5] = [
    (5, 2, None),
    (68, 2, None),
    // WFLW: pupils, tip of the nose, corners of the mouth.
    (98, 2, Some("[96, 97, 54, 76, 82]")),
    // MediaPipe's mesh without and with irises: the corners of each eye, tip of the nose, corners of the mouth.
    (468, 3, Some("[[33, 133], [362, 263], 1, 61, 291]")),
    (478, 3, Some("[[33, 133], [362, 263], 1, 61, 291]")),
];

/// Guesses what the network in `file` is. `None` if it does not take images, or has no output of a fixed size.
#[must_use]
pub fn guess(model: &Model, file: &str) -> Option<Guess> {
    let interface = Interface::read(model)?;
    let input = &interface.input;
    let (kind, output) = kind(&interface);
    let table = match kind {
        GuessedKind::Classifier => "[[classifiers]]",
        GuessedKind::Encoder => "[encoder]",
        GuessedKind::Landmarks => "[landmarks]",
        GuessedKind::Identity => "[identity]",
    };
    let mut entry = format!(
        "# Guessed from the graph, with the input {} of {}. See what it says of faces with `faceplane check`.\n\
         {table}\nfile = {file:?}\n{}",
        input.shape,
        format!("{:?}", input.element).to_lowercase(),
        input_keys(kind, input),
    );
    if kind != GuessedKind::Classifier && interface.outputs.len() > 1 {
        let _ = writeln!(entry, "output = {:?}", output.name);
    }
    match kind {
        GuessedKind::Classifier => {
            let scores = guess_scores(&interface);
            let _ = write!(
                entry,
                "# Taken for {}.\noutputs = [\n{}]\n",
                scores.comment,
                scores.entries.concat()
            );
        }
        GuessedKind::Encoder => {
            let space = if output.axes.len() == 2 { "w+" } else { "w" };
            let _ = write!(
                entry,
                "space = \"{space}\"\nadds_w_avg = true    # false if its codes are offsets from w_avg\n"
            );
        }
        GuessedKind::Landmarks => entry.push_str(&landmark_keys(output)),
        GuessedKind::Identity => {}
    }
    Some(Guess { kind, entry })
}

/// What the network is, and the output that shows it.
fn kind(interface: &Interface) -> (GuessedKind, &Output) {
    let outputs = &interface.outputs;
    let find = |is: &dyn Fn(&Output) -> bool| outputs.iter().find(|output| is(output));
    let named = |output: &Output, names: &[&str]| {
        let name = output.name.to_lowercase();
        names.iter().any(|part| name.contains(part))
    };
    if let Some(output) = find(&|output| points(output).is_some()) {
        return (GuessedKind::Landmarks, output);
    }
    let is_code = |output: &Output| {
        matches!(output.axes[..], [layers, dim] if layers >= 2 && dim >= 64)
            || named(output, &["latent", "code"]) && output.values() >= 64
    };
    if let Some(output) = find(&is_code) {
        return (GuessedKind::Encoder, output);
    }
    let is_embedding = |output: &Output| matches!(output.values(), 128 | 256 | 512 | 1024 | 2048);
    if let Some(output) =
        find(&is_embedding).filter(|output| outputs.len() == 1 || named(output, &["embed", "feat"]))
    {
        return (GuessedKind::Identity, output);
    }
    (GuessedKind::Classifier, &outputs[0])
}

/// How many points an output has, how many coordinates each, and the five for a manifest.
fn points(output: &Output) -> Option<(usize, usize, Option<&'static str>)> {
    let fits = |(points, coordinates, _): &(usize, usize, _)| output.values() == points * coordinates;
    let found = POINTS.into_iter().find(fits)?;
    // Ten scores would have the size of five points.
    let is_sure = found.0 != 5 || output.axes == [5, 2] || output.name.to_lowercase().contains("landmark");
    is_sure.then_some(found)
}

fn landmark_keys(output: &Output) -> String {
    let mut keys = String::new();
    if let Some((_, coordinates, five)) = points(output) {
        if coordinates == 3 {
            keys.push_str("coordinates = \"xyz\"\nunit = \"pixels\"      # of the network's input; \"fraction\" for 0 to 1\n");
        }
        if let Some(five) = five {
            let _ = writeln!(keys, "points = {five}    # eyes, nose, corners of the mouth");
        }
    }
    keys
}

/// The keys of the input, each with a reason.
fn input_keys(kind: GuessedKind, input: &ImageAxes) -> String {
    let mut keys = String::new();
    if input.size.is_none() {
        keys.push_str(
            "# The graph leaves the size open; without `size`, it gets the generator's images as they are.\n",
        );
    }
    if input.channels == 1 {
        keys.push_str("channels = \"gray\"\n");
    } else {
        keys.push_str("channels = \"rgb\"      # \"bgr\" for networks trained with OpenCV's order\n");
    }
    if input.is_nhwc {
        keys.push_str("layout = \"nhwc\"\n");
    }
    keys.push_str(&range_keys(kind, input));
    keys
}

/// The range of the pixels: what networks of this kind and size usually take.
fn range_keys(kind: GuessedKind, input: &ImageAxes) -> String {
    let range = |range: &str, reason: &str| format!("image_range = {range}    # {reason}\n");
    let side = input.size.map(|[height, _]| height);
    match (kind, side) {
        _ if input.element == DataType::Uint8 => range("[0, 255]", "bytes"),
        _ if input.is_normalized => range("[0, 255]", "the graph begins with its own normalization of bytes"),
        (GuessedKind::Landmarks, _) if input.is_nhwc => range("[0, 1]", "as MediaPipe's networks take it"),
        (GuessedKind::Classifier, Some(64)) if input.channels == 1 => range("[0, 255]", "as FER+ takes it"),
        (GuessedKind::Classifier, Some(96)) => range("[0, 255]", "as InsightFace's genderage takes it"),
        (GuessedKind::Classifier, _) if input.channels == 1 => range("[0, 1]", "a guess"),
        (GuessedKind::Classifier, Some(200..=400)) => {
            "# Mean and standard deviation of ImageNet, of the range 0 to 1.\n\
             mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n"
                .to_owned()
        }
        (GuessedKind::Classifier, _) if input.is_nhwc => range("[0, 1]", "a guess"),
        _ => range("[-1, 1]", "a guess; [0, 1] and [0, 255] are usual too"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Channels, Manifest};
    use crate::graph::{Axis, GraphBuilder, integer};

    /// A graph with these axes after the batch, and a softmax at the end of the outputs if `ends`.
    fn network(input: &[usize], outputs: &[(&str, &[usize])], ends: bool) -> Model {
        let axes = |lengths: &[usize]| {
            let rest = lengths.iter().map(|&length| Axis::Fixed(length));
            [Axis::batch()].into_iter().chain(rest).collect::<Vec<_>>()
        };
        let mut graph = GraphBuilder::new("network");
        let image = graph.input("image", &axes(input));
        let flat = graph.node("Flatten", &[&image], vec![integer("axis", 1)]);
        for (name, lengths) in outputs {
            let operator = if ends { "Softmax" } else { "Relu" };
            let value = graph.node(operator, &[&flat], vec![]);
            graph.output(name, &value, &axes(lengths));
        }
        graph.finish()
    }

    /// The guess, with the manifest that it makes.
    fn guessed(input: &[usize], outputs: &[(&str, &[usize])], ends: bool) -> (GuessedKind, Manifest) {
        let guess = guess(&network(input, outputs, ends), "network.onnx").unwrap();
        let text = format!(
            "name = \"tiny\"\n[generator]\nmapping = \"m.onnx\"\nsynthesis = \"g.onnx\"\n{}",
            guess.entry
        );
        (
            guess.kind,
            Manifest::parse(&text, "manifest.toml").unwrap_or_else(|error| panic!("{error}\n{text}")),
        )
    }

    #[test]
    fn public_networks_are_recognized_by_their_shapes() {
        let identity = guessed(&[3, 112, 112], &[("683", &[512])], false);
        assert_eq!(identity.0, GuessedKind::Identity);
        assert!(identity.1.identity.is_some());
        let encoder = guessed(&[3, 256, 256], &[("codes", &[18, 512])], false);
        assert_eq!(encoder.0, GuessedKind::Encoder);
        assert_eq!(encoder.1.encoder.unwrap().space.to_string(), "w+");
        let mesh = guessed(
            &[192, 192, 3],
            &[("conv2d_21", &[1, 1, 1404]), ("conv2d_31", &[1, 1, 1])],
            false,
        );
        assert_eq!(mesh.0, GuessedKind::Landmarks);
        let landmarks = mesh.1.landmarks.unwrap();
        assert_eq!(landmarks.points.unwrap().len(), 5);
        assert_eq!(landmarks.output.as_deref(), Some("conv2d_21"));
    }

    #[test]
    fn the_scores_of_public_classifiers_are_read_from_their_columns() {
        let attributes = |input: &[usize], outputs: &[(&str, &[usize])], ends: bool| {
            let (kind, manifest) = guessed(input, outputs, ends);
            assert_eq!(kind, GuessedKind::Classifier);
            let columns = |output: &crate::catalog::OutputEntry| (output.attribute.clone(), output.column);
            let [entry] = &manifest.classifiers[..] else {
                panic!("one table")
            };
            (
                entry.input.clone(),
                entry.outputs.iter().map(columns).collect::<Vec<_>>(),
            )
        };
        let named = |name: &str, column| (name.to_owned(), column);
        let (input, outputs) = attributes(&[3, 224, 224], &[("output", &[18])], false);
        assert_eq!(outputs, [named("gender", Some(7)), named("age", None)]);
        assert!(input.mean.is_some() && input.std.is_some());
        let (input, outputs) = attributes(&[1, 64, 64], &[("Plus692", &[8])], false);
        assert_eq!(
            (outputs, input.channels),
            (vec![named("smile", Some(1))], Channels::Gray)
        );
        assert_eq!(
            input.range().map(f32::to_bits),
            [0.0_f32, 255.0].map(f32::to_bits)
        );
        let (_, outputs) = attributes(
            &[3, 224, 224],
            &[("yaw", &[66]), ("pitch", &[66]), ("roll", &[66])],
            false,
        );
        assert_eq!(outputs, [named("pose", None)]);
        let (_, outputs) = attributes(&[3, 224, 224], &[("p", &[2])], true);
        assert_eq!(outputs, [named("attribute", Some(1))]);
        let (_, outputs) = attributes(&[3, 128, 128], &[("out", &[40])], false);
        assert_eq!(outputs.len(), 4);
        let (_, outputs) = attributes(&[3, 128, 128], &[("a", &[101]), ("Is Male", &[2])], false);
        assert_eq!(outputs, [named("age", None), named("ismale", Some(1))]);
    }

    #[test]
    fn a_graph_that_takes_no_images_is_not_guessed() {
        assert_eq!(
            guess(&network(&[512], &[("w", &[512])], false), "mapping.onnx"),
            None
        );
    }
}
