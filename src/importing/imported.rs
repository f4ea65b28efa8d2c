//! The result of an import: graphs, and what a manifest says about them.

use ndarray::{Array1, Array2};

use crate::graph::proto::NodeProto;
use crate::graph::{Model, float_tensor};

/// A network that was converted.
#[derive(Clone, Debug)]
pub enum Imported {
    /// A generator.
    Generator(Box<Generator>),
    /// An encoder, with the generator that it was trained for where the file has that too.
    Encoder(Box<Encoder>, Option<Box<Generator>>),
    /// A network for the identity of a face.
    Recognizer(Box<Recognizer>),
}

/// A generator.
#[derive(Clone, Debug)]
pub struct Generator {
    /// Name of the architecture: "StyleGAN2, skip".
    pub architecture: String,
    /// The network that was chosen, as the file calls it, such as `G_ema`.
    pub chosen: String,
    /// Height and width of its images.
    pub resolution: usize,
    /// Length of z.
    pub z_dim: usize,
    /// Length of w, and of z where there is no mapping.
    pub w_dim: usize,
    /// Layers that take a w code; 1 where there is no mapping, or where synthesis takes one w code for all layers.
    pub layers: usize,
    /// Number of classes of a class-conditional generator; 0 for others.
    pub classes: usize,
    /// `z` `[batch, z_dim]`, and `label` `[batch, classes]` if there are classes, → `w` `[batch, w_dim]`. Before truncation.
    pub mapping: Option<Model>,
    /// `w` `[batch, layers, w_dim]` → `image` `[batch, 3, resolution, resolution]`. Where there is no mapping, it takes `z`
    /// `[batch, z_dim]`; of an adopted ONNX file, it may take `w` `[batch, w_dim]`, its batch may be fixed, and its images may
    /// be wider than high or higher than wide (`resolution` is the height).
    pub synthesis: Model,
    /// The average w code, if the file has it. A generator with a mapping and without it gets the mean of many mapped codes.
    pub w_avg: Option<Array1<f32>>,
    /// The default truncation of the original: psi, and the number of layers if not all are truncated.
    pub truncation: (f64, Option<usize>),
}

/// An encoder: image → code in w+.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Name of the architecture: "e4e".
    pub architecture: String,
    /// Height and width of the image that it takes.
    pub size: usize,
    /// `image` `[batch, 3, size, size]` from −1 to 1 → `w` `[batch, layers, w_dim]`, without the average added.
    pub graph: Model,
    /// What is added to its codes, `[layers, w_dim]`, if the file has it.
    pub latent_avg: Option<Array2<f32>>,
}

impl Encoder {
    /// The graph with the average code added to its codes, if the file has one.
    #[must_use]
    pub fn complete_graph(&self) -> Model {
        let mut model = self.graph.clone();
        let Some(average) = &self.latent_avg else {
            return model;
        };
        let graph = model.graph_mut();
        let last = graph.node.iter_mut().find(|node| node.output == ["w"]);
        let last = last.expect("an encoder has the output w");
        "w_without_average".clone_into(&mut last.output[0]);
        let average = average.view().into_dyn();
        graph.initializer.push(float_tensor("latent_avg", average));
        graph.node.push(NodeProto {
            name: "add_average".to_owned(),
            op_type: "Add".to_owned(),
            input: vec!["w_without_average".to_owned(), "latent_avg".to_owned()],
            output: vec!["w".to_owned()],
            ..NodeProto::default()
        });
        model
    }
}

/// A network for the identity of a face: image → embedding.
#[derive(Clone, Debug)]
pub struct Recognizer {
    /// Name of the architecture, such as `ArcFace iresnet18`.
    pub architecture: String,
    /// Height and width of the image that it takes.
    pub size: usize,
    /// `image` `[batch, 3, size, size]` from −1 to 1 → `embedding` `[batch, values]`.
    pub graph: Model,
}
