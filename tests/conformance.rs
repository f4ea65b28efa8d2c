//! What every generator must do, and does: the small one of the tests, and those that come along in ONNX Runtime.

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

    // More faces than one run holds, in order, each as it is alone to one level.
    let count = 2 * shape.largest_batch + 1;
    let many = sample(seeds(count), None).await;
    assert_eq!(many.len(), count);
    for place in [0, shape.largest_batch, count - 1] {
        let alone = &sample(vec![many[place].seed.map(FaceSource::Seed).unwrap()], None).await[0];
        assert_eq!(alone.code, many[place].code);
        assert_eq!(
            (alone.picture.width(), alone.picture.height()),
            (shape.width, shape.height)
        );
        let pairs = alone.picture.rgb().iter().zip(many[place].picture.rgb());
        assert!(pairs.clone().all(|(a, b)| a.abs_diff(*b) <= 1));
        assert!(pairs.filter(|(a, b)| a != b).count() * 1000 <= alone.picture.rgb().len());
    }

    // A face is the same whatever space its code is given in.
    for (space, code_shape) in shape.spaces() {
        let face = &sample(seeds(1), Some(space)).await[0];
        assert_eq!((face.code.space(), face.code.values().dim()), (space, code_shape));
        let pairs = face.picture.rgb().iter().zip(many[0].picture.rgb());
        assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1), "{space}");
        let again = &sample(vec![FaceSource::Latent(face.code.clone())], None).await[0];
        assert_eq!(again.picture, face.picture, "{space}");
    }

    // One score for each output, all finite; one distance for each attribute with a boundary.
    let face = &many[0];
    let mut outputs: Vec<&str> = model.outputs().iter().map(|output| &*output.attribute).collect();
    outputs.sort_unstable();
    assert_eq!(
        face.scores.keys().map(String::as_str).collect::<Vec<_>>(),
        outputs
    );
    assert!(face.scores.values().all(|score| score.is_finite()));
    assert!(face.distances.values().all(|distance| distance.is_finite()));
    let measured = model
        .boundaries()
        .iter()
        .filter(|boundary| boundary.space() == LatentSpace::W);
    assert!(
        measured
            .into_iter()
            .all(|boundary| face.distances.contains_key(boundary.attribute()))
    );
}

#[tokio::test]
async fn the_small_generator_conforms() {
    conforms(&model_of(Sketch::new(), 64)).await;
}

#[tokio::test]
async fn the_portraits_conform() {
    conforms(&load(&portraits()).unwrap()).await;
}

#[tokio::test]
async fn the_bundled_generator_conforms() {
    conforms(&phantom().default_model()).await;
}
