//! One ONNX file, with simple inputs and one output in float32.

use ndarray::ArrayD;

use crate::catalog::Graph;
use crate::graph::edits::{self, Editor, Port};
use crate::graph::proto::DataType;
use crate::graph::{Model, integer, undeclared_value};
use crate::importing::onnx::codes::{codes, declare_input};
use crate::importing::onnx::inputs::{self, Inputs};
use crate::importing::onnx::picture::Picture;
use crate::importing::onnx::probe::{Probe, RunGraph};
use crate::importing::onnx::random;
use crate::importing::{Generator, ImportError};

/// The names of outputs that matter, if there are several.
const OUTPUTS: [&str; 8] = ["image", "img", "images", "picture", "sample", "w", "ws", "output"];

/// A network of a generator: its input is `z`, with `label` if there are classes, whatever space the codes are in.
pub(super) struct Part<'a> {
    pub(super) file: String,
    pub(super) model: Model,
    /// The shape of a code, without the batch: `[dim]` or `[layers, dim]`.
    pub(super) code: Vec<usize>,
    /// The number of classes, if there is a label.
    pub(super) label: Option<usize>,
    /// The number of rows of a run, if the graph fixes it.
    pub(super) batch: Option<usize>,
    /// The name of the output.
    pub(super) output: String,
    /// The output's shape, without the batch.
    pub(super) made: Vec<usize>,
    picture: Option<Picture>,
    /// What was changed, in words.
    pub(super) changes: Vec<String>,
    pub(super) probe: Probe<'a>,
}

impl<'a> Part<'a> {
    /// Reads a file. `None` if it is a network for pictures.
    ///
    /// # Errors
    /// [`ImportError::Onnx`] if it is neither that nor a network of a generator.
    pub(super) fn read(graph: &Graph, run: &'a RunGraph<'a>) -> Result<Option<Self>, ImportError> {
        let failed = |(found, expected): (String, String)| ImportError::Onnx {
            file: graph.file.clone(),
            found,
            expected,
        };
        let broken =
            |reason: crate::graph::GraphError| failed((reason.to_string(), "a whole ONNX file".to_owned()));
        let mut model = graph.model().map_err(broken)?;
        edits::drop_defaults(&mut model);
        let output =
            choose_output(&model).ok_or_else(|| failed(("no output".to_owned(), "one output".to_owned())))?;
        let is_integer = matches!(
            output.element,
            DataType::Uint8 | DataType::Int8 | DataType::Int32 | DataType::Int64 | DataType::Uint16
        );
        let converted = edits::to_float32(&mut model);
        let output = only_output(&mut model, &output.name, is_integer);
        inputs::drop_unused(&mut model);
        if inputs::takes_pictures(&model) {
            return Ok(None);
        }
        let Inputs {
            code,
            mut batch,
            label,
            mut changes,
        } = inputs::simplify(&mut model).map_err(failed)?;
        if converted {
            changes.insert(0, "other floating-point types than float32".to_owned());
        }
        let probe = Probe { run };
        batch = fixed_batch(&mut model, probe, batch, &code, label).map_err(failed)?;
        let batches = batch.map_or_else(|| vec![2, 3], |batch| vec![batch]);
        let random = random::make_constant(&mut model, probe, &batches).map_err(failed)?;
        if random > 0 {
            changes.push(format!("constants for {random} random nodes"));
        }
        let made = probe
            .outputs(&model, batches[0])
            .map_err(|reason| failed(does_not_run(&reason)))?;
        let made = &made[0];
        let (rows, shape) = made
            .shape()
            .split_first()
            .map_or((0, &[][..]), |(&rows, shape)| (rows, shape));
        if rows != batches[0] {
            let found = format!(
                "an output of shape {:?} in a batch of {}",
                made.shape(),
                batches[0]
            );
            return Err(failed((
                found,
                "an output with the batch as its first axis".to_owned(),
            )));
        }
        Ok(Some(Self {
            file: graph.file.clone(),
            code,
            label,
            batch,
            output,
            made: shape.to_vec(),
            picture: Picture::of(shape, is_integer, range(made)),
            changes,
            probe,
            model,
        }))
    }

    /// Whether its output is a picture.
    pub(super) fn makes_images(&self) -> bool {
        self.picture.is_some()
    }

    /// The number of classes; 0 for a network without a label.
    pub(super) fn classes(&self) -> usize {
        self.label.unwrap_or(0)
    }

    /// The network with RGB pictures in `image`.
    pub(super) fn with_plain_picture(mut self) -> Self {
        if let Some(picture) = self.picture {
            picture.simplify(&mut self.model, &self.output, self.batch);
            self.changes.extend(picture.changes());
            "image".clone_into(&mut self.output);
        }
        self
    }

