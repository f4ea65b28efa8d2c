//! The scores at a code and its place along boundaries, and their gradients in the code's space.

use ndarray::{Array2, Array3, ArrayView2, Axis, concatenate};

use crate::editor::EditorError;
use crate::editor::rendering::renderer::Renderer;
use crate::latent::{LatentCode, LatentSpace};

/// Values at a code, and the gradient of each: scores on their linear scale, and then places along normals.
#[derive(Clone)]
pub(crate) struct Slopes {
    pub(crate) values: Vec<f64>,
    pub(crate) gradients: Vec<Array2<f64>>,
}

/// The slopes at `code` of the scores in `columns`, and of n·x for each of the `normals` n, where x are the rows that synthesis takes.
///
/// # Errors
/// [`EditorError`] if a network fails.
pub(crate) async fn slopes(
    renderer: &mut Renderer<'_>,
    code: &LatentCode,
    columns: &[usize],
    normals: &[Array2<f32>],
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
    let place = |normal: &Array2<f32>| {
        let normal = normal
            .broadcast((rows, dim))
            .expect("a normal has one row or all");
        let pairs = normal.iter().zip(&input);
        pairs
            .map(|(&part, &value)| f64::from(part) * f64::from(value))
            .sum::<f64>()
    };
    let values = scores.chain(normals.iter().map(place)).collect();
    let of_normals = normals.iter().map(|normal| {
        normal
            .broadcast((1, rows, dim))
            .expect("a normal has one row or all")
    });
    let all: Vec<_> = std::iter::once(found.gradient.view()).chain(of_normals).collect();
    let gradient = concatenate(Axis(0), &all).expect("gradients of one code have one shape");
    let gradients = match code.space() {
        // Walks are in the other spaces.
        LatentSpace::WPlus | LatentSpace::S => gradient.outer_iter().map(widened).collect(),
        LatentSpace::Z if renderer.model().shape().has_mapping() => {
            let by_w = renderer.by_mapped_w(&gradient);
            let by_z = renderer.through_mapping(code, by_w).await?;
            by_z.axis_chunks_iter(Axis(0), 1).map(widened).collect()
        }
        LatentSpace::Z | LatentSpace::W => {
            let sums = gradient.outer_iter();
            sums.map(|rows| widened(rows.sum_axis(Axis(0)).insert_axis(Axis(0)).view()))
                .collect()
        }
    };
    Ok(Slopes { values, gradients })
}

fn widened(values: ArrayView2<'_, f32>) -> Array2<f64> {
    values.mapv(f64::from)
}
