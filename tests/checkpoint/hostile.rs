//! Pickles that would run code in Python: every opcode that can call.

use faceplane::checkpoint::Object;

use super::pickle_writer::Pickle;
use super::{assert_refused, read};

/// The class of the record that a pickle becomes.
fn class(pickle: Pickle) -> String {
    match read(&pickle.finish()).unwrap().root {
        Object::Record(record) => record.class.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_opcode_that_can_call_makes_a_record_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("executed");
    let command = format!("touch {}", marker.display());
    let system = || Pickle::new().global("posix", "system");
    let pickles = [
        ("REDUCE", system().text(&command).op(b"\x85R")),
        ("NEWOBJ", system().text(&command).op(b"\x85\x81")),
        ("NEWOBJ_EX", system().text(&command).op(b"\x85}\x92")),
        (
            "OBJ",
            Pickle::new()
                .op(b"(")
                .global("posix", "system")
                .text(&command)
                .op(b"o"),
        ),
        (
            "INST",
            Pickle::new().op(b"(").text(&command).op(b"iposix\nsystem\n"),
        ),
        (
            "STACK_GLOBAL",
            Pickle::new()
                .text("posix")
                .text("system")
                .op(b"\x93")
                .text(&command)
                .op(b"\x85R"),
        ),
        ("BUILD", system().op(b")R").text(&command).op(b"b")),
        ("memo", system().op(b"q\x000h\x00").text(&command).op(b"\x85R")),
    ];
    for (opcode, pickle) in pickles {
        assert_eq!(class(pickle), "posix.system", "{opcode}");
    }
    let id = Pickle::new().text(&command).op(b"Q");
    assert_eq!(class(id), "persistent id");
    let id = Pickle::new().op(format!("P{command}\n").as_bytes());
    assert_eq!(class(id), "persistent id");
    for opcode in [&b"\x82\x07"[..], b"\x83\x07\x00", b"\x84\x07\x00\x00\x00"] {
        let extension = Pickle::new().op(opcode).text(&command).op(b"\x85R");
        assert_eq!(class(extension), "copyreg.extension 7");
    }
    // The result of a call that is called: getattr(os, "system")(command).
    let attribute = Pickle::new()
        .global("builtins", "getattr")
        .global("posix", "x")
        .text("system")
        .op(b"\x86R");
    assert_eq!(class(attribute.text(&command).op(b"\x85R")), "builtins.getattr");
    let built = Pickle::new()
        .global("posix", "system")
        .op(b"}")
        .text("__setstate__")
        .global("posix", "system")
        .op(b"sb");
    assert_eq!(class(built), "posix.system");
    assert!(!marker.exists());
}

#[test]
fn a_tensor_that_depends_on_an_unknown_class_is_refused_by_its_name() {
    let evil = || {
        Pickle::new()
            .global("torch._utils", "_rebuild_tensor_v2")
            .op(b"(")
    };
    let storage = evil().global("evil", "storage").op(b")R");
    let storage = storage.integer(0).integers(&[1]).integers(&[1]).op(b"\x89NtR");
    assert_refused(&storage.finish(), "evil.storage");
    let offset = evil()
        .storage("FloatStorage", 4)
        .global("evil", "offset")
        .op(b")R");
    let offset = offset.integers(&[1]).integers(&[1]).op(b"\x89NtR");
    assert_refused(&offset.zip(&[0; 16]), "evil.offset");
    let shape = evil()
        .storage("FloatStorage", 4)
        .integer(0)
        .global("evil", "shape")
        .op(b")R");
    let shape = shape.integers(&[1]).op(b"\x89NtR");
    assert_refused(&shape.zip(&[0; 16]), "evil.shape");
    let parameter = Pickle::new()
        .global("torch._utils", "_rebuild_parameter")
        .global("evil", "tensor")
        .op(b")R");
    assert_refused(&parameter.op(b"\x88N\x87R").finish(), "evil.tensor");
    let bytes = Pickle::new()
        .global("torch.storage", "_load_from_bytes")
        .global("evil", "bytes")
        .op(b")R\x85R");
    assert_refused(&bytes.finish(), "evil.bytes");
    // An entry of a state dict, made from a tensor by a function that is not known.
    let wrapped = Pickle::new()
        .op(b"}(")
        .text("a")
        .tensor("FloatStorage", 4, 0, &[4], &[1])
        .text("b");
    let wrapped = wrapped
        .global("evil", "wrap")
        .tensor("FloatStorage", 4, 0, &[4], &[1])
        .op(b"\x85Ru");
    assert_refused(&wrapped.zip(&[0; 16]), "evil.wrap");
}

#[test]
fn names_in_errors_are_short_and_have_no_line_ends() {
    let name = "x\u{1b}[31m".repeat(10_000);
    let evil = Pickle::new()
        .global("torch._utils", "_rebuild_parameter")
        .text("evil")
        .text(&name)
        .op(b"\x93)R");
    assert_refused(&evil.op(b"\x88N\x87R").finish(), r"\u{1b}[31m");
}

#[test]
fn sparse_quantized_and_complex_tensors_are_refused_by_name() {
    let kind = |function: &str| Pickle::new().global("torch._utils", function).op(b")R").finish();
    assert_refused(&kind("_rebuild_sparse_tensor"), "a sparse tensor");
    assert_refused(&kind("_rebuild_qtensor"), "a quantized tensor");
    assert_refused(&kind("_rebuild_meta_tensor_no_storage"), "without elements");
    assert_refused(&kind("_rebuild_something_new"), "_rebuild_something_new");
    let complex = Pickle::new().storage("ComplexFloatStorage", 1);
    assert_refused(&complex.zip(&[0; 8]), "torch.ComplexFloatStorage");
    let quantized = Pickle::new().storage("QInt8Storage", 1);
    assert_refused(&quantized.zip(&[0; 8]), "torch.QInt8Storage");
}
