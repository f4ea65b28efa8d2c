//! Shapes of products of matrices.

use crate::graph::shapes::inputs::Inputs;
use crate::graph::shapes::{Length, Tensor, broadcast};

pub(crate) fn rule(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    let shape = match inputs.node.op_type.as_str() {
        "MatMul" => matmul(inputs.shape(0)?, inputs.shape(1)?)?,
        "Gemm" => gemm(inputs)?,
        _ => return None,
    };
    Some(vec![Tensor::new(inputs.element()?, shape)])
}

fn matmul(one: &[Length], other: &[Length]) -> Option<Vec<Length>> {
    let left = if one.len() == 1 {
        [&[Length::ONE], one].concat()
    } else {
        one.to_vec()
    };
    let right = if other.len() == 1 {
        [other, &[Length::ONE]].concat()
    } else {
        other.to_vec()
    };
    let ([batch @ .., rows, inner], [others @ .., depth, columns]) = (left.as_slice(), right.as_slice())
    else {
        return None;
    };
    if inner != depth {
        return None;
    }
    let mut shape = broadcast(batch, others)?;
    if one.len() > 1 {
        shape.push(*rows);
    }
    if other.len() > 1 {
        shape.push(*columns);
    }
    Some(shape)
}

fn gemm(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let (&[mut rows, mut inner], &[mut depth, mut columns]) = (inputs.shape(0)?, inputs.shape(1)?) else {
        return None;
    };
    if inputs.node.integer("transA") == Some(1) {
        (rows, inner) = (inner, rows);
    }
    if inputs.node.integer("transB") == Some(1) {
        (depth, columns) = (columns, depth);
    }
    (inner == depth).then_some(vec![rows, columns])
}
