//! The types of the elements of tensors.

use half::{bf16, f16};

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Element {
    /// The bytes of an element.
    #[must_use]
    pub fn size(self) -> u64 {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The element type of a PyTorch storage class, such as `FloatStorage`.
    pub(crate) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "DoubleStorage" => Self::F64,
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ShortStorage" => Self::I16,
            "CharStorage" => Self::I8,
            "ByteStorage" | "UntypedStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// The element type of a PyTorch dtype, such as `float32`.
    pub(crate) fn of_dtype(name: &str) -> Option<Self> {
        Some(match name {
            "float64" | "double" => Self::F64,
            "float32" | "float" => Self::F32,
            "float16" | "half" => Self::F16,
            "bfloat16" => Self::Bf16,
            "int64" | "long" => Self::I64,
            "int32" | "int" => Self::I32,
            "int16" | "short" => Self::I16,
            "int8" => Self::I8,
            "uint64" => Self::U64,
            "uint32" => Self::U32,
            "uint16" => Self::U16,
            "uint8" => Self::U8,
            "bool" => Self::Bool,
            _ => return None,
        })
    }

    /// The element type of a NumPy type without its byte order, such as `f4`.
    pub(crate) fn of_numpy(code: &str) -> Option<Self> {
        Some(match code {
            "f8" => Self::F64,
            "f4" => Self::F32,
            "f2" => Self::F16,
            "i8" => Self::I64,
            "i4" => Self::I32,
            "i2" => Self::I16,
            "i1" => Self::I8,
            "u8" => Self::U64,
            "u4" => Self::U32,
            "u2" => Self::U16,
            "u1" => Self::U8,
            "b1" => Self::Bool,
            _ => return None,
        })
    }

    /// Turns big-endian elements into little-endian ones.
    pub(crate) fn swap(self, bytes: &mut [u8]) {
        let size = usize::try_from(self.size()).expect("at most 8");
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }

    /// Appends elements in little-endian order to `values`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "tensors are read as f32"
    )]
    pub(crate) fn append(self, bytes: &[u8], values: &mut Vec<f32>) {
        macro_rules! append {
            ($type:ty, $convert:expr) => {
                values.extend(
                    bytes
                        .as_chunks()
                        .0
                        .iter()
                        .map(|&bytes| <$type>::from_le_bytes(bytes))
                        .map($convert),
                )
            };
        }
        match self {
            Self::F64 => append!(f64, |value| value as f32),
            Self::F32 => append!(f32, |value| value),
            Self::F16 => append!(f16, f16::to_f32),
            Self::Bf16 => append!(bf16, bf16::to_f32),
            Self::I64 => append!(i64, |value| value as f32),
            Self::I32 => append!(i32, |value| value as f32),
            Self::I16 => append!(i16, f32::from),
            Self::I8 => append!(i8, f32::from),
            Self::U64 => append!(u64, |value| value as f32),
            Self::U32 => append!(u32, |value| value as f32),
            Self::U16 => append!(u16, f32::from),
            Self::U8 => append!(u8, f32::from),
            Self::Bool => append!(u8, |value| f32::from(u8::from(value != 0))),
        }
    }
}
