//! The styles of imported generators: the two parts of a synthesis graph draw what the whole graph draws.

use faceplane::graph::StyleLayers;
use faceplane::graph::edits::inputs;
use faceplane::importing::Imported;
use ndarray::{ArrayD, Axis, Slice};

use crate::importing::Fixture;
use crate::onnx_session::{OnnxSession, assert_close};

/// The largest difference between images, in a range of 2.
const SAME: f32 = 1e-4;

#[test]
fn every_imported_stylegan_draws_the_same_image_from_its_codes_and_from_their_styles() {
    for name in [
        "sg2ada-skip",
        "sg2ada-resnet",
        "rosinality-train",
        "tf-stylegan1",
        "tf-stylegan2",
        "sg3-t",
        "sg3-r",
    ] {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let Imported::Generator(generator) = fixture.import() else {
            panic!("{name} is no generator");
        };
        let w = fixture.expected("w").slice_axis_move(Axis(0), Slice::from(0..2));
        let shape = vec![2, generator.layers, generator.w_dim];
        let codes: ArrayD<f32> = w.insert_axis(Axis(1)).broadcast(shape).unwrap().to_owned();
        let layers = StyleLayers::find(&generator.synthesis, generator.w_dim).unwrap();
        assert!(layers.channels().len() > 4, "{name}: {:?}", layers.channels());
        let expected = OnnxSession::open(&generator.synthesis).output("image", &[("w", codes.view())]);
        let mapping = layers.code_to_styles(&generator.synthesis).unwrap();
        let output = mapping.graph().output[0].name.clone();
        let styles = OnnxSession::open(&mapping).output(&output, &[("w", codes.view())]);
        assert_eq!(styles.shape(), [2, layers.channels().iter().sum()], "{name}");
        let synthesis = layers.styles_to_image(generator.synthesis).unwrap();
        let input = inputs(&synthesis).swap_remove(0).name;
        let images = OnnxSession::open(&synthesis).output("image", &[(&input, styles.view())]);
        assert_close(name, images.view(), expected.view(), SAME);
    }
}
