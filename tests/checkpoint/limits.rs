//! Files that would take much memory, time or stack.

use super::pickle_writer::{Pickle, archive};
use super::{assert_refused, read};
use zip::CompressionMethod;

#[test]
fn nesting_of_100_000_is_refused_whatever_nests() {
    const DEPTH: usize = 100_000;
    let cases = [
        ("lists", Pickle::new().repeat(b"]", DEPTH).repeat(b"a", DEPTH - 1)),
        ("tuples", Pickle::new().op(b")").repeat(b"\x85", DEPTH)),
        (
            "dictionaries",
            Pickle::new()
                .op(b"}")
                .repeat(b"}K\x00", DEPTH)
                .op(b"N")
                .repeat(b"s", DEPTH),
        ),
        (
            "arguments",
            Pickle::new()
                .repeat(b"cx\ny\n", DEPTH)
                .op(b")")
                .repeat(b"R\x85", DEPTH),
        ),
        (
            "attributes",
            Pickle::new()
                .repeat(b"cx\ny\n)R", DEPTH)
                .op(b"N")
                .repeat(b"b", DEPTH),
        ),
    ];
    // Calls cost so many steps that 100,000 of them are too many before they are too deep.
    for (name, pickle) in cases {
        let bytes = pickle.finish();
        let sentence = super::refusal(&bytes);
        assert!(
            sentence.contains("200 levels") || sentence.contains("steps"),
            "{name}: {sentence}"
        );
    }
    let marks = Pickle::new().repeat(b"(", DEPTH).finish();
    assert_refused(&marks, "an empty stack");
}

#[test]
fn the_deepest_object_that_is_read_can_be_copied_shown_and_dropped() {
    let depth = faceplane::checkpoint::MOST_DEPTH;
    let deepest = Pickle::new().repeat(b"]", depth).repeat(b"a", depth - 1);
    let checkpoint = read(&deepest.clone().finish()).unwrap();
    let copy = checkpoint.root.clone();
    assert_eq!(format!("{copy:?}").matches('[').count(), depth);
    assert!(format!("{copy:#?}").len() > depth);
    drop((checkpoint, copy));
    assert_refused(&deepest.op(b"\x85").finish(), "200 levels");
    // Two objects that are shared, and deep only together.
    let half = depth / 2 + 1;
    let first = Pickle::new()
        .repeat(b"]", half)
        .repeat(b"a", half - 1)
        .op(b"q\x00\x85");
    let nested = first
        .repeat(b"]", half)
        .op(b"h\x00")
        .repeat(b"a", half)
        .op(b"\x86");
    assert_refused(&nested.finish(), "200 levels");
}

#[test]
fn an_object_that_contains_itself_is_cut_off() {
    let list = read(&Pickle::new().op(b"]q\x00h\x00a").finish()).unwrap();
    assert!(format!("{:?}", list.root).contains("\"...\""));
}

#[test]
fn memo_bombs_are_refused() {
    // Each list holds the one before ten times.
    let level = [b"]q\x01(".as_slice(), &b"h\x00".repeat(10), b"e0h\x01q\x000"].concat();
    let laughs = Pickle::new().op(b"]q\x000").repeat(&level, 40).op(b"h\x00");
    assert_refused(&laughs.finish(), "objects");
    // A list that is copied again and again.
    let list = Pickle::new().op(b"(").repeat(b"K\x00", 10_000).op(b"lq\x000");
    let copies = list
        .global("numpy.core.multiarray", "_reconstruct")
        .op(b"q\x010(");
    let copies = copies.repeat(b"h\x01)R(NNNNh\x00tb", 10_000).op(b"l");
    assert_refused(&copies.finish(), "steps");
    let dict = Pickle::new().op(b"(").repeat(b"K\x00", 20_000).op(b"dq\x000");
    let copies = dict
        .global("collections", "OrderedDict")
        .op(b"q\x010(")
        .repeat(b"h\x01h\x00\x85R", 10_000);
    assert_refused(&copies.op(b"l").finish(), "steps");
    // A name of a megabyte that is used again and again.
    let name = Pickle::new().text(&"x".repeat(1 << 20)).op(b"q\x000(");
    assert_refused(
        &name.repeat(b"h\x00h\x00\x93", 1000).op(b"l").finish(),
        "bytes of text",
    );
    // Entries of the memo with large numbers take no more than others.
    let number = Pickle::new().op(b"Nr\xff\xff\xff\xff").finish();
    read(&number).unwrap();
}