    /// A mapping that makes one w code, `w` `[batch, dim]`, also where it repeats it for each layer.
    ///
    /// # Errors
    /// [`ImportError::Onnx`] if the layers get different codes.
    pub(super) fn with_one_row(mut self) -> Result<Self, ImportError> {
        let w_dim = *self.made.last().unwrap_or(&0);
        if self.made.len() == 2 {
            let rows = self.batch.unwrap_or(2);
            let made = self.probe.outputs(&self.model, rows);
            let made = made.map_err(|reason| self.error(&does_not_run(&reason).0, "a graph that runs"))?;
            if !has_equal_rows(&made[0]) {
                return Err(self.error(
                    "a mapping that makes another code for each layer",
                    "one code for all layers: export it with psi 1, without truncation",
                ));
            }
        }
        one_row(
            &mut self.model,
            &self.output,
            self.batch,
            self.made.len() == 2,
            w_dim,
        );
        Ok(self)
    }

    /// The generator with this network as its synthesis, or as all of it.
    pub(super) fn generator(
        self,
        z_dim: usize,
        w_dim: usize,
        layers: usize,
        classes: usize,
        mapping: Option<Model>,
    ) -> Generator {
        let height = self.picture.map_or(0, |picture| picture.height);
        let changes = if self.changes.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.changes.join("; "))
        };
        Generator {
            architecture: format!("ONNX graph{changes}"),
            chosen: String::new(),
            resolution: height,
            z_dim,
            w_dim,
            layers,
            classes,
            mapping,
            synthesis: self.model,
            w_avg: None,
            truncation: (1.0, None),
        }
    }

    /// An error of this file.
    pub(super) fn error(&self, found: &str, expected: &str) -> ImportError {
        ImportError::Onnx {
            file: self.file.clone(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

/// Makes `output`, `[batch, dim]` or `[batch, layers, dim]` with equal rows, the only output, as `w` `[batch, dim]`.
pub(super) fn one_row(
    model: &mut Model,
    output: &str,
    batch: Option<usize>,
    is_repeated: bool,
    w_dim: usize,
) {
    let mut editor = Editor::new(model);
    let mut w = editor.open_output(output, "w");
    if is_repeated {
        let first = editor.index(0);
        w = editor.node("Gather", &[&w, &first], vec![integer("axis", 1)]);
    }
    editor.output(&w, codes("w", batch, &[w_dim]));
    editor.finish_behind();
}

/// Whether all rows of codes `[batch, layers, dim]` are equal.
pub(super) fn has_equal_rows(codes: &ArrayD<f32>) -> bool {
    let first = codes.index_axis(ndarray::Axis(1), 0).to_owned();
    codes.axis_iter(ndarray::Axis(1)).all(|row| row == first)
}

/// The output to use: the one with a usual name, or else a picture, or else the first.
fn choose_output(model: &Model) -> Option<Port> {
    let outputs = edits::outputs(model);
    let named = outputs
        .iter()
        .find(|output| OUTPUTS.contains(&output.name.as_str()));
    let picture = || {
        outputs
            .iter()
            .find(|output| output.axes.as_ref().is_some_and(|axes| axes.len() == 4))
    };
    named.or_else(picture).or(outputs.first()).cloned()
}

/// Makes a tensor the only output, in float32, and returns its name.
fn only_output(model: &mut Model, output: &str, is_integer: bool) -> String {
    const NAME: &str = "output";
    let mut editor = Editor::new(model);
    let mut output = editor.open_output(output, NAME);
    if is_integer {
        let to = i64::from(i32::from(DataType::Float));
        output = editor.node("Cast", &[&output], vec![integer("to", to)]);
    }
    // The shape is not known yet, and is declared when it is.
    editor.output(&output, undeclared_value(NAME));
    editor.finish_behind();
    NAME.to_owned()
}

/// The number of rows of a run. A graph that declares an open batch may have been traced with one row, and then takes no more.
fn fixed_batch(
    model: &mut Model,
    probe: Probe<'_>,
    declared: Option<usize>,
    code: &[usize],
    label: Option<usize>,
) -> Result<Option<usize>, (String, String)> {
    if declared.is_some() {
        return Ok(declared);
    }
    // The shapes that the graph declares between its nodes may be wrong after the edits.
    model.graph_mut().value_info.clear();
    let runs = |batch: usize| {
        let outputs = probe.outputs(model, batch)?;
        let rows = outputs[0].shape().first().copied();
        if rows == Some(batch) {
            Ok(())
        } else {
            Err(format!("the output has {rows:?} rows"))
        }
    };
    if runs(2).is_ok() && runs(3).is_ok() {
        return Ok(None);
    }
    runs(1).map_err(|reason| does_not_run(&reason))?;
    declare_input(model, codes("z", Some(1), code));
    if let Some(classes) = label {
        declare_input(model, codes("label", Some(1), &[classes]));
    }
    Ok(Some(1))
}

fn does_not_run(reason: &str) -> (String, String) {
    (
        format!("a graph that does not run: {reason}"),
        "a graph that ONNX Runtime runs".to_owned(),
    )
}

/// The least and the largest value.
fn range(values: &ArrayD<f32>) -> (f32, f32) {
    values
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), &value| {
            (least.min(value), most.max(value))
        })
}
