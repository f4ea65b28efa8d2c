//! Files of the safetensors format: the length of a header, the header in JSON, and the elements.
//!
//! Format: <https://github.com/huggingface/safetensors#format>.

use std::rc::Rc;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::checkpoint::element::Element;
use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::object::Object;
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::{Storage, StoredTensor};

/// Most bytes of the header: 4 MiB. One with 2,000 tensors has 200 KB.
const LONGEST_HEADER: u64 = 4 << 20;

/// Bytes of the header's length.
const LENGTH: u64 = 8;

/// Whether a file begins like a safetensors file.
pub(super) fn is_safetensors(first: &[u8]) -> bool {
    first.split_first_chunk().is_some_and(|(&length, header)| {
        u64::from_le_bytes(length) < 1 << 40 && header.first() == Some(&b'{')
    })
}

/// The tensors in a file by their names.
pub(super) fn read(bytes: &StoredBytes, file: &Rc<str>) -> Result<Object, Fault> {
    let first = bytes.first(LENGTH)?;
    let (&length, _) = first.split_first_chunk().expect("recognised by its first bytes");
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(Fault::Limit {
            found: format!("a safetensors header of {length} bytes"),
            most: format!("{LONGEST_HEADER} bytes"),
        });
    }
    let truncated = |within: &str| Fault::Truncated {
        within: within.to_owned(),
    };
    let header = bytes
        .part(LENGTH, length)
        .ok_or_else(|| truncated("the header"))?;
    let metadata: Metadata = serde_json::from_slice(&header.read()?).map_err(|error| {
        Fault::malformed(
            format!(
                "a safetensors header that cannot be read ({})",
                shown(&error.to_string())
            ),
            "names, types, shapes and places of tensors",
        )
    })?;
    let start = LENGTH + length;
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let info = metadata.info(&name).expect("a name of the header");
        let (begin, end) = info.data_offsets;
        let part = bytes.part(start + begin as u64, (end - begin) as u64);
        let part = part.ok_or_else(|| truncated(&format!("the tensor {}", shown(&name))))?;
        let tensor = tensor(info, part, file)?;
        tensors.push((Object::Text(name.into()), Object::Tensor(Rc::new(tensor))));
    }
    Ok(Object::Dict(Rc::new(tensors)))
}

fn tensor(info: &TensorInfo, bytes: StoredBytes, file: &Rc<str>) -> Result<StoredTensor, Fault> {
    let element = match info.dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U64 => Element::U64,
        Dtype::U32 => Element::U32,
        Dtype::U16 => Element::U16,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::Bool,
        other => {
            return Err(Fault::TensorKind {
                kind: format!("a tensor of the type {other:?}"),
            });
        }
    };
    let storage = Storage::of_bytes(file, element, false, bytes);
    StoredTensor::whole(storage, info.shape.clone(), false)
}