#[test]
fn a_pickle_of_many_steps_is_refused() {
    assert_refused(&Pickle::new().repeat(b"N0", 3 << 20).op(b"N").finish(), "steps");
}

#[test]
fn pickles_within_byte_strings_are_limited() {
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
    let mut inner = b"N.".to_vec();
    for _ in 0..5 {
        let nested = Pickle::new()
            .global("torch.storage", "_load_from_bytes")
            .bytes(&[magic, &inner[..]].concat());
        inner = nested.op(b"\x85R").finish();
    }
    assert_refused(&inner, "2 levels");
}

#[test]
fn tensors_that_claim_more_than_the_file_has_are_refused() {
    let huge = 1 << 60;
    let tensor = |elements, offset, shape: &[i64], strides: &[i64]| {
        Pickle::new()
            .tensor("FloatStorage", elements, offset, shape, strides)
            .zip(&[0; 64])
    };
    read(&tensor(16, 0, &[16], &[1])).unwrap();
    assert_refused(&tensor(huge, 0, &[huge], &[1]), "64 bytes");
    assert_refused(&tensor(16, 0, &[huge], &[1]), "elements can be read");
    // An axis that repeats one element takes no storage, but memory when it is read.
    assert_refused(&tensor(16, 0, &[huge], &[0]), "elements can be read");
    assert_refused(
        &tensor(16, 0, &[1 << 40, 1 << 40], &[0, 0]),
        "elements can be read",
    );
    assert_refused(&tensor(16, 0, &[huge, 0], &[0, 0]), "elements can be read");
    assert_refused(&tensor(16, 1, &[16], &[1]), "within its storage");
    assert_refused(&tensor(16, 0, &[4, 4], &[5, 1]), "within its storage");
    assert_refused(
        &tensor(16, 0, &[4, 4], &[i64::MAX, i64::MAX]),
        "within its storage",
    );
    assert_refused(&tensor(16, i64::MAX, &[4], &[1]), "within its storage");
    assert_refused(&tensor(16, 0, &[4, 4], &[1]), "within its storage");
    assert_refused(&tensor(16, 0, &[4], &[-1]), "zero or more");
    assert_refused(&tensor(16, -1, &[4], &[1]), "an offset");
    assert_refused(&tensor(-1, 0, &[4], &[1]), "a storage of -1 elements");
    assert_refused(&tensor(16, 0, &[1; 65], &[1; 65]), "64 axes");
    let array = Pickle::new()
        .array("numpy.core", "f4", "<", &[huge], &[0; 16])
        .finish();
    assert_refused(&array, "elements can be read");
    let array = Pickle::new()
        .array("numpy.core", "f4", "<", &[5], &[0; 16])
        .finish();
    assert_refused(&array, "within its storage");
}

#[test]
fn a_view_that_repeats_elements_is_read() {
    let expanded = Pickle::new()
        .op(b"}")
        .text("a")
        .tensor("FloatStorage", 2, 0, &[3, 2], &[0, 1])
        .op(b"s");
    let checkpoint = read(&expanded.zip(&[1f32, 2.0].map(f32::to_le_bytes).concat())).unwrap();
    let values = checkpoint.networks[0].tensors["a"].read().unwrap();
    assert_eq!(values.into_raw_vec_and_offset().0, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
}

#[test]
fn a_zip_bomb_is_refused_by_the_size_that_it_declares() {
    let zeros = vec![0; (64 << 20) + 1];
    let bomb = archive(CompressionMethod::Deflated, &[("data.pkl", zeros)]);
    assert!(bomb.len() < 1 << 20);
    assert_refused(&bomb, "67108864 bytes");
}
