//! The opcodes of pickles with their arguments.
//!
//! Source: the table of opcodes in Python's `pickletools`, protocols 0 to 5.

use crate::checkpoint::error::Fault;
use crate::checkpoint::pickle::budget::Budget;
use crate::checkpoint::pickle::input::Input;
use crate::checkpoint::stored_bytes::StoredBytes;

/// Byte strings up to this length are kept in memory: numbers of NumPy. Longer ones stay in the file.
const SHORT: u64 = 64;

/// One step of a pickle.
#[derive(Debug)]
pub(super) enum Instruction {
    Stop,
    Nothing,
    Mark,
    Pop,
    PopMark,
    Duplicate,
    None,
    Bool(bool),
    Integer(i64),
    /// An integer of more than 64 bits, little-endian.
    LongInteger(StoredBytes),
    Float(f64),
    Text(String),
    Bytes(StoredBytes),
    /// A string of Python 2: text or bytes.
    ByteString(StoredBytes),
    EmptyList,
    EmptyTuple,
    EmptyDict,
    Append,
    Appends,
    /// A list or a tuple from the mark on.
    ListFromMark,
    /// A tuple of the topmost values.
    Tuple(usize),
    DictFromMark,
    SetItem,
    SetItems,
    Put(u64),
    /// Stores under the next free number.
    Memoize,
    Get(u64),
    Global(String, String),
    StackGlobal,
    Extension(u32),
    Reduce,
    Build,
    Inst(String, String),
    Obj,
    NewObj,
    NewObjWithKeywords,
    /// A persistent id in the stream.
    PersistentId(String),
    /// A persistent id on the stack.
    BinaryPersistentId,
}

impl Instruction {
    /// Reads the next instruction.
    pub(super) fn read(input: &mut Input, budget: &mut Budget) -> Result<Self, Fault> {
        let position = input.position();
        let opcode = input.byte()?;
        if let Some(instruction) = Self::without_argument(opcode) {
            return Ok(instruction);
        }
        let instruction = Self::with_argument(opcode, input, budget)?;
        instruction.ok_or_else(|| {
            Fault::malformed(
                format!("the byte 0x{opcode:02x} at {position} of a pickle"),
                "an opcode of the pickle protocols 0 to 5",
            )
        })
    }

    fn without_argument(opcode: u8) -> Option<Self> {
        Some(match opcode {
            b'.' => Self::Stop,
            b'(' => Self::Mark,
            b'0' => Self::Pop,
            b'1' => Self::PopMark,
            b'2' => Self::Duplicate,
            b'N' => Self::None,
            0x88 => Self::Bool(true),
            0x89 => Self::Bool(false),
            b']' | 0x8f => Self::EmptyList,
            b')' => Self::EmptyTuple,
            b'}' => Self::EmptyDict,
            b'a' => Self::Append,
            b'e' | 0x90 => Self::Appends,
            b'l' | b't' | 0x91 => Self::ListFromMark,
            0x85 => Self::Tuple(1),
            0x86 => Self::Tuple(2),
            0x87 => Self::Tuple(3),
            b'd' => Self::DictFromMark,
            b's' => Self::SetItem,
            b'u' => Self::SetItems,
            0x94 => Self::Memoize,
            0x93 => Self::StackGlobal,
            b'R' => Self::Reduce,
            b'b' => Self::Build,
            b'o' => Self::Obj,
            0x81 => Self::NewObj,
            0x92 => Self::NewObjWithKeywords,
            b'Q' => Self::BinaryPersistentId,
            // A buffer that is only for reading is a buffer.
            0x98 => Self::Nothing,
            _ => return None,
        })
    }

    fn with_argument(opcode: u8, input: &mut Input, budget: &mut Budget) -> Result<Option<Self>, Fault> {
        Ok(Some(match opcode {
            b'I' | b'L' => integer_line(&input.line()?)?,
            b'J' => Self::Integer(i32::from_le_bytes(input.array()?).into()),
            b'K' => Self::Integer(input.byte()?.into()),
            b'M' => Self::Integer(u16::from_le_bytes(input.array()?).into()),
            0x8a => long(input, Width::One)?,
            0x8b => long(input, Width::Four)?,
            b'F' => Self::Float(parse(&input.line()?, "a number")?),
            b'G' => Self::Float(f64::from_be_bytes(input.array()?)),
            b'V' => Self::Text(unescape(input, budget)?),
            0x8c => text(input, budget, Width::One)?,
            b'X' => text(input, budget, Width::Four)?,
            0x8d => text(input, budget, Width::Eight)?,
            b'S' => Self::ByteString(quoted(input, budget)?),
            b'U' => Self::ByteString(bytes(input, budget, Width::One)?),
            b'T' => Self::ByteString(bytes(input, budget, Width::Four)?),
            b'C' => Self::Bytes(bytes(input, budget, Width::One)?),
            b'B' => Self::Bytes(bytes(input, budget, Width::Four)?),
            0x8e | 0x96 => Self::Bytes(bytes(input, budget, Width::Eight)?),
            b'p' => Self::Put(parse(&input.line()?, "a number")?),
            b'q' => Self::Put(Width::One.read(input)?),
            b'r' => Self::Put(Width::Four.read(input)?),
            b'g' => Self::Get(parse(&input.line()?, "a number")?),
            b'h' => Self::Get(Width::One.read(input)?),
            b'j' => Self::Get(Width::Four.read(input)?),
            b'c' => Self::Global(name(input, budget)?, name(input, budget)?),
            b'i' => Self::Inst(name(input, budget)?, name(input, budget)?),
            0x82 => Self::Extension(input.byte()?.into()),
            0x83 => Self::Extension(u16::from_le_bytes(input.array()?).into()),
            0x84 => Self::Extension(u32::from_le_bytes(input.array()?)),
            b'P' => Self::PersistentId(name(input, budget)?),
            0x80 => protocol(input.byte()?)?,
            // A frame says how much a reader may read at once.
            0x95 => {
                Width::Eight.read(input)?;
                Self::Nothing
            }
            _ => return Ok(None),
        }))
    }
}

