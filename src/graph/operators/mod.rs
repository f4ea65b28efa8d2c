//! A function for each ONNX operator that built graphs use, with the operator's name in snake case.

mod arithmetic;
mod convolution;
mod shape;

pub use arithmetic::{
    add, clip, div, leaky_relu, matmul, mul, reciprocal, reduce_mean, reduce_sum, sqrt, sub,
};
pub use convolution::{Convolution, conv, conv_transpose};
pub use shape::{concat, reshape, slice, unsqueeze};
