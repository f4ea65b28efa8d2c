//! Arrays in the files that people have: NumPy's `.npy` and `.npz`, PyTorch's `.pt`, safetensors.

use std::rc::Rc;

use crate::catalog::{ArrayError, NpyArray};
use crate::checkpoint::{self, Fault, StoredTensor};

/// Bytes of a compressed entry besides its numbers, such as the header of an array.
const HEADER: usize = 1 << 16;

/// The most arrays that an error names.
const MOST_NAMED: usize = 5;

/// Reads the one array of a file of any of these formats. It may have `most` numbers. Nothing in the file is executed.
///
/// # Errors
/// [`ArrayError`], also if the file has several arrays.
pub fn read_array(file: &[u8], most: usize) -> Result<NpyArray, ArrayError> {
    if NpyArray::is_npy(file) {
        return Ok(NpyArray::read(file)?);
    }
    let stored = stored_arrays(file, most)?;
    let [(_, tensor)] = &stored[..] else {
        let places = stored.iter().take(MOST_NAMED).map(|(place, _)| place.as_str());
        let more = (stored.len() > MOST_NAMED).then_some("…");
        let names: Vec<_> = places.chain(more).collect();
        return Err(ArrayError::Several {
            count: stored.len(),
            names: names.join(", "),
        });
    };
    array(tensor, most)
}

/// Reads all arrays of a file by their place in it: the key in a dictionary or an archive, the position in a list. The place is empty
/// if the file is one array. Each may have `most` numbers.
///
/// # Errors
/// [`ArrayError`], also if the file has no array.
pub(crate) fn read_arrays(file: &[u8], most: usize) -> Result<Vec<(String, NpyArray)>, ArrayError> {
    if NpyArray::is_npy(file) {
        return Ok(vec![(String::new(), NpyArray::read(file)?)]);
    }
    let stored = stored_arrays(file, most)?;
    let arrays = stored
        .into_iter()
        .map(|(place, tensor)| Ok((place, array(&tensor, most)?)));
    arrays.collect()
}

fn stored_arrays(file: &[u8], most: usize) -> Result<Vec<(String, Rc<StoredTensor>)>, ArrayError> {
    let most_decompressed = (size_of::<f64>() * most + HEADER) as u64;
    let stored = checkpoint::read_arrays(file.to_vec(), "", most_decompressed);
    let stored = stored.map_err(|error| match error.fault {
        Fault::Foreign { found } => ArrayError::Foreign { found },
        fault => ArrayError::File(fault),
    })?;
    if stored.is_empty() {
        return Err(ArrayError::Missing);
    }
    Ok(stored)
}

fn array(tensor: &StoredTensor, most: usize) -> Result<NpyArray, ArrayError> {
    let shape = tensor.shape().to_vec();
    let numbers = |numbers: usize, &axis: &usize| numbers.checked_mul(axis);
    if shape.iter().try_fold(1, numbers).is_none_or(|count| count > most) {
        return Err(ArrayError::TooLarge { shape, most });
    }
    let values = tensor.read().map_err(|error| ArrayError::File(error.fault))?;
    Ok(NpyArray {
        shape,
        values: values.iter().copied().map(f64::from).collect(),
    })
}
