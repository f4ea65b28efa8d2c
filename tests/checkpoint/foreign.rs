//! Files that are no checkpoints, or not whole ones.

use super::fixtures::fixtures;
use super::pickle_writer::{Pickle, archive};
use super::{assert_refused, refusal};
use faceplane::checkpoint::Checkpoint;
use zip::CompressionMethod;

#[test]
fn a_file_of_another_kind_is_named() {
    assert_refused(b"", "an empty file");
    assert_refused(b"\x89PNG\r\n\x1a\n....", "a PNG image");
    assert_refused(b"\xff\xd8\xff\xe0....", "a JPEG image");
    assert_refused(b"\x89HDF\r\n\x1a\n....", "an HDF5 file");
    assert_refused(b"\n<!DOCTYPE html><html>", "an HTML or XML page");
    assert_refused(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "git lfs pull",
    );
    assert_refused(b"\x1f\x8b\x08....", "gzip");
    assert_refused(b"hello", "an unknown format; expected a checkpoint");
    let folder = Checkpoint::read(std::path::Path::new("/")).unwrap_err();
    assert!(folder.to_string().starts_with("/: found a folder"), "{folder}");
    let missing = Checkpoint::read(std::path::Path::new("/no/such/file")).unwrap_err();
    assert!(
        missing.to_string().starts_with("/no/such/file: cannot be read"),
        "{missing}"
    );
}

#[test]
fn archives_without_a_pickle_are_named() {
    let other = archive(CompressionMethod::Stored, &[("code.py", Vec::new())]);
    assert_refused(
        &other,
        "a zip archive that torch.save or numpy.savez did not write",
    );
    let empty = || Pickle::new().op(b"N").finish();
    let program = archive(
        CompressionMethod::Stored,
        &[("data.pkl", empty()), ("constants.pkl", empty())],
    );
    assert_refused(&program, "a TorchScript program");
    let tensor = Pickle::new().tensor("FloatStorage", 4, 0, &[4], &[1]).finish();
    let without = archive(CompressionMethod::Stored, &[("data.pkl", tensor)]);
    assert_refused(&without, "no entry \"data/0\"");
}

#[test]
fn pickles_that_make_no_sense_are_refused() {
    assert_refused(b"\x80\x04\xff.", "the byte 0xff at 2");
    assert_refused(b"\x80\x04.", "an empty stack");
    assert_refused(b"\x80\x04K\x01", "the end of the file within a pickle");
    assert_refused(b"\x80\x04h\x07.", "a reference to object 7");
    assert_refused(b"\x80\x04N(e.", "an element without a list");
    assert_refused(b"\x80\x04N(NNu.", "a key without a dictionary");
    assert_refused(b"\x80\x04}(Nu.", "a key without a value");
    assert_refused(b"\x80\x04e.", "no mark");
    assert_refused(b"\x80\x04(o.", "an instance of nothing");
    assert_refused(b"\x80\x04NN\x93.", "a class without a name");
    assert_refused(b"\x80\x04Inumber\n.", "expected an integer");
    assert_refused(
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
        "the end of the file",
    );
    assert_refused(b"\x80\x04X\xff\xff\xff\x02.", "the end of the file");
}

#[test]
fn a_fixture_that_is_cut_off_anywhere_is_refused() {
    for (_, file) in fixtures() {
        let whole = std::fs::read(&file).unwrap();
        for percent in 0..100 {
            let cut = &whole[..whole.len() * percent / 100];
            let sentence = refusal(cut);
            assert!(
                sentence.starts_with("found "),
                "{} at {percent} %: {sentence}",
                file.display()
            );
        }
    }
}
