//! Properties of every model, checked on the small generator of the tests and on both ONNX models.

use faceplane::editor::{self, FaceSource, Model, SampleRequest, TruncationChoice};
use faceplane::latent::LatentSpace;

use crate::support::{StripeGenerator, load, model_of, phantom, portraits};

async fn check_conformance(model: &Model) {
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
    let faces = sample(seeds(count), None).await;
    assert_eq!(faces.len(), count);
    for index in [0, shape.largest_batch, count - 1] {
        let alone = &sample(vec![faces[index].seed.map(FaceSource::Seed).unwrap()], None).await[0];
        assert_eq!(alone.code, faces[index].code);
        assert_eq!(
            (alone.image.width(), alone.image.height()),
            (shape.width, shape.height)
        );
        let pairs = alone.image.rgb().iter().zip(faces[index].image.rgb());
        assert!(
            pairs.clone().all(|(a, b)| a.abs_diff(*b) <= 1),
            "face {index}: a byte differs by more than one level"
        );
        let different = pairs.filter(|(a, b)| a != b).count();
        assert!(
            different * 1000 <= alone.image.rgb().len(),
            "face {index}: {different} bytes differ"
        );
    }

    // A face is the same in every space of its code, and its code gives the same image again.
    for (space, code_shape) in shape.spaces() {
        let face = &sample(seeds(1), Some(space)).await[0];
        assert_eq!((face.code.space(), face.code.values().dim()), (space, code_shape));
        let pairs = face.image.rgb().iter().zip(faces[0].image.rgb());
        assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1), "{space}");
        let again = &sample(vec![FaceSource::Latent(face.code.clone())], None).await[0];
        assert_eq!(again.image, face.image, "{space}");
    }

    // There is a finite score for each output, and a finite distance for each boundary in w.
    let face = &faces[0];
    let mut outputs: Vec<&str> = model.outputs().iter().map(|output| &*output.attribute).collect();
    outputs.sort_unstable();
    assert_eq!(
        face.scores.keys().map(String::as_str).collect::<Vec<_>>(),
        outputs
    );
    assert!(!outputs.is_empty(), "the model has no classifier");
    assert!(
        face.scores.values().all(|score| score.is_finite()),
        "{:?}",
        face.scores
    );
    assert!(
        face.distances.values().all(|distance| distance.is_finite()),
        "{:?}",
        face.distances
    );
    let boundaries = model.boundaries();
    let in_w: Vec<&str> = boundaries
        .iter()
        .filter(|boundary| boundary.space() == LatentSpace::W)
        .map(|boundary| boundary.attribute())
        .collect();
    assert!(!in_w.is_empty(), "the model has no boundary in w");
    for attribute in in_w {
        assert!(
            face.distances.contains_key(attribute),
            "{attribute} has no distance"
        );
    }
}

#[tokio::test]
async fn the_small_generator_of_the_tests_conforms() {
    check_conformance(&model_of(StripeGenerator::new(), 64)).await;
}

#[tokio::test]
async fn portraits_conforms() {
    check_conformance(&load(&portraits()).unwrap()).await;
}

#[tokio::test]
async fn the_bundled_phantom_conforms() {
    check_conformance(&phantom().default_model()).await;
}
