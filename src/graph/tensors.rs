//! Conversion between arrays and ONNX tensors.

use ndarray::{ArrayD, ArrayViewD};

use crate::graph::proto::{
    DataType, Dimension, DimensionValue, TensorProto, TensorShapeProto, TensorType, TypeProto, TypeValue,
    ValueInfoProto,
};

/// The length of an axis of a graph's input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axis {
    /// A fixed length.
    Fixed(usize),
    /// An open length, with its name.
    Open(String),
}

impl Axis {
    /// The open axis of a batch.
    #[must_use]
    pub fn batch() -> Self {
        Self::Open("batch".to_owned())
    }
}

/// The f32 tensor called `name`.
#[must_use]
pub fn float_tensor(name: &str, values: ArrayViewD<'_, f32>) -> TensorProto {
    let mut raw_data = Vec::with_capacity(4 * values.len());
    for value in &values {
        raw_data.extend_from_slice(&value.to_le_bytes());
    }
    TensorProto {
        name: name.to_owned(),
        dims: dims(values.shape()),
        data_type: DataType::Float.into(),
        raw_data,
        ..TensorProto::default()
    }
}

/// The i64 tensor called `name`, of one axis.
#[must_use]
pub fn integer_tensor(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims(&[values.len()]),
        data_type: DataType::Int64.into(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// The declaration of an f32 input or output.
#[must_use]
pub fn float_value(name: &str, axes: &[Axis]) -> ValueInfoProto {
    let dim = axes
        .iter()
        .map(|axis| Dimension {
            value: Some(match axis {
                Axis::Fixed(length) => DimensionValue::Length(signed(*length)),
                Axis::Open(name) => DimensionValue::Name(name.clone()),
            }),
            ..Dimension::default()
        })
        .collect();
    declared_value(name, DataType::Float, Some(TensorShapeProto { dim }))
}

/// The description of an f32 output of any shape.
#[must_use]
pub fn undeclared_value(name: &str) -> ValueInfoProto {
    declared_value(name, DataType::Float, None)
}

/// The description of a tensor of this type and shape.
pub(crate) fn declared_value(
    name: &str,
    element: DataType,
    shape: Option<TensorShapeProto>,
) -> ValueInfoProto {
    let tensor = TensorType {
        elem_type: element.into(),
        shape,
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(TypeValue::Tensor(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// The array of one value, without axes.
#[must_use]
pub fn scalar(value: f32) -> ArrayD<f32> {
    ArrayD::from_elem(ndarray::IxDyn(&[]), value)
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&length| signed(length)).collect()
}

/// A length as ONNX has it.
#[must_use]
pub fn signed(length: usize) -> i64 {
    i64::try_from(length).expect("an array has fewer than 2^63 elements")
}
