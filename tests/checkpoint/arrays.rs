//! The types of elements, in the pickles of NumPy and PyTorch.

use super::pickle_writer::Pickle;
use super::read;
use faceplane::checkpoint::{Checkpoint, Element, Object};
use half::{bf16, f16};

/// The values of the tensor that is all that a file holds.
fn values(checkpoint: &Checkpoint) -> Vec<f32> {
    let tensor = checkpoint.root.tensor().unwrap();
    tensor.read().unwrap().into_raw_vec_and_offset().0
}

#[test]
fn arrays_of_every_type_and_byte_order_are_read_under_the_names_of_numpy_1_and_2() {
    let numbers = [3i8, -2, 100];
    let cases = [
        (
            "f8",
            "<",
            numbers.map(|number| f64::from(number).to_le_bytes()).concat(),
        ),
        (
            "f8",
            ">",
            numbers.map(|number| f64::from(number).to_be_bytes()).concat(),
        ),
        (
            "f4",
            "<",
            numbers.map(|number| f32::from(number).to_le_bytes()).concat(),
        ),
        (
            "f4",
            ">",
            numbers.map(|number| f32::from(number).to_be_bytes()).concat(),
        ),
        (
            "f2",
            "<",
            numbers.map(|number| f16::from(number).to_le_bytes()).concat(),
        ),
        (
            "i8",
            "<",
            numbers.map(|number| i64::from(number).to_le_bytes()).concat(),
        ),
        (
            "i4",
            ">",
            numbers.map(|number| i32::from(number).to_be_bytes()).concat(),
        ),
        (
            "i2",
            "<",
            numbers.map(|number| i16::from(number).to_le_bytes()).concat(),
        ),
        ("i1", "|", numbers.map(i8::to_le_bytes).concat()),
    ];
    for core in ["numpy.core", "numpy._core"] {
        for (dtype, order, bytes) in &cases {
            let checkpoint = read(&Pickle::new().array(core, dtype, order, &[3], bytes).finish()).unwrap();
            assert_eq!(values(&checkpoint), [3.0, -2.0, 100.0], "{order}{dtype}");
        }
    }
    let flags = Pickle::new()
        .array("numpy.core", "b1", "|", &[3], &[1, 0, 1])
        .finish();
    assert_eq!(values(&read(&flags).unwrap()), [1.0, 0.0, 1.0]);
}

#[test]
fn scalars_of_numpy_are_numbers() {
    for core in ["numpy.core.multiarray", "numpy._core.multiarray"] {
        let scalar = |dtype: &str, order: &str, bytes: &[u8]| {
            let pickle = Pickle::new()
                .global(core, "scalar")
                .dtype(dtype, order)
                .bytes(bytes)
                .op(b"\x86R");
            read(&pickle.finish()).unwrap().root
        };
        assert_eq!(scalar("f4", "<", &1.5f32.to_le_bytes()).number(), Some(1.5));
        assert_eq!(scalar("f8", ">", &0.1f64.to_be_bytes()).number(), Some(0.1));
        assert_eq!(scalar("i8", "<", &(-7i64).to_le_bytes()).integer(), Some(-7));
        assert_eq!(scalar("i2", ">", &(-7i16).to_be_bytes()).integer(), Some(-7));
        assert_eq!(scalar("u1", "|", &[200]).integer(), Some(200));
        assert_eq!(scalar("b1", "|", &[1]).bool(), Some(true));
    }
}

#[test]
fn arrays_of_protocol_2_which_have_their_bytes_as_text_are_read() {
    let text = "\u{0}\u{0}\u{c0}?\u{0}\u{0}\u{20}\u{c0}";
    let array = Pickle::new()
        .global("numpy.core.multiarray", "_reconstruct")
        .global("numpy", "ndarray")
        .integers(&[0])
        .global("_codecs", "encode")
        .text("b")
        .text("latin1")
        .op(b"\x86R\x87R(")
        .integer(1)
        .integers(&[2])
        .dtype("f4", "<")
        .op(b"\x89")
        .global("_codecs", "encode")
        .text(text)
        .text("latin1")
        .op(b"\x86Rtb");
    assert_eq!(values(&read(&array.finish()).unwrap()), [1.5, -2.5]);
}

