//! The derivative of each operator.

use faceplane::graph::{GraphBuilder, Value, float, integer, integers, operators, scalar, string};

use crate::differentiation::central::{AROUND_ZERO, POSITIVE, check, check_node, gradient_at, numbers};

/// An i64 constant without axes.
fn index(graph: &mut GraphBuilder, value: i64) -> Value {
    let one = graph.integers(&[value]);
    let none = graph.integers(&[]);
    graph.node("Reshape", &[&one, &none], vec![])
}

#[test]
fn functions_of_one_element() {
    for operator in [
        "Abs",
        "Atan",
        "Cos",
        "Elu",
        "Erf",
        "Exp",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Neg",
        "Relu",
        "Selu",
        "Sigmoid",
        "Sin",
        "Softplus",
        "Softsign",
        "Tan",
        "Tanh",
    ] {
        check_node(operator, &[2, 7], 3, AROUND_ZERO, &[], &[]);
    }
    for operator in ["Log", "Reciprocal", "Sqrt"] {
        check_node(operator, &[2, 7], 3, POSITIVE, &[], &[]);
    }
    check_node("LeakyRelu", &[9], 2, AROUND_ZERO, &[], &[float("alpha", 0.2)]);
    check_node("HardSigmoid", &[9], 2, (4.0, 0.0), &[], &[float("alpha", 0.3)]);
    check_node("Clip", &[9], 2, AROUND_ZERO, &[scalar(-0.3), scalar(0.41)], &[]);
    check_node("Cast", &[3], 2, AROUND_ZERO, &[], &[integer("to", 1)]);
}

/// The distance to a box, as drawn images have it: a root of squares of what is above 0.
#[test]
fn a_root_of_zero_counts_as_flat() {
    let of_square = |graph: &mut GraphBuilder, x: &Value, operator: &str, others: &[Value]| {
        let zero = graph.constant(&scalar(0.0));
        let above = graph.node("Max", &[x, &zero], vec![]);
        let square = graph.node("Mul", &[&above, &above], vec![]);
        let inputs: Vec<_> = std::iter::once(&square).chain(others).collect();
        graph.node(operator, &inputs, vec![])
    };
    let at = [-0.5, 0.0, 0.25, 2.0];
    let sqrt = gradient_at(&at, |graph, x| of_square(graph, x, "Sqrt", &[]));
    assert_eq!(sqrt, [0.0, 0.0, 1.0, 1.0]);
    for exponent in [0.5, 0.75] {
        let pow = gradient_at(&at, |graph, x| {
            let exponent = graph.constant(&scalar(exponent));
            of_square(graph, x, "Pow", &[exponent])
        });
        let slope = |x: f32| 2.0 * exponent * x.powf(2.0 * exponent - 1.0);
        let expected = [0.0, 0.0, slope(0.25), slope(2.0)];
        let is_near = |(found, expected): (&f32, f32)| (found - expected).abs() < 1e-5;
        assert!(pow.iter().zip(expected).all(is_near), "{pow:?}");
    }
    let norm = |graph: &mut GraphBuilder, x: &Value| {
        let axes = graph.integers(&[1]);
        graph.node("ReduceL2", &[x, &axes], vec![integer("keepdims", 1)])
    };
    assert_eq!(gradient_at(&[0.0, 0.0], norm), [0.0, 0.0]);
    let along = gradient_at(&[3.0, 4.0], norm);
    assert!(
        (along[0] - 0.6).abs() < 1e-6 && (along[1] - 0.8).abs() < 1e-6,
        "{along:?}"
    );
}