/// The number of bytes of a length or a number, which is little-endian.
enum Width {
    One,
    Four,
    Eight,
}

impl Width {
    fn read(self, input: &mut Input) -> Result<u64, Fault> {
        Ok(match self {
            Self::One => input.byte()?.into(),
            Self::Four => u32::from_le_bytes(input.array()?).into(),
            Self::Eight => u64::from_le_bytes(input.array()?),
        })
    }
}

fn protocol(protocol: u8) -> Result<Instruction, Fault> {
    if protocol > 5 {
        return Err(Fault::malformed(
            format!("a pickle of protocol {protocol}"),
            "one of the protocols 0 to 5",
        ));
    }
    Ok(Instruction::Nothing)
}

fn text(input: &mut Input, budget: &mut Budget, width: Width) -> Result<Instruction, Fault> {
    let len = width.read(input)?;
    budget.text(len)?;
    let text = String::from_utf8_lossy(&input.take(len)?).into_owned();
    Ok(Instruction::Text(text))
}

fn bytes(input: &mut Input, budget: &mut Budget, width: Width) -> Result<StoredBytes, Fault> {
    let len = width.read(input)?;
    if len > SHORT {
        return input.skip(len);
    }
    budget.text(len)?;
    Ok(StoredBytes::memory(input.take(len)?))
}

/// A name of a module or a class, in a line.
fn name(input: &mut Input, budget: &mut Budget) -> Result<String, Fault> {
    let line = input.line()?;
    budget.text(line.len() as u64)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn parse<T: std::str::FromStr>(line: &[u8], expected: &str) -> Result<T, Fault> {
    let text = String::from_utf8_lossy(line);
    text.trim()
        .parse()
        .map_err(|_| Fault::malformed(format!("{text:.40?} in a pickle"), expected))
}

/// An integer of protocol 0, which also writes booleans, and `L` after Python 2's long integers.
fn integer_line(line: &[u8]) -> Result<Instruction, Fault> {
    Ok(match line {
        b"00" => Instruction::Bool(false),
        b"01" => Instruction::Bool(true),
        _ => Instruction::Integer(parse(line.strip_suffix(b"L").unwrap_or(line), "an integer")?),
    })
}

/// An integer in two's complement, little-endian.
fn long(input: &mut Input, width: Width) -> Result<Instruction, Fault> {
    let len = width.read(input)?;
    let bytes = input.skip(len)?;
    if len > 8 {
        return Ok(Instruction::LongInteger(bytes));
    }
    let digits = bytes.read()?;
    let negative = digits.last().is_some_and(|&last| last >= 0x80);
    let mut number = [if negative { 0xff } else { 0 }; 8];
    number[..digits.len()].copy_from_slice(&digits);
    Ok(Instruction::Integer(i64::from_le_bytes(number)))
}

/// A string of protocol 0, in quotes.
fn quoted(input: &mut Input, budget: &mut Budget) -> Result<StoredBytes, Fault> {
    let line = input.line()?;
    budget.text(line.len() as u64)?;
    let ([b'\'', text @ .., b'\''] | [b'"', text @ .., b'"']) = line.as_slice() else {
        return Err(Fault::malformed(
            "a string without quotes in a pickle",
            "a string",
        ));
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next().unwrap_or_default(), rest.next().unwrap_or_default()];
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                u8::from_str_radix(digits, 16).map_err(|_| {
                    Fault::malformed("an unknown escape in a pickle", "two hexadecimal digits")
                })?
            }
            Some(byte) => byte,
            None => return Err(Fault::malformed("an unfinished escape in a pickle", "a string")),
        });
    }
    Ok(StoredBytes::memory(bytes))
}

/// A text of protocol 0, which has `\u` and four digits for what does not fit into a line.
fn unescape(input: &mut Input, budget: &mut Budget) -> Result<String, Fault> {
    let line = name(input, budget)?;
    let mut parts = line.split("\\u");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|code| u32::from_str_radix(code, 16).ok());
        let character = code.and_then(char::from_u32);
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        text.push_str(part.get(4..).unwrap_or_default());
    }
    Ok(text)
}
