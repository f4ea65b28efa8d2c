//! Batch work in this process: what the bits of a face depend on.

use std::sync::Arc;

use faceplane::api::BatchWords;
use faceplane::editor::{BatchFace, BatchRequest, FaceChunks, Model};
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use faceplane::latent::SeedRange;
use ndarray::{Array4, ArrayView3};

use crate::support::{StripeGenerator, model_of};

/// A request with the words of a URL.
fn request(words: &[(&str, &str)]) -> BatchRequest {
    let owned = |&(name, text): &(&str, &str)| (name.to_owned(), text.to_owned());
    let words: Vec<_> = words.iter().map(owned).collect();
    BatchRequest {
        faces: BatchWords::of_texts(&words, None).unwrap().faces().clone(),
        batch_size: 4,
        with_scores: true,
        with_images: false,
        keep: Vec::new(),
        keep_originals: Vec::new(),
        least_similarity: None,
    }
}

/// The faces that a batch keeps, in order.
async fn faces(model: Model, request: BatchRequest, seeds: &str) -> Vec<BatchFace> {
    let chunks = seeds.parse::<SeedRange>().unwrap().chunks();
    let mut chunks = FaceChunks::new(Arc::new(model), request, chunks, 1, |face| face)
        .await
        .unwrap();
    let mut found = Vec::new();
    while let Some(ended) = chunks.next().await {
        found.extend(ended.unwrap().1);
    }
    found.sort_by_key(|face| (face.seed, face.position));
    found
}

/// A generator whose images depend on all codes of their run, as the last bits of ONNX Runtime do.
struct MixingGenerator(StripeGenerator);

impl Generator for MixingGenerator {
    fn shape(&self) -> &GeneratorShape {
        self.0.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let of_run: f32 = codes.iter().sum();
        Ok(self.0.synthesize(codes)? + 0.01 * of_run)
    }
}

#[tokio::test]
async fn the_scores_of_a_seed_do_not_depend_on_the_other_seeds_of_the_batch() {
    let model = || model_of(MixingGenerator(StripeGenerator::new()), 64);
    for words in [
        &[][..],
        &[("edit", "smile:2"), ("edit", "age"), ("trajectory", "-1:1:3")],
    ] {
        let all = faces(model(), request(words), "0-511").await;
        let cut = faces(model(), request(words), "101-302").await;
        let expected: Vec<_> = all
            .iter()
            .filter(|face| (101..=302).contains(&face.seed))
            .collect();
        assert_eq!(cut.len(), 202 * if words.is_empty() { 1 } else { 3 });
        assert_eq!(cut.len(), expected.len());
        for (one, other) in cut.iter().zip(expected) {
            assert_eq!((one.seed, one.position), (other.seed, other.position));
            assert_eq!(one.code, other.code);
            assert_eq!(one.scores, other.scores, "{} {words:?}", one.seed);
        }
    }
}