#[test]
fn operators_of_two_tensors() {
    for operator in ["Add", "Div", "Max", "Min", "Mul", "Sub"] {
        for constant in [vec![2, 3], vec![3], vec![2, 1], vec![]] {
            let constant = numbers(&constant, 5).mapv(|value| value + 1.3);
            check_node(
                operator,
                &[2, 3],
                3,
                POSITIVE,
                std::slice::from_ref(&constant),
                &[],
            );
            check(operator, &[2, 3], 3, POSITIVE, |graph, x| {
                let constant = graph.constant(&constant);
                graph.node(operator, &[&constant, x], vec![])
            });
        }
        // Both operands depend on x, one of them is broadcast.
        check(operator, &[2, 3], 3, POSITIVE, |graph, x| {
            let column = faceplane::graph::operators::slice(graph, x, 2, 1, 2);
            let half = graph.constant(&scalar(0.37));
            let column = graph.node("Mul", &[&column, &half], vec![]);
            graph.node(operator, &[x, &column], vec![])
        });
    }
    for exponent in [2.0, -1.0, 0.5, -0.5, 0.3, 3.0, 1.7] {
        check_node("Pow", &[4], 2, POSITIVE, &[scalar(exponent)], &[]);
    }
    check_node("PRelu", &[3, 4], 3, AROUND_ZERO, &[numbers(&[3, 1], 4)], &[]);
    check_node("Mean", &[3], 2, AROUND_ZERO, &[numbers(&[3], 4)], &[]);
    check("Where", &[2, 3], 3, AROUND_ZERO, |graph, x| {
        let zero = graph.constant(&scalar(0.0));
        let above = graph.node("Greater", &[x, &zero], vec![]);
        let square = graph.node("Mul", &[x, x], vec![]);
        let row = faceplane::graph::operators::slice(graph, x, 1, 0, 1);
        graph.node("Where", &[&above, &square, &row], vec![])
    });
}

#[test]
fn sums_over_axes() {
    for operator in [
        "ReduceSum",
        "ReduceMean",
        "ReduceL2",
        "ReduceSumSquare",
        "ReduceMax",
        "ReduceMin",
        "ReduceLogSumExp",
        "ReduceL1",
    ] {
        for (axes, keeps, rank) in [(vec![2], 1, 3), (vec![-1], 0, 2), (vec![1, 2], 0, 1)] {
            check(operator, &[3, 4], rank, POSITIVE, |graph, x| {
                let axes = graph.integers(&axes);
                let sum = graph.node(operator, &[x, &axes], vec![integer("keepdims", keeps)]);
                graph.node("Mul", &[&sum, &sum], vec![])
            });
        }
    }
    for operator in ["Softmax", "LogSoftmax"] {
        for axis in [-1, 1] {
            check_node(operator, &[3, 4], 3, AROUND_ZERO, &[], &[integer("axis", axis)]);
        }
    }
}

#[test]
fn normalizations() {
    let channels = |seed| numbers(&[3], seed).mapv(|value| value + 1.5);
    let four = [channels(3), channels(4), channels(5), channels(6)];
    check_node("BatchNormalization", &[3, 2, 2], 4, AROUND_ZERO, &four, &[]);
    check_node(
        "InstanceNormalization",
        &[3, 2, 3],
        4,
        AROUND_ZERO,
        &four[..2],
        &[],
    );
    check_node(
        "LayerNormalization",
        &[2, 3],
        3,
        AROUND_ZERO,
        &four[..2],
        &[integer("axis", -1)],
    );
}

#[test]
fn instance_normalization_with_factors_and_shifts_of_each_image() {
    check("style", &[3, 2, 3], 4, AROUND_ZERO, |graph, x| {
        let [factor, shift] = [0, 1].map(|row| {
            let pixel = operators::slice(graph, x, 2, row, row + 1);
            let pixel = operators::slice(graph, &pixel, 3, 1, 2);
            operators::reshape(graph, &pixel, &[-1])
        });
        // The images of the batch as channels of one image.
        let features = operators::reshape(graph, x, &[1, -1, 2, 3]);
        let features = operators::instance_normalization(graph, &features, &factor, &shift, 1e-5);
        let features = operators::reshape(graph, &features, &[-1, 3, 2, 3]);
        operators::mul(graph, &features, &features)
    });
}

#[test]
fn other_shapes_and_orders_of_axes() {
    let with_integers = |operator: &'static str, values: Vec<i64>, shape: &[usize], rank: usize| {
        check(operator, shape, rank, AROUND_ZERO, |graph, x| {
            let values = graph.integers(&values);
            let made = graph.node(operator, &[x, &values], vec![]);
            graph.node("Mul", &[&made, &made], vec![])
        });
    };
    with_integers("Reshape", vec![-1, 6], &[2, 3], 2);
    with_integers("Reshape", vec![0, 3, 2], &[2, 3], 3);
    with_integers("Unsqueeze", vec![1, -1], &[2, 3], 5);
    with_integers("Squeeze", vec![1], &[1, 3], 2);
    with_integers("Expand", vec![1, 4, 3], &[1, 3], 3);
    with_integers("Tile", vec![1, 2, 3], &[2, 2], 3);
    check_node("Flatten", &[2, 3], 2, AROUND_ZERO, &[], &[integer("axis", 1)]);
    check_node(
        "Transpose",
        &[2, 3],
        3,
        AROUND_ZERO,
        &[],
        &[integers("perm", &[0, 2, 1])],
    );
    for mode in ["DCR", "CRD"] {
        let attributes = [integer("blocksize", 2), string("mode", mode)];
        check_node("DepthToSpace", &[8, 2, 1], 4, AROUND_ZERO, &[], &attributes);
    }
    check_node(
        "SpaceToDepth",
        &[2, 4, 2],
        4,
        AROUND_ZERO,
        &[],
        &[integer("blocksize", 2)],
    );
}

