//! The formats of files that hold tensors.

mod legacy;
mod plain_pickle;
mod recognition;
mod torch_zip;

pub(super) use recognition::read;
