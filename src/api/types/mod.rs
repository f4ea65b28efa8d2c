//! Types.

pub(crate) mod boundary_document;
pub(crate) mod edit_body;
pub(crate) mod edit_text;
pub(crate) mod invert_body;
pub(crate) mod invert_text;
pub(crate) mod picture_file;
pub(crate) mod values;
