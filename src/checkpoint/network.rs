//! A network in a checkpoint: its tensors by name, and its settings.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::object::Object;
use crate::checkpoint::tensor::StoredTensor;

/// A network in a checkpoint, whatever the format of the file.
///
/// | in the file | `name` | `class` | `settings` | names of `tensors` |
/// | --- | --- | --- | --- | --- |
/// | an object of a class with parameters (StyleGAN2-ADA, StyleGAN3) | its key: `G_ema` | `training.networks.Generator` | `_init_kwargs` | paths of modules: `synthesis.b4.conv1.weight` |
/// | a TensorFlow-era network | `G`, `D`, `Gs` | the function that builds it, `build_func_name` | `static_kwargs` | variables; those of a component with its name: `mapping/Dense0/weight` |
/// | a state dict in a dictionary (rosinality, GenForce, e4e) | its key: `g_ema`, `generator_smooth`, `state_dict` | – | `args` or `opts` of the file | keys of the state dict |
/// | a state dict that is the whole file, or safetensors | empty | – | – | keys of the state dict |
#[derive(Clone, Debug)]
pub struct Network {
    /// Its key in the file. Empty if it is the whole file.
    pub name: String,
    /// Its class or function, if the file names one.
    pub class: Option<String>,
    /// What it was constructed with: a dictionary, or [`Object::None`].
    pub settings: Object,
    /// Its parameters and buffers.
    pub tensors: BTreeMap<String, Rc<StoredTensor>>,
}
