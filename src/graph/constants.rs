//! The elements of constant tensors.

use half::{bf16, f16};
use ndarray::{ArrayD, IxDyn};

use crate::graph::proto::{DataType, TensorProto};
use crate::graph::shapes::{Length, Tensor};

/// Most integers of a constant that are known to shapes: shapes, axes and indices.
const MOST_INTEGERS: usize = 4096;
/// Most numbers of a constant that are known to shapes: scales.
const MOST_FLOATS: usize = 16;

impl TensorProto {
    /// The lengths of the axes. `None` if one is negative.
    #[must_use]
    pub fn lengths(&self) -> Option<Vec<usize>> {
        self.dims
            .iter()
            .map(|&length| usize::try_from(length).ok())
            .collect()
    }

    /// The elements of a tensor of floating-point numbers, as f32. `None` for another type, or if they are not in this message.
    #[must_use]
    pub fn floats(&self) -> Option<ArrayD<f32>> {
        let shape = IxDyn(&self.lengths()?);
        let raw = &self.raw_data;
        let halves = || {
            if raw.is_empty() {
                self.int32_data
                    .iter()
                    .map(|&bits| u16::try_from(bits & 0xffff).unwrap_or(0))
                    .collect()
            } else {
                elements(raw, u16::from_le_bytes)
            }
        };
        let values: Vec<f32> = match DataType::try_from(self.data_type).ok()? {
            DataType::Float if raw.is_empty() => self.float_data.clone(),
            DataType::Float => elements(raw, f32::from_le_bytes),
            DataType::Float16 => halves()
                .into_iter()
                .map(|bits| f16::from_bits(bits).to_f32())
                .collect(),
            DataType::Bfloat16 => halves()
                .into_iter()
                .map(|bits| bf16::from_bits(bits).to_f32())
                .collect(),
            DataType::Double if raw.is_empty() => self.double_data.iter().copied().map(single).collect(),
            DataType::Double => elements(raw, f64::from_le_bytes)
                .into_iter()
                .map(single)
                .collect(),
            _ => return None,
        };
        ArrayD::from_shape_vec(shape, values).ok()
    }

    /// The elements of a tensor of integers. `None` for another type, or if they are not in this message.
    #[must_use]
    pub fn whole_numbers(&self) -> Option<Vec<i64>> {
        let raw = &self.raw_data;
        Some(match DataType::try_from(self.data_type).ok()? {
            DataType::Int64 if raw.is_empty() => self.int64_data.clone(),
            DataType::Int64 => elements(raw, i64::from_le_bytes),
            DataType::Int32 if raw.is_empty() => self.int32_data.iter().copied().map(i64::from).collect(),
            DataType::Int32 => elements(raw, i32::from_le_bytes)
                .into_iter()
                .map(i64::from)
                .collect(),
            _ => return None,
        })
    }

    /// The type of the tensor, with its elements where they may be part of a shape. `None` for an unknown type.
    #[must_use]
    pub fn tensor(&self) -> Option<Tensor> {
        let count = self.lengths()?.into_iter().try_fold(1, usize::checked_mul)?;
        let shape = self.dims.iter().map(|&length| Length::fixed(length)).collect();
        let integers = Some(count)
            .filter(|&count| count <= MOST_INTEGERS)
            .and_then(|_| self.whole_numbers())
            .filter(|numbers| numbers.len() == count);
        let floats = (count <= MOST_FLOATS).then(|| self.floats()).flatten();
        Some(Tensor {
            integers: integers.map(|numbers| numbers.into_iter().map(Length::fixed).collect()),
            floats: floats.map(|floats| floats.iter().copied().collect()),
            ..Tensor::new(DataType::try_from(self.data_type).ok()?, shape)
        })
    }
}

fn elements<const SIZE: usize, T>(bytes: &[u8], read: fn([u8; SIZE]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().copied().map(read).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "float32 is what is wanted")]
fn single(value: f64) -> f32 {
    value as f32
}
