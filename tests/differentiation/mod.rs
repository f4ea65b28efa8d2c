//! Derived gradients, compared with central differences of the same graph in ONNX Runtime.

mod central;
mod images;
mod loss;
mod operators;
mod scores;
