//! Gradients of scores by the code, through a generator and classifiers with conversions of their own.

use faceplane::graph::gradient::{
    ImageConversion, LinearScore, ScoreReading, ScoringNetwork, score_gradient,
};
use faceplane::graph::{Axis, GraphBuilder, Model, Value, integer};
use ndarray::{Array1, Array2, ArrayD, Axis as Dimension, IxDyn, stack};

use crate::differentiation::central::numbers;
use crate::onnx_session::OnnxSession;

const CODE: usize = 6;

/// A generator: codes → images `[batch, 3, 8, 8]`.
fn generator() -> Model {
    let mut graph = GraphBuilder::new("generator");
    let code = graph.input("w", &[Axis::batch(), Axis::Fixed(CODE)]);
    let weights = graph.constant(&numbers(&[CODE, 192], 3).mapv(|value| value * 0.4));
    let flat = graph.node("MatMul", &[&code, &weights], vec![]);
    let bent = graph.node("Tanh", &[&flat], vec![]);
    let shape = graph.integers(&[-1, 3, 8, 8]);
    let image = graph.node("Reshape", &[&bent, &shape], vec![]);
    let axes = [Axis::batch(), Axis::Fixed(3), Axis::Fixed(8), Axis::Fixed(8)];
    graph.output("image", &image, &axes);
    graph.finish()
}

/// A classifier: images → columns, by a layer and then `last`.
fn classifier(input: [usize; 3], columns: usize, last: impl Fn(&mut GraphBuilder, &Value) -> Value) -> Model {
    let mut graph = GraphBuilder::new("classifier");
    let axes = input.map(Axis::Fixed);
    let image = graph.input("image", &[&[Axis::batch()], &axes[..]].concat());
    let flat = graph.node("Flatten", &[&image], vec![]);
    let pixels: usize = input.iter().product();
    let weights = graph.constant(&numbers(&[pixels, columns], 7).mapv(|value| value * 0.2));
    let columns_of = graph.node("MatMul", &[&flat, &weights], vec![]);
    let scores = last(&mut graph, &columns_of);
    graph.output("scores", &scores, &[Axis::batch(), Axis::Fixed(columns)]);
    graph.finish()
}

fn plain(
    channels: Vec<([f32; 3], f32)>,
    crop: [[usize; 2]; 2],
    size: [usize; 2],
    is_nhwc: bool,
) -> ImageConversion {
    ImageConversion {
        crop,
        size,
        channels,
        is_nhwc,
    }
}

/// The channels as they are.
fn rgb() -> Vec<([f32; 3], f32)> {
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        .map(|weights| (weights, 0.0))
        .to_vec()
}

fn score(column: usize, reading: ScoreReading, is_probability: bool) -> LinearScore {
    LinearScore {
        column,
        output: None,
        reading,
        is_probability,
    }
}

/// The scores of codes `[codes, 6]`, and the gradients of each score of each code.
struct Scores {
    session: OnnxSession,
    scores: usize,
}

