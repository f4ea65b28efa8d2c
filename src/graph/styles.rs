//! The styles of a synthesis graph: what its layers make of the latent code, and the two parts of the graph before and behind them.

use std::collections::BTreeSet;

use crate::graph::affine_weights::{Constants, affine_layers};
use crate::graph::edits::{Editor, extract, inputs, used};
use crate::graph::proto::{
    Dimension, DimensionValue, GraphProto, TensorShapeProto, TensorType, TypeProto, TypeValue, ValueInfoProto,
};
use crate::graph::{GraphError, Model, integer, signed};

/// Operators that keep a style a style, if their other operand is a constant: the bias and the gain of its layer.
const SHIFT_OR_SCALE: [&str; 4] = ["Add", "Div", "Mul", "Sub"];
/// Operators that read the shape of their input, not its values.
const SHAPE_ONLY: [&str; 2] = ["Shape", "Size"];
/// The input that has the styles of all layers.
const STYLES: &str = "styles.of.all.layers";

/// The layers of a synthesis graph that make a style `[batch, channels]` of the latent code by an affine map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleLayers {
    /// The name of the graph's input.
    code: String,
    /// The tensor with each layer's style, and its channels.
    layers: Vec<(String, usize)>,
}

impl StyleLayers {
    /// Finds the layers that multiply a code of `dim` values, in the order of the graph.
    ///
    /// # Errors
    /// [`GraphError::NoAffineWeights`] if there are none, [`GraphError::CodeBesideStyles`] if the output also depends on the code by
    /// another way.
    pub fn find(model: &Model, dim: usize) -> Result<Self, GraphError> {
        let graph = model.graph();
        let code = inputs(model)
            .into_iter()
            .next()
            .map_or_else(String::new, |input| input.name);
        let constants = Constants::of(graph);
        let products = affine_layers(graph, &constants, &code, dim).into_iter();
        // A product with a kernel makes feature maps.
        let products = products.filter(|(node, _)| matches!(node.op_type.as_str(), "MatMul" | "Gemm"));
        let layers: Vec<(String, usize)> = products
            .map(|(node, matrix)| {
                (
                    finished_style(graph, &constants, &node.output[0]).to_owned(),
                    matrix.ncols(),
                )
            })
            .collect();
        if layers.is_empty() {
            return Err(GraphError::NoAffineWeights { input: code, dim });
        }
        let found = Self { code, layers };
        let before = found.before_styles(graph);
        if graph
            .output
            .iter()
            .any(|output| before.contains(output.name.as_str()))
        {
            return Err(GraphError::CodeBesideStyles { input: found.code });
        }
        Ok(found)
    }

    /// The channels of each layer, in the order of the graph.
    #[must_use]
    pub fn channels(&self) -> Vec<usize> {
        self.layers.iter().map(|&(_, channels)| channels).collect()
    }

    /// The part of the graph that makes the styles of all layers, `[batch, channels]`, of the code.
    ///
    /// # Errors
    /// [`GraphError::NoTensor`] if `model` is not the one in which the layers were found.
    pub fn code_to_styles(&self, model: &Model) -> Result<Model, GraphError> {
        let code = self.declared_code(model)?;
        let styles: Vec<&str> = self.layers.iter().map(|(tensor, _)| tensor.as_str()).collect();
        let outputs: Vec<_> = styles.iter().map(|style| like(&code, style, None)).collect();
        let part = extract(model, std::slice::from_ref(&code), &outputs);
        let mut part = part.ok_or_else(|| self.missing())?;
        let mut editor = Editor::new(&mut part);
        let all = editor.node("Concat", &styles, vec![integer("axis", 1)]);
        editor.finish_behind();
        part.graph_mut().output = vec![like(&code, &all, None)];
        Ok(part)
    }

