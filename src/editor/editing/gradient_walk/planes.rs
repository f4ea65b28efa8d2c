//! The boundaries that a walk with conditions follows.

use ndarray::Array2;

use crate::editor::Model;
use crate::editor::editing::score_search::scored_attribute::ScoredAttribute;
use crate::latent::LatentSpace;

/// The normals of the attributes' boundaries, as far as the model has them, for the rows that synthesis takes.
///
/// A gradient is that of the classifier at one code, with all that misleads it there. A normal is that of the attribute on average.
#[derive(Clone, Default)]
pub(crate) struct Planes {
    /// The normal of the edited attribute's boundary, if there is one, and then those of the held ones.
    pub(crate) normals: Vec<Array2<f32>>,
    /// Whether the first normal is the edited attribute's.
    pub(crate) has_edited: bool,
}

impl Planes {
    /// The planes of `attributes`, the edited one first, for a code in `space`. None without held attributes: there the gradient itself
    /// is asked for.
    #[expect(clippy::cast_possible_truncation, reason = "networks compute in f32")]
    pub(crate) fn new(model: &Model, attributes: &[ScoredAttribute], space: LatentSpace) -> Self {
        if attributes.len() < 2 {
            return Self::default();
        }
        let space = match space {
            LatentSpace::WPlus => space,
            _ => model.shape().synthesis_space(),
        };
        let normals = attributes.iter().map(|one| {
            let boundaries = model.boundaries().of_attributes(&[&one.attribute], space);
            Some(boundaries.ok()?.first()?.normal().mapv(|part| part as f32))
        });
        let normals: Vec<Option<Array2<f32>>> = normals.collect();
        Self {
            has_edited: normals[0].is_some(),
            normals: normals.into_iter().flatten().collect(),
        }
    }
}
