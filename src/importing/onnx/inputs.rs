//! The inputs of a graph: the code and the label, and those that become constants.

use ndarray::{ArrayD, IxDyn};

use crate::graph::edits::{self, Editor, Port};
use crate::graph::proto::{DataType, TensorProto};
use crate::graph::{Model, float_tensor, integer_tensor, signed};
use crate::importing::onnx::codes::{codes, declare_input};
use crate::latent::standard_normal;

/// The names that exporters give to the class of a class-conditional generator.
const LABELS: [&str; 8] = [
    "label",
    "labels",
    "c",
    "y",
    "class",
    "cond",
    "condition",
    "one_hot",
];

/// Most values of an input: those of noise for 4096×4096 pixels. A file can claim any size, and costs that much memory.
const LARGEST_INPUT: usize = 1 << 24;

/// What an input is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A latent code.
    Code,
    /// The class, as a vector.
    Label,
    /// The truncation's psi.
    Psi,
    /// The number of truncated layers.
    Cutoff,
    /// Noise that is added to a feature map.
    Noise,
    /// A picture: the graph is no generator.
    Picture,
    /// Something else.
    Unknown,
}

/// The inputs of a graph whose other inputs are constants now.
pub(super) struct Inputs {
    /// The shape of a code, without the batch: `[dim]` or `[layers, dim]`.
    pub(super) code: Vec<usize>,
    /// The number of rows of a run, if the graph fixes it.
    pub(super) batch: Option<usize>,
    /// The number of classes.
    pub(super) label: Option<usize>,
    /// What was changed, in words.
    pub(super) changes: Vec<String>,
}

/// Binds all inputs but the code, which gets the name `z` and the shape `[batch, dim]` or `[batch, layers, dim]`, and the
/// label. An error is what was found and what was expected.
pub(super) fn simplify(model: &mut Model) -> Result<Inputs, (String, String)> {
    let ports = edits::inputs(model);
    if let Some(port) = ports.iter().find(|port| !is_of_usual_size(port)) {
        let expected = format!("inputs of at most {LARGEST_INPUT} values");
        return Err((format!("the input {}", described(port)), expected));
    }
    let mut code = None;
    let (mut label, mut rest) = (None, Vec::new());
    for port in &ports {
        match purpose(port) {
            Purpose::Code if code.is_none() => code = Some(port),
            Purpose::Label if label.is_none() => label = Some(port),
            purpose => rest.push((purpose, port)),
        }
    }
    // Some exporters call z a name that means a label elsewhere.
    let code = code.or_else(|| label.take()).ok_or_else(|| {
        let found: Vec<_> = ports.iter().map(described).collect();
        (
            format!("the inputs {}", found.join(", ")),
            "an input z or w of shape [batch, dim]".to_owned(),
        )
    })?;
    let mut inputs = take_code(model, code)?;
    if let Some(port) = label {
        take_label(model, port, &mut inputs)?;
    }
    for (index, (purpose, port)) in rest.into_iter().enumerate() {
        bind_other(model, purpose, port, index, &mut inputs)?;
    }
    Ok(inputs)
}

/// Whether a graph takes pictures: it is a classifier, an encoder, or another network beside a generator.
pub(super) fn takes_pictures(model: &Model) -> bool {
    let purposes: Vec<_> = edits::inputs(model).iter().map(purpose).collect();
    purposes.contains(&Purpose::Picture)
}

/// Takes away the inputs that no node uses, such as the label of a generator without classes.
pub(super) fn drop_unused(model: &mut Model) {
    let graph = model.graph_mut();
    let used: std::collections::BTreeSet<_> = graph
        .node
        .iter()
        .flat_map(edits::used)
        .map(str::to_owned)
        .collect();
    graph.input.retain(|input| used.contains(&input.name));
}

/// Whether the fixed axes of an input have at most [`LARGEST_INPUT`] values.
fn is_of_usual_size(port: &Port) -> bool {
    let mut lengths = port.axes.iter().flatten().flatten();
    let values = lengths.try_fold(1_usize, |values, &length| values.checked_mul(length.max(1)));
    values.is_some_and(|values| values <= LARGEST_INPUT)
}

fn purpose(port: &Port) -> Purpose {
    let name = port.name.to_lowercase();
    let Some(axes) = &port.axes else {
        return Purpose::Unknown;
    };
    let spatial = matches!(axes[..], [_, _, height, width] if height != Some(1) && width != Some(1));
    let is_float = port.element == DataType::Float;
    let is_scalar = axes.iter().skip(1).all(|&axis| axis == Some(1)) && axes.len() <= 2;
    if name.contains("cutoff") && is_scalar {
        return Purpose::Cutoff;
    }
    if (name.contains("psi") || name.contains("trunc")) && is_scalar {
        return Purpose::Psi;
    }
    if name.contains("label") || name.contains("class") || LABELS.contains(&name.as_str()) {
        return Purpose::Label;
    }
    match axes[..] {
        [_, Some(1), Some(_), Some(_)] if spatial && is_float => Purpose::Noise,
        _ if spatial && is_float && name.contains("noise") => Purpose::Noise,
        _ if spatial => Purpose::Picture,
        _ if is_float && !axes.is_empty() && !is_scalar => Purpose::Code,
        // A code of one number, and an input for a code without a batch.
        [_] if is_float && ["z", "w", "latent"].contains(&name.as_str()) => Purpose::Code,
        _ => Purpose::Unknown,
    }
}