    /// The part of the graph that makes the image of the styles of all layers, `[batch, channels]`.
    ///
    /// # Errors
    /// [`GraphError::NoTensor`] if `model` is not the one in which the layers were found.
    pub fn styles_to_image(&self, mut model: Model) -> Result<Model, GraphError> {
        let code = self.declared_code(&model)?;
        let before: BTreeSet<String> = self
            .before_styles(model.graph())
            .into_iter()
            .map(str::to_owned)
            .collect();
        for node in &mut model.graph_mut().node {
            // The batch of the styles is the batch of the code.
            if SHAPE_ONLY.contains(&node.op_type.as_str())
                && before.contains(node.input_name(0).unwrap_or(""))
            {
                STYLES.clone_into(&mut node.input[0]);
            }
            for output in &mut node.output {
                if self.layers.iter().any(|(style, _)| style == output) {
                    output.push_str(".of.code");
                }
            }
        }
        let mut editor = Editor::new(&mut model);
        let mut first = 0;
        for (style, channels) in &self.layers {
            let range: Vec<i64> = (first..first + channels).map(signed).collect();
            let range = editor.integers(&range);
            editor.node_to(style, "Gather", &[STYLES, &range], vec![integer("axis", 1)]);
            first += channels;
        }
        editor.finish_before();
        let styles = like(&code, STYLES, Some(first));
        let outputs = model.graph().output.clone();
        extract(&model, &[styles], &outputs).ok_or_else(|| self.missing())
    }

    /// The tensors that depend on the code by another way than through the styles.
    fn before_styles<'a>(&'a self, graph: &'a GraphProto) -> BTreeSet<&'a str> {
        let is_style = |tensor: &str| self.layers.iter().any(|(style, _)| style == tensor);
        let mut before = BTreeSet::from([self.code.as_str()]);
        for node in &graph.node {
            if !SHAPE_ONLY.contains(&node.op_type.as_str())
                && used(node).iter().any(|name| before.contains(name))
            {
                let made = node.output.iter().map(String::as_str);
                before.extend(made.filter(|made| !is_style(made)));
            }
        }
        before
    }

    fn declared_code(&self, model: &Model) -> Result<ValueInfoProto, GraphError> {
        let mut inputs = model.graph().input.iter();
        let code = inputs.find(|input| input.name == self.code).cloned();
        code.ok_or_else(|| self.missing())
    }

    fn missing(&self) -> GraphError {
        GraphError::NoTensor {
            name: self.code.clone(),
        }
    }
}

/// The tensor of a style after the bias and the gain of its layer, from the product of the code and the layer's matrix.
fn finished_style<'a>(graph: &'a GraphProto, constants: &Constants<'_>, product: &'a str) -> &'a str {
    let mut style = product;
    loop {
        let mut users = graph.node.iter().filter(|node| used(node).contains(&style));
        let (Some(node), None) = (users.next(), users.next()) else {
            return style;
        };
        let others: Vec<_> = node.input.iter().filter(|&input| input != style).collect();
        let is_affine = SHIFT_OR_SCALE.contains(&node.op_type.as_str())
            && others.len() == 1
            && constants.axes(others[0]).is_some_and(|axes| axes <= 2);
        match node.output.first() {
            Some(output) if is_affine => style = output,
            _ => return style,
        }
    }
}

