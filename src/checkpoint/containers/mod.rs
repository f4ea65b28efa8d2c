//! The formats of files that hold tensors.

mod legacy;
mod numpy;
mod plain_pickle;
mod recognition;
mod safetensors;
mod torch_zip;

pub(super) use recognition::read;