impl Scores {
    fn new(networks: &[ScoringNetwork<'_>], scores: usize) -> Self {
        let graph = score_gradient(&generator(), "w", networks).unwrap();
        Self {
            session: OnnxSession::open(&graph),
            scores,
        }
    }

    fn run(&mut self, codes: &ArrayD<f32>, weights: &Array2<f32>) -> (ArrayD<f32>, ArrayD<f32>) {
        let weights = weights.view().into_dyn();
        let mut outputs = self.session.run(&[("w", codes.view()), ("weights", weights)]);
        (
            outputs.remove("scores").unwrap(),
            outputs.remove("gradient").unwrap(),
        )
    }

    /// Refuses gradients that differ from extrapolated central differences by more than 1e-3 of their length.
    fn check(&mut self, name: &str) {
        const STEP: f32 = 1.0 / 64.0;
        let at = numbers(&[CODE], 11);
        for score in 0..self.scores {
            let mut one = Array2::zeros((1, self.scores));
            one[[0, score]] = 1.0;
            let (_, gradient) = self.run(&at.clone().insert_axis(Dimension(0)), &one);
            let expected = Array1::from_shape_fn(CODE, |axis| {
                let moved = [1.0, -1.0, 2.0, -2.0].map(|steps| {
                    let mut moved = at.clone();
                    moved[IxDyn(&[axis])] += steps * STEP;
                    moved
                });
                let views: Vec<_> = moved.iter().map(|code| code.view()).collect();
                let codes = stack(Dimension(0), &views).unwrap();
                let (scores, _) = self.run(&codes, &Array2::zeros((4, self.scores)));
                let of = |row: usize| f64::from(scores[[row, score]]);
                (8.0 * (of(0) - of(1)) - (of(2) - of(3))) / (12.0 * f64::from(STEP))
            });
            let found: Array1<f64> = gradient.iter().map(|&value| f64::from(value)).collect();
            let length = |values: &Array1<f64>| values.mapv(|value| value * value).sum().sqrt();
            let (apart, norm) = (length(&(&found - &expected)), length(&expected));
            assert!(
                norm > 1e-3 && apart < 1e-3 * norm,
                "{name}, score {score}: {found} is not {expected}"
            );
        }
    }
}

#[test]
fn the_gradient_of_each_kind_of_score_equals_central_differences() {
    let logits = classifier([3, 8, 8], 4, |_, columns| columns.clone());
    let softmax = classifier([3, 4, 4], 4, |graph, columns| {
        graph.node("Softmax", &[columns], vec![integer("axis", 1)])
    });
    let sigmoid = classifier([1, 5, 7], 2, |graph, columns| {
        graph.node("Sigmoid", &[columns], vec![])
    });
    let mixed = classifier([8, 8, 3], 3, |graph, columns| {
        let two = graph.constant(&ArrayD::from_elem(IxDyn(&[]), 0.25_f32));
        let half = graph.node("Sigmoid", &[columns], vec![]);
        graph.node("Mul", &[&half, &two], vec![])
    });
    let bgr = vec![
        ([0.0, 0.0, 2.0], 0.5),
        ([0.0, 1.0, 0.0], -0.5),
        ([3.0, 0.0, 0.0], 0.0),
    ];
    let whole = [[0, 8], [0, 8]];
    let networks = [
        ScoringNetwork {
            model: &logits,
            conversion: plain(rgb(), whole, [8, 8], false),
            scores: vec![
                score(0, ScoreReading::Column(1), false),
                score(
                    1,
                    ScoreReading::LogOdds {
                        column: 0,
                        others: vec![2, 3],
                    },
                    false,
                ),
                score(
                    2,
                    ScoreReading::Expected {
                        bins: vec![(0, 1.0), (1, 5.0), (3, -2.0)],
                        is_softmax: true,
                    },
                    false,
                ),
            ],
        },
        ScoringNetwork {
            model: &softmax,
            conversion: plain(bgr, whole, [4, 4], false),
            scores: vec![score(3, ScoreReading::Logit(2), true)],
        },
        ScoringNetwork {
            model: &sigmoid,
            conversion: plain(vec![([0.3, 0.6, 0.1], 0.2)], [[1, 7], [0, 8]], [5, 7], false),
            // Two classifiers score the attribute of column 4: their probabilities are averaged.
            scores: vec![score(4, ScoreReading::Logit(0), true)],
        },
        ScoringNetwork {
            model: &mixed,
            conversion: plain(rgb(), whole, [8, 8], true),
            scores: vec![
                score(4, ScoreReading::Logit(1), true),
                score(5, ScoreReading::Logit(2), true),
            ],
        },
    ];
    Scores::new(&networks, 6).check("every kind");
}

#[test]
fn a_saturated_probability_still_has_a_gradient() {
    let saturated = |operator: &'static str, factor: f32| {
        classifier([3, 8, 8], 2, move |graph, columns| {
            let factor = graph.constant(&ArrayD::from_elem(IxDyn(&[]), factor));
            let far = graph.node("Mul", &[columns, &factor], vec![]);
            let attributes = if operator == "Softmax" {
                vec![integer("axis", 1)]
            } else {
                vec![]
            };
            graph.node(operator, &[&far], attributes)
        })
    };
    for operator in ["Sigmoid", "Softmax"] {
        let network = saturated(operator, 1000.0);
        let networks = [ScoringNetwork {
            model: &network,
            conversion: plain(rgb(), [[0, 8], [0, 8]], [8, 8], false),
            scores: vec![score(0, ScoreReading::Logit(0), true)],
        }];
        Scores::new(&networks, 1).check(operator);
    }
}

#[test]
fn an_operator_without_a_derivative_is_named() {
    let network = classifier([3, 8, 8], 2, |graph, columns| {
        graph.node("Det3", &[columns], vec![])
    });
    let networks = [ScoringNetwork {
        model: &network,
        conversion: plain(rgb(), [[0, 8], [0, 8]], [8, 8], false),
        scores: vec![score(0, ScoreReading::Column(0), false)],
    }];
    let error = score_gradient(&generator(), "w", &networks)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Det3"), "{error}");
}
