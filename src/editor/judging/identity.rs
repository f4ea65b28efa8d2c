//! How similar two faces are as persons, by the embeddings of the model's identity graph.

use ndarray::{Array2, ArrayView1};

use crate::editor::Face;

/// The cosine of two embeddings: near 1 for the same person, around 0 for different ones. 0 if an embedding is all zeros.
pub(crate) fn similarity(one: ArrayView1<'_, f32>, other: ArrayView1<'_, f32>) -> f64 {
    let (one, other) = (one.mapv(f64::from), other.mapv(f64::from));
    let lengths = (one.dot(&one) * other.dot(&other)).sqrt();
    if lengths > 0.0 {
        (one.dot(&other) / lengths).clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

/// The similarity of each face to `before`; empty if they have no embeddings.
pub(crate) fn similarities(before: &Face, faces: &[Face]) -> Vec<f64> {
    let pair = |face: &Face| {
        let (one, other) = (before.embedding.as_ref()?, face.embedding.as_ref()?);
        Some(similarity(one.view(), other.view()))
    };
    faces.iter().filter_map(pair).collect()
}

/// The mean similarity of corresponding rows.
pub(crate) fn mean_similarity(before: &Array2<f32>, after: &Array2<f32>) -> f64 {
    let pairs = before.outer_iter().zip(after.outer_iter());
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), (one, other)| {
        (sum + similarity(one, other), count + 1.0)
    });
    sum / f64::max(count, 1.0)
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::*;

    #[test]
    fn similarity_is_the_cosine_and_does_not_depend_on_lengths() {
        let one = arr1(&[3.0, 4.0]);
        assert!((similarity(one.view(), arr1(&[30.0, 40.0]).view()) - 1.0).abs() < 1e-12);
        assert!((similarity(one.view(), arr1(&[4.0, 3.0]).view()) - 0.96).abs() < 1e-12);
        assert!(similarity(one.view(), arr1(&[0.0, 0.0]).view()).abs() < 1e-12);
        let (before, after) = (arr2(&[[1.0, 0.0], [0.0, 2.0]]), arr2(&[[1.0, 0.0], [5.0, 0.0]]));
        assert!((mean_similarity(&before, &after) - 0.5).abs() < 1e-12);
    }
}
