//! The derivative of each operator on images.

use faceplane::graph::{integer, integers, string};
use ndarray::arr1;

use crate::differentiation::central::{AROUND_ZERO, check, check_node, numbers};

#[test]
fn convolutions() {
    for (stride, pad, dilation, group) in [
        (1, 1, 1, 1),
        (1, 0, 1, 2),
        (2, 1, 1, 1),
        (2, 0, 1, 2),
        (1, 2, 2, 1),
        (3, 1, 1, 2),
    ] {
        let attributes = [
            integers("strides", &[stride, stride]),
            integers("pads", &[pad, pad, pad, pad]),
            integers("dilations", &[dilation, dilation]),
            integer("group", group),
        ];
        let kernel = numbers(&[4, if group == 2 { 1 } else { 2 }, 3, 3], 3);
        check_node(
            "Conv",
            &[2, 6, 5],
            4,
            AROUND_ZERO,
            &[kernel, numbers(&[4], 4)],
            &attributes,
        );
        if pad < 2 {
            let kernel = numbers(&[2, if group == 2 { 1 } else { 3 }, 3, 3], 3);
            check_node(
                "ConvTranspose",
                &[2, 4, 3],
                4,
                AROUND_ZERO,
                &[kernel],
                &attributes,
            );
        }
    }
    let extra = [integers("strides", &[2, 2]), integers("output_padding", &[1, 1])];
    check_node(
        "ConvTranspose",
        &[2, 3, 3],
        4,
        AROUND_ZERO,
        &[numbers(&[2, 2, 3, 3], 3)],
        &extra,
    );
    check_node(
        "Conv",
        &[2, 5],
        3,
        AROUND_ZERO,
        &[numbers(&[2, 2, 3], 3)],
        &[string("auto_pad", "SAME_UPPER")],
    );
}

#[test]
fn pooling() {
    for operator in ["AveragePool", "MaxPool"] {
        for (kernel, stride, pad, rounds_up) in [
            (2, 2, 0, 0),
            (3, 2, 1, 0),
            (2, 1, 0, 0),
            (3, 2, 0, 1),
            (3, 3, 0, 0),
        ] {
            let attributes = [
                integers("kernel_shape", &[kernel, kernel]),
                integers("strides", &[stride, stride]),
                integers("pads", &[pad, pad, pad, pad]),
                integer("ceil_mode", rounds_up),
            ];
            check_node(operator, &[2, 6, 4], 4, AROUND_ZERO, &[], &attributes);
        }
    }
    let attributes = [
        integers("kernel_shape", &[3, 3]),
        integers("pads", &[1, 1, 1, 1]),
        integer("count_include_pad", 1),
    ];
    check_node("AveragePool", &[2, 4, 4], 4, AROUND_ZERO, &[], &attributes);
    check_node("GlobalAveragePool", &[2, 3, 4], 4, AROUND_ZERO, &[], &[]);
    check_node("GlobalMaxPool", &[2, 3, 4], 4, AROUND_ZERO, &[], &[]);
}

#[test]
fn resizing() {
    let modes = [
        ("nearest", "asymmetric"),
        ("nearest", "half_pixel"),
        ("linear", "half_pixel"),
        ("linear", "align_corners"),
        ("linear", "pytorch_half_pixel"),
        ("cubic", "half_pixel"),
    ];
    for (mode, position) in modes {
        for scales in [[2.0, 2.0], [1.5, 3.0], [0.5, 0.5]] {
            let attributes = vec![
                string("mode", mode),
                string("coordinate_transformation_mode", position),
                string("nearest_mode", "floor"),
            ];
            let name = format!("Resize {mode} {position} {scales:?}");
            check(&name, &[2, 4, 6], 4, AROUND_ZERO, |graph, x| {
                let none = graph.constant(&arr1::<f32>(&[]).into_dyn());
                let scales = graph.constant(&arr1(&[1.0, 1.0, scales[0], scales[1]]).into_dyn());
                graph.node("Resize", &[x, &none, &scales], attributes.clone())
            });
        }
    }
}