#[test]
fn parts_of_axes() {
    for (from, to, step) in [(1, 4, 1), (0, 5, 2), (-1, -6, -1), (4, 0, -2), (-3, i64::MAX, 1)] {
        check("Slice", &[2, 5], 3, AROUND_ZERO, |graph, x| {
            let [from, to, axis, step] = [from, to, 2, step].map(|value| graph.integers(&[value]));
            graph.node("Slice", &[x, &from, &to, &axis, &step], vec![])
        });
    }
    check("Slice of two axes", &[3, 5], 3, AROUND_ZERO, |graph, x| {
        let [from, to, axes] = [[1, 0], [3, 4], [1, 2]].map(|values| graph.integers(&values));
        graph.node("Slice", &[x, &from, &to, &axes], vec![])
    });
    check("Gather of one", &[4, 2], 2, AROUND_ZERO, |graph, x| {
        let index = index(graph, -2);
        graph.node("Gather", &[x, &index], vec![integer("axis", 1)])
    });
    for count in [5, 70] {
        check("Gather", &[4, 2], 3, AROUND_ZERO, |graph, x| {
            let indices: Vec<_> = (0..count).map(|index| index * 3 % 4).collect();
            let indices = graph.integers(&indices);
            graph.node("Gather", &[x, &indices], vec![integer("axis", 1)])
        });
    }
    check("Concat", &[2, 3], 3, AROUND_ZERO, |graph, x| {
        let square = graph.node("Mul", &[x, x], vec![]);
        graph.node("Concat", &[x, &square, x], vec![integer("axis", 1)])
    });
    // Two overlapping parts of x, and one that is not used.
    check("Slice and Concat", &[6], 2, AROUND_ZERO, |graph, x| {
        let parts = [(0, 2), (1, 3), (4, 5)]
            .map(|(from, to)| faceplane::graph::operators::slice(graph, x, 1, from, to));
        graph.node(
            "Concat",
            &parts.iter().collect::<Vec<_>>(),
            vec![integer("axis", 1)],
        )
    });
    for mode in ["constant", "edge", "reflect"] {
        check("Pad", &[3, 4], 3, AROUND_ZERO, |graph, x| {
            let pads = graph.integers(&[0, 1, 2, 0, 0, 1]);
            graph.node("Pad", &[x, &pads], vec![string("mode", mode)])
        });
    }
}

#[test]
fn products_of_matrices() {
    check_node("MatMul", &[2, 3], 3, AROUND_ZERO, &[numbers(&[3, 4], 3)], &[]);
    check_node(
        "MatMul",
        &[2, 1, 3],
        4,
        AROUND_ZERO,
        &[numbers(&[2, 3, 4], 3)],
        &[],
    );
    check("MatMul of two", &[3, 3], 3, AROUND_ZERO, |graph, x| {
        let square = graph.node("Mul", &[x, x], vec![]);
        graph.node("MatMul", &[x, &square], vec![])
    });
    check("MatMul of a long matrix", &[2, 12], 3, AROUND_ZERO, |graph, x| {
        let left = faceplane::graph::operators::slice(graph, x, 2, 0, 2);
        graph.node("MatMul", &[&left, x], vec![])
    });
    check("MatMul from the left", &[3, 2], 3, AROUND_ZERO, |graph, x| {
        let left = graph.constant(&numbers(&[4, 3], 3));
        graph.node("MatMul", &[&left, x], vec![])
    });
    for turned in [0, 1] {
        let shape: &[usize] = if turned == 1 { &[4, 3] } else { &[3, 4] };
        let attributes = [integer("transB", turned), float("alpha", 0.7), float("beta", 0.3)];
        check_node(
            "Gemm",
            &[3],
            2,
            AROUND_ZERO,
            &[numbers(shape, 3), numbers(&[4], 4)],
            &attributes,
        );
    }
}
