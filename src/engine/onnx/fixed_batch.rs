//! Runs of a graph that takes a fixed number of images: a batch is cut into runs of that size, and the last one is filled up.

use ndarray::{ArrayD, ArrayViewD, Axis, Slice, concatenate};

use crate::engine::EngineError;

/// Runs a graph of a fixed `batch` on inputs with any number of rows, at least one. The outputs have one row for each.
pub(crate) fn run_in_fixed_batches(
    inputs: &[ArrayViewD<'_, f32>],
    batch: usize,
    mut run: impl FnMut(&[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError>,
) -> Result<Vec<ArrayD<f32>>, EngineError> {
    let rows = inputs[0].len_of(Axis(0));
    let mut parts = Vec::new();
    for first in (0..rows).step_by(batch) {
        let end = rows.min(first + batch);
        let filled: Vec<_> = inputs
            .iter()
            .map(|input| padded(input.slice_axis(Axis(0), Slice::from(first..end)), batch))
            .collect();
        let views: Vec<_> = filled.iter().map(|input| input.view()).collect();
        let outputs = run(&views)?;
        let used = |output: ArrayD<f32>| {
            let rows = output.len_of(Axis(0)).min(end - first);
            output.slice_axis(Axis(0), Slice::from(..rows)).to_owned()
        };
        parts.push(outputs.into_iter().map(used).collect());
    }
    Ok(joined(parts))
}

/// The outputs of several runs, each joined along the batch.
pub(crate) fn joined(mut parts: Vec<Vec<ArrayD<f32>>>) -> Vec<ArrayD<f32>> {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let join = |output: usize| {
        let parts: Vec<_> = parts.iter().map(|part| part[output].view()).collect();
        concatenate(Axis(0), &parts).expect("the parts of an output differ in the first axis only")
    };
    (0..parts[0].len()).map(join).collect()
}

/// The rows, with the last one repeated until there are `size`.
pub(crate) fn padded(rows: ArrayViewD<'_, f32>, size: usize) -> ArrayD<f32> {
    let count = rows.len_of(Axis(0));
    let last = rows.slice_axis(Axis(0), Slice::from(count - 1..));
    let mut all = vec![rows.view()];
    all.resize(1 + size - count, last);
    concatenate(Axis(0), &all).expect("rows of one array have one shape")
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis};

    use super::*;

    #[test]
    fn each_row_has_its_own_output_whatever_the_fixed_batch() {
        let rows = Array2::from_shape_fn((7, 2), |(row, column)| {
            [1.0, 10.0][column] * f32::from(u8::try_from(row).unwrap())
        });
        for batch in [1, 2, 3, 7, 8] {
            let outputs = run_in_fixed_batches(&[rows.view().into_dyn()], batch, |inputs| {
                assert_eq!(inputs[0].len_of(Axis(0)), batch);
                Ok(vec![inputs[0].mapv(|value| value + 1.0)])
            });
            assert_eq!(outputs.unwrap(), [(&rows + 1.0).into_dyn()], "batches of {batch}");
        }
    }
}
