//! A function for each ONNX operator that built graphs use, with the operator's name in snake case.

mod arithmetic;
mod convolution;
mod normalization;
mod shape;

pub use arithmetic::{
    add, clip, div, gemm, leaky_relu, matmul, mul, reciprocal, reduce_mean, reduce_sum, reduce_sum_square,
    sqrt, sub,
};
pub use convolution::{Convolution, conv, conv_transpose};
pub use normalization::instance_normalization;
pub use shape::{concat, reshape, slice, unsqueeze};
