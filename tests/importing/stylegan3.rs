//! StyleGAN3, T and R: codes and images equal those of the original.

use ndarray::{ArrayD, Axis, Slice};

use crate::importing::fixture::TOLERANCE;
use crate::importing::generator::check_generator;
use crate::onnx_session::{OnnxSession, assert_close};

#[test]
fn a_snapshot_of_stylegan3_t_gives_the_codes_and_images_of_the_original() {
    let Some((_, generator)) = check_generator("sg3-t") else {
        return;
    };
    assert_eq!(generator.architecture, "StyleGAN3, T");
    assert_eq!(generator.chosen, "G_ema");
    assert_eq!((generator.z_dim, generator.w_dim), (32, 24));
    assert_eq!((generator.layers, generator.resolution), (16, 32));
}

#[test]
fn a_snapshot_of_stylegan3_r_gives_the_codes_and_images_of_the_original() {
    let Some((_, generator)) = check_generator("sg3-r") else {
        return;
    };
    assert_eq!(generator.architecture, "StyleGAN3, R");
}

#[test]
fn stylegan3_takes_additions_to_a_style_and_to_a_feature_map() {
    let Some((fixture, generator)) = check_generator("sg3-t") else {
        return;
    };
    let codes = fixture.expected("wplus");
    let codes = codes.slice_axis(Axis(0), Slice::from(0..1)).to_owned();
    let mut session = OnnxSession::open(&generator.synthesis);
    let plain = session.output("image", &[("w", codes.view())]);
    let none = ArrayD::zeros(vec![1, 6, 32, 32]);
    let same = session.output("image", &[("w", codes.view()), ("feature_32", none.view())]);
    assert_close("no addition", same.view(), plain.view(), TOLERANCE);
    let style = ArrayD::ones(vec![1, 8]);
    for (input, addition) in [("style_0", style), ("feature_32", none + 1.0)] {
        let edited = session.output("image", &[("w", codes.view()), (input, addition.view())]);
        assert_ne!(edited, plain, "{input}");
    }
}
