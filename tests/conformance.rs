//! What every model must do, checked on the tests' small generator and on both models in ONNX.

use faceplane::editor::{self, FaceSource, Model, SampleRequest, TruncationChoice};
use faceplane::latent::LatentSpace;

use crate::support::{Sketch, load, model_of, phantom, portraits};

async fn conforms(model: &Model) {
    let shape = model.shape().clone();
    let sample = async |sources: Vec<FaceSource>, space| {
        let request = SampleRequest {
            sources,
            space,
            truncation: TruncationChoice::default(),
            with_scores: true,
        };
        editor::sample(model, &request).await.unwrap().faces
    };
    let seeds = |count: usize| (1..).map(FaceSource::Seed).take(count).collect::<Vec<_>>();

    // More faces than one run holds come in order. Each differs from the same face in a run of its own by at most one level,
    // in at most one byte of a thousand.
    let count = 2 * shape.largest_batch + 1;
    let many = sample(seeds(count), None).await;
    assert_eq!(many.len(), count);
    for index in [0, shape.largest_batch, count - 1] {
        let alone = &sample(vec![many[index].seed.map(FaceSource::Seed).unwrap()], None).await[0];
        assert_eq!(alone.code, many[index].code);
        assert_eq!(
            (alone.picture.width(), alone.picture.height()),
            (shape.width, shape.height)
        );
        let pairs = alone.picture.rgb().iter().zip(many[index].picture.rgb());
        assert!(pairs.clone().all(|(a, b)| a.abs_diff(*b) <= 1));
        assert!(pairs.filter(|(a, b)| a != b).count() * 1000 <= alone.picture.rgb().len());
    }

    // A face is the same in every space of its code, and its code gives the same image again.
    for (space, code_shape) in shape.spaces() {
        let face = &sample(seeds(1), Some(space)).await[0];
        assert_eq!((face.code.space(), face.code.values().dim()), (space, code_shape));
        let pairs = face.picture.rgb().iter().zip(many[0].picture.rgb());
        assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1), "{space}");
        let again = &sample(vec![FaceSource::Latent(face.code.clone())], None).await[0];
        assert_eq!(again.picture, face.picture, "{space}");
    }

    // There is a finite score for each output, and a finite distance for each boundary in w.
    let face = &many[0];
    let mut outputs: Vec<&str> = model.outputs().iter().map(|output| &*output.attribute).collect();
    outputs.sort_unstable();
    assert_eq!(
        face.scores.keys().map(String::as_str).collect::<Vec<_>>(),
        outputs
    );
    assert!(face.scores.values().all(|score| score.is_finite()));
    assert!(face.distances.values().all(|distance| distance.is_finite()));
    let mut in_w = model
        .boundaries()
        .iter()
        .filter(|boundary| boundary.space() == LatentSpace::W);
    assert!(in_w.all(|boundary| face.distances.contains_key(boundary.attribute())));
}

#[tokio::test]
async fn the_small_generator_of_the_tests_conforms() {
    conforms(&model_of(Sketch::new(), 64)).await;
}

#[tokio::test]
async fn portraits_conforms() {
    conforms(&load(&portraits()).unwrap()).await;
}

#[tokio::test]
async fn the_bundled_phantom_conforms() {
    conforms(&phantom().default_model()).await;
}