/// Gives the code its name and shape.
fn take_code(model: &mut Model, port: &Port) -> Result<Inputs, (String, String)> {
    let axes = port.axes.as_deref().unwrap_or_default();
    let expected = "a code of shape [batch, dim], [batch, layers, dim] or [batch, dim, 1, 1] with all lengths but the batch fixed";
    let wrong = || (format!("the input {}", described(port)), expected.to_owned());
    let (batch, lengths) = match axes {
        [dim] => (Some(1), std::slice::from_ref(dim)),
        [batch, lengths @ ..] => (*batch, lengths),
        [] => return Err(wrong()),
    };
    let lengths: Vec<_> = lengths.iter().copied().collect::<Option<_>>().ok_or_else(wrong)?;
    let code: Vec<usize> = match lengths[..] {
        [dim] | [dim, 1, 1] | [1, dim] | [1, 1, dim] => vec![dim],
        [layers, dim] => vec![layers, dim],
        _ => return Err(wrong()),
    };
    let mut changes = Vec::new();
    let value = codes("z", batch, &code);
    if lengths == code && axes.len() > 1 {
        let mut editor = Editor::new(model);
        editor.rename(&port.name, "z");
        declare_input(model, value);
    } else {
        changes.push(format!("codes of shape {}", shape_of(port)));
        let shape: Vec<i64> = match axes {
            [_] => vec![-1],
            _ => std::iter::once(-1)
                .chain(lengths.iter().map(|&length| signed(length)))
                .collect(),
        };
        let mut editor = Editor::new(model);
        let inner = editor.open_input(&port.name);
        editor.input(value);
        let shape = editor.integers(&shape);
        editor.node_to(&inner, "Reshape", &["z", &shape], vec![]);
        editor.finish_before();
    }
    Ok(Inputs {
        code,
        batch,
        label: None,
        changes,
    })
}

/// Gives the label its name, or takes it away if it has no columns.
fn take_label(model: &mut Model, port: &Port, inputs: &mut Inputs) -> Result<(), (String, String)> {
    let classes = match port.axes.as_deref() {
        Some([_, Some(classes)]) if port.element == DataType::Float => *classes,
        _ => {
            return Err((
                format!("the input {}", described(port)),
                "a label of shape [batch, classes] in floating-point numbers".to_owned(),
            ));
        }
    };
    if classes == 0 {
        inputs.changes.push(format!("{} without columns", port.name));
        edits::bind_rows(model, &port.name, &ArrayD::zeros(IxDyn(&[1, 0])), "z");
        return Ok(());
    }
    Editor::new(model).rename(&port.name, "label");
    declare_input(model, codes("label", inputs.batch, &[classes]));
    inputs.label = Some(classes);
    Ok(())
}

/// Makes an input a constant.
fn bind_other(
    model: &mut Model,
    purpose: Purpose,
    port: &Port,
    index: usize,
    inputs: &mut Inputs,
) -> Result<(), (String, String)> {
    let axes = port.axes.clone().unwrap_or_default();
    let one_row: Vec<_> = axes.iter().map(|axis| axis.unwrap_or(1)).collect();
    let number = match purpose {
        Purpose::Psi => 1,
        Purpose::Cutoff => 0,
        Purpose::Noise => {
            let lengths: Option<Vec<_>> = axes[1..].iter().copied().collect();
            let lengths = lengths.ok_or_else(|| {
                (
                    format!("the noise {}", described(port)),
                    "noise with all lengths but the batch fixed".to_owned(),
                )
            })?;
            inputs.changes.push(format!("constants for {}", port.name));
            let shape = [&[1], lengths.as_slice()].concat();
            edits::bind_rows(model, &port.name, &noise(index, &shape), "z");
            return Ok(());
        }
        _ => {
            return Err((
                format!("the input {}", described(port)),
                "z or w, and besides them a label, psi, a cutoff, and noise of shape [batch, 1, height, width]".to_owned(),
            ));
        }
    };
    let value = constant(port.element, &one_row, number).ok_or_else(|| {
        (
            format!("the input {}", described(port)),
            "a floating-point number or an integer".to_owned(),
        )
    })?;
    inputs.changes.push(format!("{} = {number}", port.name));
    edits::bind(model, &port.name, value);
    Ok(())
}

/// Constants for noise: the same in every import, and other ones for each input.
#[expect(
    clippy::cast_possible_truncation,
    reason = "there are few inputs, and noise is f32"
)]
pub(super) fn noise(index: usize, shape: &[usize]) -> ArrayD<f32> {
    let values = standard_normal(index as u32, shape.iter().product());
    let values = values.into_iter().map(|value| value as f32).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("there is a value for each element")
}

/// A tensor with one number in all elements.
fn constant(element: DataType, shape: &[usize], number: u8) -> Option<TensorProto> {
    let count = shape.iter().product();
    let dims = shape.iter().map(|&length| signed(length)).collect();
    let tensor = match element {
        DataType::Float => float_tensor("", ArrayD::from_elem(IxDyn(shape), f32::from(number)).view()),
        DataType::Int64 => integer_tensor("", &vec![i64::from(number); count]),
        DataType::Int32 => TensorProto {
            data_type: DataType::Int32.into(),
            raw_data: i32::from(number).to_le_bytes().repeat(count),
            ..TensorProto::default()
        },
        _ => return None,
    };
    Some(TensorProto { dims, ..tensor })
}

/// The name, type and shape of an input.
fn described(port: &Port) -> String {
    format!("{:?} ({:?} {})", port.name, port.element, shape_of(port))
}

fn shape_of(port: &Port) -> String {
    let Some(axes) = &port.axes else {
        return "of unknown shape".to_owned();
    };
    let lengths = axes
        .iter()
        .map(|axis| axis.map_or("?".to_owned(), |length| length.to_string()));
    format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
}
