//! Encoders and identity networks: codes and embeddings equal those of the original.

use faceplane::importing::{Encoder, Generator, Imported};
use ndarray::{ArrayD, Axis, Slice};

use crate::importing::fixture::{Fixture, TOLERANCE};
use crate::onnx_session::{OnnxSession, assert_close};

#[test]
fn an_e4e_checkpoint_gives_the_codes_of_the_original() {
    let Some((fixture, encoder, _)) = e4e() else {
        return;
    };
    assert_eq!((encoder.architecture.as_str(), encoder.size), ("e4e", 256));
    let images = images(&fixture);
    let codes = fixture.expected("codes");
    let average = encoder.latent_avg.unwrap().into_dyn();
    assert_close(
        "latent_avg",
        (&codes + &average).view(),
        fixture.expected("wplus").view(),
        1e-6,
    );
    let mut session = OnnxSession::open(&encoder.graph);
    let found = session.output("w", &[("image", images.view())]);
    assert_close("codes", found.view(), codes.view(), TOLERANCE);
    let base = fixture.expected("codes_w_only");
    let base = base.index_axis(Axis(1), 0);
    assert_close("base", found.index_axis(Axis(1), 0), base, TOLERANCE);
    for batch in [Slice::from(0..1), Slice::from(1..2)] {
        let found = session.output("w", &[("image", images.slice_axis(Axis(0), batch))]);
        assert_close(
            "one code",
            found.view(),
            codes.slice_axis(Axis(0), batch),
            TOLERANCE,
        );
    }
    let four = ndarray::concatenate(Axis(0), &[images.view(), images.view()]).unwrap();
    let found = session.output("w", &[("image", four.view())]);
    let twice = ndarray::concatenate(Axis(0), &[codes.view(), codes.view()]).unwrap();
    assert_close("four codes", found.view(), twice.view(), TOLERANCE);
}

#[test]
fn the_decoder_of_an_e4e_checkpoint_gives_the_images_of_the_original() {
    let Some((fixture, _, decoder)) = e4e() else {
        return;
    };
    let codes = fixture.expected("wplus");
    let image = OnnxSession::open(&decoder.synthesis).output("image", &[("w", codes.view())]);
    assert_close("image", image.view(), fixture.expected("image").view(), TOLERANCE);
    assert_eq!((decoder.layers, decoder.resolution), (8, 32));
    assert!(decoder.w_avg.is_some());
}

#[test]
fn an_iresnet_gives_the_embeddings_of_the_original() {
    let Some(fixture) = Fixture::open("arcface-iresnet18") else {
        return;
    };
    let Imported::Recognizer(recognizer) = fixture.import() else {
        panic!("no identity network")
    };
    assert_eq!(
        (recognizer.architecture.as_str(), recognizer.size),
        ("ArcFace iresnet18", 112)
    );
    let images = images(&fixture);
    let expected = fixture.expected("embedding");
    let mut session = OnnxSession::open(&recognizer.graph);
    for batch in [Slice::from(0..2), Slice::from(0..1), Slice::from(1..2)] {
        let found = session.output("embedding", &[("image", images.slice_axis(Axis(0), batch))]);
        assert_close(
            "embedding",
            found.view(),
            expected.slice_axis(Axis(0), batch),
            TOLERANCE,
        );
    }
}

fn e4e() -> Option<(Fixture, Encoder, Generator)> {
    let fixture = Fixture::open("e4e")?;
    let Imported::Encoder(encoder, Some(decoder)) = fixture.import() else {
        panic!("no encoder with its decoder")
    };
    Some((fixture, *encoder, *decoder))
}

/// The recorded images, with each pixel repeated 4 × 4, from −1 to 1.
fn images(fixture: &Fixture) -> ArrayD<f32> {
    let small = fixture.expected("input_u8") / 127.5 - 1.0;
    let (batch, colours, side) = (small.shape()[0], small.shape()[1], small.shape()[2]);
    ArrayD::from_shape_fn(vec![batch, colours, 4 * side, 4 * side], |at| {
        small[[at[0], at[1], at[2] / 4, at[3] / 4]]
    })
}
