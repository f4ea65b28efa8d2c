//! The scores at a code, and their gradients in the code's space.

use ndarray::{Array2, Array3, ArrayView2, Axis};

use crate::editor::EditorError;
use crate::editor::rendering::renderer::Renderer;
use crate::latent::{LatentCode, LatentSpace};

/// Scores at a code, on their linear scale, and the gradient of each.
#[derive(Clone)]
pub(crate) struct Slopes {
    pub(crate) scores: Vec<f64>,
    pub(crate) gradients: Vec<Array2<f64>>,
}

/// The slopes of the scores in `columns` at `code`.
///
/// # Errors
/// [`EditorError`] if a network fails.
pub(crate) async fn slopes(
    renderer: &mut Renderer<'_>,
    code: &LatentCode,
    columns: &[usize],
) -> Result<Slopes, EditorError> {
    let input = renderer.synthesis_rows(std::slice::from_ref(code)).await?;
    let (_, rows, dim) = input.dim();
    let repeated = input.broadcast((columns.len(), rows, dim));
    let codes: Array3<f32> = repeated.expect("one code can be repeated").to_owned();
    let outputs = renderer.model().outputs().len();
    let weights = Array2::from_shape_fn((columns.len(), outputs), |(row, output)| {
        f32::from(u8::from(columns[row] == output))
    });
    let found = renderer.admission.score_gradients(&codes, &weights).await?;
    let scores = columns.iter().map(|&column| f64::from(found.scores[[0, column]]));
    let gradients = match code.space() {
        // Walks are in the other spaces.
        LatentSpace::WPlus | LatentSpace::S => found.gradient.outer_iter().map(widened).collect(),
        LatentSpace::Z if renderer.model().shape().has_mapping() => {
            let by_w = renderer.by_mapped_w(&found.gradient);
            let by_z = renderer.through_mapping(code, by_w).await?;
            by_z.axis_chunks_iter(Axis(0), 1).map(widened).collect()
        }
        LatentSpace::Z | LatentSpace::W => {
            let sums = found.gradient.outer_iter();
            sums.map(|rows| widened(rows.sum_axis(Axis(0)).insert_axis(Axis(0)).view()))
                .collect()
        }
    };
    Ok(Slopes {
        scores: scores.collect(),
        gradients,
    })
}

fn widened(values: ArrayView2<'_, f32>) -> Array2<f64> {
    values.mapv(f64::from)
}