#[test]
fn arrays_in_column_major_order_and_of_protocol_5_are_read() {
    let bytes = [1f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
    let of_order = |order: &str| {
        let array = Pickle::new()
            .global("numpy._core.numeric", "_frombuffer")
            .op(b"(")
            .bytes(&bytes);
        let array = array.dtype("f4", "<").integers(&[2, 3]).text(order).op(b"tR");
        values(&read(&array.finish()).unwrap())
    };
    assert_eq!(of_order("C"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(of_order("F"), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
}

#[test]
fn an_array_of_objects_is_a_list_and_one_of_texts_a_record() {
    let array = Pickle::new()
        .global("numpy.core.multiarray", "_reconstruct")
        .op(b")R(")
        .integer(1)
        .integers(&[2]);
    let objects = array
        .clone()
        .global("numpy", "dtype")
        .text("O8")
        .op(b"\x85R\x89]K\x01aK\x02atb");
    let objects = read(&objects.finish()).unwrap().root;
    assert_eq!(objects.list().unwrap()[1].integer(), Some(2));
    let texts = array
        .global("numpy", "dtype")
        .text("U1")
        .op(b"\x85R\x89")
        .bytes(b"abcdefgh")
        .op(b"tb");
    let Object::Record(texts) = read(&texts.finish()).unwrap().root else {
        panic!("no record")
    };
    assert_eq!(&*texts.class, "numpy.ndarray");
}

#[test]
fn tensors_of_every_type_are_read() {
    let numbers = [3i8, -2, 100];
    let cases = [
        (
            "DoubleStorage",
            Element::F64,
            numbers.map(|number| f64::from(number).to_le_bytes()).concat(),
        ),
        (
            "FloatStorage",
            Element::F32,
            numbers.map(|number| f32::from(number).to_le_bytes()).concat(),
        ),
        (
            "HalfStorage",
            Element::F16,
            numbers.map(|number| f16::from(number).to_le_bytes()).concat(),
        ),
        (
            "BFloat16Storage",
            Element::Bf16,
            numbers.map(|number| bf16::from(number).to_le_bytes()).concat(),
        ),
        (
            "LongStorage",
            Element::I64,
            numbers.map(|number| i64::from(number).to_le_bytes()).concat(),
        ),
        (
            "IntStorage",
            Element::I32,
            numbers.map(|number| i32::from(number).to_le_bytes()).concat(),
        ),
        (
            "ShortStorage",
            Element::I16,
            numbers.map(|number| i16::from(number).to_le_bytes()).concat(),
        ),
        ("CharStorage", Element::I8, numbers.map(i8::to_le_bytes).concat()),
    ];
    for (class, element, bytes) in cases {
        let checkpoint = read(&Pickle::new().tensor(class, 3, 0, &[3], &[1]).zip(&bytes)).unwrap();
        assert_eq!(checkpoint.root.tensor().unwrap().element(), element);
        assert_eq!(values(&checkpoint), [3.0, -2.0, 100.0], "{class}");
    }
    let untyped = Pickle::new()
        .global("torch._utils", "_rebuild_tensor_v3")
        .op(b"(")
        .storage("UntypedStorage", 12)
        .integer(1)
        .integers(&[2])
        .integers(&[1])
        .op(b"\x89N")
        .global("torch", "float32")
        .op(b"tR");
    let checkpoint = read(&untyped.zip(&[1f32, 2.0, 3.0].map(f32::to_le_bytes).concat())).unwrap();
    assert_eq!(values(&checkpoint), [2.0, 3.0]);
}