/// The declaration of a tensor with the elements and the batch of the code. With `channels`, it has these as its second axis.
fn like(code: &ValueInfoProto, name: &str, channels: Option<usize>) -> ValueInfoProto {
    let declared = match code.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => tensor.clone(),
        _ => TensorType::default(),
    };
    let batch = declared
        .shape
        .as_ref()
        .and_then(|shape| shape.dim.first().cloned());
    let shape = channels.map(|channels| TensorShapeProto {
        dim: vec![
            batch.unwrap_or_default(),
            Dimension {
                value: Some(DimensionValue::Length(signed(channels))),
                ..Dimension::default()
            },
        ],
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(TypeValue::Tensor(TensorType { shape, ..declared })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayD, IxDyn};

    use super::StyleLayers;
    use crate::graph::edits::{inputs, outputs};
    use crate::graph::operators as op;
    use crate::graph::{Axis, GraphBuilder, GraphError, Model, Value};

    fn constant(graph: &mut GraphBuilder, rows: usize, columns: usize) -> Value {
        graph.constant(&Array2::<f32>::ones((rows, columns)).into_dyn())
    }

    /// A layer's product, bias and gain, for the row `layer` of a code.
    fn style(graph: &mut GraphBuilder, code: &Value, layer: i64, channels: usize) -> Value {
        let row = op::slice(graph, code, 1, layer, layer + 1);
        let row = op::reshape(graph, &row, &[-1, 2]);
        let matrix = constant(graph, 2, channels);
        let product = op::matmul(graph, &row, &matrix);
        let bias = constant(graph, 1, channels);
        let style = op::add(graph, &product, &bias);
        let gain = constant(graph, 1, 1);
        op::mul(graph, &style, &gain)
    }

    /// Two layers with styles of 3 and 2 channels. With `beside`, the code is also added to the image.
    fn synthesis(beside: bool) -> Model {
        let mut graph = GraphBuilder::new("layers");
        let code = graph.input("w", &[Axis::batch(), Axis::Fixed(2), Axis::Fixed(2)]);
        let features = graph.constant(&ArrayD::<f32>::ones(IxDyn(&[1, 3, 4, 4])));
        let first = style(&mut graph, &code, 0, 3);
        let first = op::unsqueeze(&mut graph, &first, &[2, 3]);
        let features = op::mul(&mut graph, &features, &first);
        let second = style(&mut graph, &code, 1, 2);
        let second = op::unsqueeze(&mut graph, &second, &[2, 3]);
        let part = op::slice(&mut graph, &features, 1, 0, 2);
        let mut image = op::mul(&mut graph, &part, &second);
        if beside {
            let brightness = op::reshape(&mut graph, &code, &[-1, 1, 2, 2]);
            let brightness = op::slice(&mut graph, &brightness, 2, 0, 1);
            let brightness = op::slice(&mut graph, &brightness, 3, 0, 1);
            image = op::add(&mut graph, &image, &brightness);
        }
        graph.output(
            "image",
            &image,
            &[Axis::batch(), Axis::Fixed(2), Axis::Fixed(4), Axis::Fixed(4)],
        );
        graph.finish()
    }

    #[test]
    fn the_styles_of_all_layers_are_found_behind_their_bias_and_gain() {
        let model = synthesis(false);
        let layers = StyleLayers::find(&model, 2).unwrap();
        assert_eq!(layers.channels(), [3, 2]);
        let styles = layers.code_to_styles(&model).unwrap();
        assert_eq!(inputs(&styles)[0].name, "w");
        let operators: Vec<_> = styles
            .graph()
            .node
            .iter()
            .map(|node| node.op_type.as_str())
            .collect();
        assert_eq!(
            operators.iter().filter(|&&operator| operator == "MatMul").count(),
            2
        );
        assert_eq!(
            operators.iter().filter(|&&operator| operator == "Mul").count(),
            2,
            "the gains"
        );
        let image = layers.styles_to_image(model).unwrap();
        assert_eq!(inputs(&image)[0].axes, Some(vec![None, Some(5)]));
        assert_eq!(outputs(&image)[0].name, "image");
        assert!(image.graph().node.iter().all(|node| node.op_type != "MatMul"));
    }

    #[test]
    fn a_graph_that_uses_its_code_beside_the_styles_is_refused() {
        let refused = StyleLayers::find(&synthesis(true), 2).unwrap_err();
        assert!(
            matches!(refused, GraphError::CodeBesideStyles { .. }),
            "{refused}"
        );
    }

    #[test]
    fn a_graph_without_products_of_the_code_has_no_styles() {
        let refused = StyleLayers::find(&synthesis(false), 7).unwrap_err();
        assert!(matches!(refused, GraphError::NoAffineWeights { .. }), "{refused}");
    }
}
