//! A function for each ONNX operator that built graphs use, with the operator's name in snake case.

mod activation;
mod arithmetic;
mod convolution;
mod normalization;
mod pooling;
mod shape;

pub use activation::{prelu, relu, sigmoid, sin};
pub use arithmetic::{
    add, clip, div, gemm, leaky_relu, matmul, mul, reciprocal, reduce_mean, reduce_sum, sqrt, sub,
};
pub use convolution::{Convolution, conv, conv_transpose};
pub use normalization::{batch_normalization, instance_normalization};
pub use pooling::average_pool;
pub use shape::{concat, depth_to_space, reshape, resize, slice, unsqueeze};
