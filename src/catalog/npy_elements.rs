//! The elements of a `.npy` file: numbers of a type and a byte order, as `f64`.

/// The type of an array's elements, by NumPy's name: `<f4`, `>i8`, `|b1`.
#[derive(Clone, Copy)]
pub(crate) struct ElementType {
    kind: Kind,
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Float,
    Integer,
    Unsigned,
    Bool,
}

impl ElementType {
    /// The type with this name. `None` for complex numbers, text, objects, records, dates and floating-point numbers of more than 64
    /// bits.
    pub(crate) fn of_name(descr: &str) -> Option<Self> {
        let (order, name) = descr.split_at_checked(1)?;
        let big_endian = match order {
            "<" | "|" | "=" => false,
            ">" => true,
            _ => return None,
        };
        let (kind, size) = match name {
            "f2" => (Kind::Float, 2),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            "i1" => (Kind::Integer, 1),
            "i2" => (Kind::Integer, 2),
            "i4" => (Kind::Integer, 4),
            "i8" => (Kind::Integer, 8),
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            "b1" => (Kind::Bool, 1),
            _ => return None,
        };
        Some(Self {
            kind,
            size,
            big_endian,
        })
    }

    /// Bytes of an element.
    pub(crate) fn size(self) -> usize {
        self.size
    }

    /// The elements in `bytes`. Integers of more than 53 bits are rounded.
    pub(crate) fn read(self, bytes: &[u8]) -> Vec<f64> {
        bytes
            .chunks_exact(self.size)
            .map(|element| self.value(element))
            .collect()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "codes and boundaries have no integers of more than 53 bits"
    )]
    fn value(self, element: &[u8]) -> f64 {
        // The element as the low bytes of a little-endian number.
        let mut low = [0; 8];
        low[..self.size].copy_from_slice(element);
        if self.big_endian {
            low[..self.size].reverse();
        }
        let bits = u64::from_le_bytes(low);
        match (self.kind, self.size) {
            (Kind::Float, 2) => half::f16::from_le_bytes([low[0], low[1]]).to_f64(),
            (Kind::Float, 4) => f32::from_le_bytes([low[0], low[1], low[2], low[3]]).into(),
            (Kind::Float, _) => f64::from_bits(bits),
            (Kind::Unsigned, _) => bits as f64,
            (Kind::Bool, _) => f64::from(u8::from(bits != 0)),
            (Kind::Integer, size) => {
                let unused = 64 - 8 * size;
                ((bits << unused).cast_signed() >> unused) as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_and_byte_order_are_read() {
        let read = |descr: &str, bytes: &[u8]| ElementType::of_name(descr).unwrap().read(bytes);
        assert_eq!(read("<f2", &[0, 0x3c, 0, 0xc0]), [1.0, -2.0]);
        assert_eq!(read(">f2", &[0x3c, 0]), [1.0]);
        assert_eq!(read("<f4", &(-0.25_f32).to_le_bytes()), [-0.25]);
        assert_eq!(read(">f4", &(-0.25_f32).to_be_bytes()), [-0.25]);
        assert_eq!(read(">f8", &0.1_f64.to_be_bytes()), [0.1]);
        assert_eq!(read("|b1", &[0, 1]), [0.0, 1.0]);
        assert_eq!(read("|i1", &[0xff, 0x7f]), [-1.0, 127.0]);
        assert_eq!(read("|u1", &[0xff]), [255.0]);
        assert_eq!(read(">i2", &(-300_i16).to_be_bytes()), [-300.0]);
        assert_eq!(read("<i4", &(-70_000_i32).to_le_bytes()), [-70_000.0]);
        assert_eq!(read("<i8", &(-5_i64).to_le_bytes()), [-5.0]);
        assert_eq!(read(">u4", &4_000_000_000_u32.to_be_bytes()), [4e9]);
    }

    #[test]
    fn types_that_are_no_real_numbers_are_refused() {
        for descr in ["<c8", "|O", "<U4", "|S3", "<M8[D]", "<f16", "f4", "", "é"] {
            assert!(ElementType::of_name(descr).is_none(), "{descr}");
        }
    }
}
