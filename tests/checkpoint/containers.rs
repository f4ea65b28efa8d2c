//! The formats of files: zip archives, safetensors, NumPy.

use std::io::{Cursor, Write};

use super::fixtures::fixtures;
use super::pickle_writer::{Pickle, archive};
use super::{assert_refused, read};
use faceplane::checkpoint::{Checkpoint, Element, read_arrays};
use safetensors::tensor::{Dtype, TensorView};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// A `.npy` file of f32 numbers.
fn npy(shape: &str, order: &str, values: &[f32]) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &values].concat()
}

#[test]
fn a_compressed_archive_is_read_like_one_that_is_not() {
    let tensor = Pickle::new()
        .op(b"}")
        .text("a")
        .tensor("FloatStorage", 3, 1, &[2], &[1])
        .op(b"s")
        .finish();
    let entries = [
        ("data.pkl", tensor),
        ("data/0", [1f32, 2.0, 3.0].map(f32::to_le_bytes).concat()),
    ];
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let checkpoint = read(&archive(method, &entries)).unwrap();
        assert_eq!(checkpoint.format, "PyTorch zip");
        let values = checkpoint.networks[0].tensors["a"].read().unwrap();
        assert_eq!(values.into_raw_vec_and_offset().0, [2.0, 3.0]);
    }
}

#[test]
fn a_big_endian_archive_is_read() {
    let tensor = Pickle::new()
        .op(b"}")
        .text("a")
        .tensor("FloatStorage", 2, 0, &[2], &[1])
        .op(b"s")
        .finish();
    let elements = [1f32, 2.0].map(f32::to_be_bytes).concat();
    let entries = [
        ("data.pkl", tensor),
        ("byteorder", b"big".to_vec()),
        ("data/0", elements),
    ];
    let checkpoint = read(&archive(CompressionMethod::Stored, &entries)).unwrap();
    let values = checkpoint.networks[0].tensors["a"].read().unwrap();
    assert_eq!(values.into_raw_vec_and_offset().0, [1.0, 2.0]);
}

#[test]
fn a_state_dict_is_the_same_as_safetensors() {
    for (folder, file) in fixtures() {
        let checkpoint = Checkpoint::read(&file).unwrap();
        let network = &checkpoint.networks[0];
        let bytes: Vec<(&String, Vec<usize>, Vec<u8>)> = network
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let values = tensor.read().unwrap();
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (name, tensor.shape().to_vec(), bytes)
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
        let written = safetensors::serialize(views, None).unwrap();
        let read = read(&written).unwrap();
        assert_eq!(read.format, "safetensors");
        assert_eq!(read.networks.len(), 1, "{}", folder.display());
        assert_eq!(read.networks[0].tensors.len(), network.tensors.len());
        for (name, tensor) in &read.networks[0].tensors {
            assert_eq!(
                tensor.read().unwrap(),
                network.tensors[name].read().unwrap(),
                "{name}"
            );
        }
    }
}

#[test]
fn safetensors_have_half_precision_and_refuse_what_does_not_fit() {
    let file = |header: &str, elements: &[u8]| {
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), elements].concat()
    };
    let half = file(
        r#"{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#,
        &[0x80, 0x3f, 0, 0x40],
    );
    let half = read(&half).unwrap();
    let tensor = &half.networks[0].tensors["a"];
    assert_eq!(tensor.element(), Element::Bf16);
    assert_eq!(tensor.read().unwrap().into_raw_vec_and_offset().0, [1.0, 2.0]);
    let eight = file(
        r#"{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}"#,
        &[0, 0],
    );
    assert_refused(&eight, "F8_E4M3");
    let huge = format!(
        r#"{{"a":{{"dtype":"F32","shape":[{0}],"data_offsets":[0,{1}]}}}}"#,
        1u64 << 56,
        1u64 << 58
    );
    assert_refused(
        &file(&huge, &[0; 16]),
        "the end of the file within the tensor \"a\"",
    );
    let short = file(
        r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,8]}}"#,
        &[0; 8],
    );
    assert_refused(&short, "a safetensors header that cannot be read");
    let cut = file(
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        &[0; 7],
    );
    assert_refused(&cut, "the end of the file");
    assert_refused(
        b"\x00\x00\x00\x80\x00\x00\x00\x00{",
        "a safetensors header of 2147483648 bytes",
    );
}

#[test]
fn the_arrays_of_numpy_files_are_found_by_their_names() {
    let one = read_arrays(npy("(2, 2)", "True", &[1.0, 2.0, 3.0, 4.0]), "w.npy", 100).unwrap();
    let [(name, tensor)] = &one[..] else {
        panic!("{one:?}")
    };
    assert_eq!(name, "");
    assert_eq!(
        tensor.read().unwrap().into_raw_vec_and_offset().0,
        [1.0, 3.0, 2.0, 4.0]
    );
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for name in ["w.npy", "z.npy"] {
            archive.start_file(name, options).unwrap();
            archive.write_all(&npy("(1, 2)", "False", &[5.0, 6.0])).unwrap();
        }
        let file = archive.finish().unwrap().into_inner();
        let arrays = read_arrays(file.clone(), "codes.npz", 100).unwrap();
        let names: Vec<_> = arrays.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["w", "z"]);
        let error = read_arrays(file.clone(), "codes.npz", 50);
        let is_compressed = method == CompressionMethod::Deflated;
        assert_eq!(error.is_err(), is_compressed, "a compressed array of 80 bytes");
        let arrays = read(&file).unwrap();
        let values = arrays.networks[0].tensors["w"].read().unwrap();
        assert_eq!(values.into_raw_vec_and_offset().0, [5.0, 6.0]);
    }
    assert_refused(&npy("(9999999999999,)", "False", &[1.0]), "elements can be read");
    assert_refused(&npy("(2,)", "False", &[1.0]), "within its storage");
}

#[test]
fn the_tensors_of_a_file_are_found_by_their_place() {
    let latents = Pickle::new()
        .op(b"}")
        .text("latents")
        .op(b"](")
        .tensor("FloatStorage", 4, 0, &[2], &[1]);
    let latents = latents
        .tensor("FloatStorage", 4, 2, &[2], &[1])
        .op(b"es")
        .zip(&[0; 16]);
    let arrays = read_arrays(latents, "latents.pt", 0).unwrap();
    let names: Vec<_> = arrays.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["latents.0", "latents.1"]);
}

#[test]
fn the_digest_is_that_of_the_file() {
    let empty = read(b"\x80\x04N.").unwrap();
    assert_eq!(
        empty.digest,
        "9c298d589a2158eb513cb52191144518a2acab2cb0c04f1df14fca0f712fa4a1"
    );
}
