//! Checkpoints with a wrong tensor: an import refuses them, and never panics.

use std::rc::Rc;

use faceplane::checkpoint::{Checkpoint, Network, Object, StoredTensor};
use faceplane::importing::{Imported, import};
use ndarray::ArrayD;

use crate::importing::fixture::Fixture;
use crate::importing::flat_files::{averages, graphs, preferred, write};

/// A test for each fixture, so that they run in parallel.
macro_rules! each_wrong_tensor_is_refused {
    ($($test:ident: $fixture:literal,)*) => {
        $(#[test]
        fn $test() {
            each_wrong_tensor_is_refused($fixture);
        })*
    };
}

each_wrong_tensor_is_refused! {
    a_wrong_tensor_of_stylegan2_ada_is_refused: "sg2ada-skip",
    a_wrong_tensor_of_a_class_conditional_network_is_refused: "sg2ada-cond",
    a_wrong_tensor_of_the_resnet_architecture_is_refused: "sg2ada-resnet",
    a_wrong_tensor_of_a_clamped_network_is_refused: "sg2ada-fp16",
    a_wrong_tensor_of_rosinalitys_training_is_refused: "rosinality-train",
    a_wrong_tensor_of_rosinalitys_converter_is_refused: "rosinality-converted",
    a_wrong_tensor_of_genforces_stylegan2_is_refused: "genforce-stylegan2",
    a_wrong_tensor_of_tensorflows_stylegan2_is_refused: "tf-stylegan2",
    a_wrong_tensor_of_interfacegans_stylegan_is_refused: "interfacegan-stylegan",
    a_wrong_tensor_of_interfacegans_fused_stylegan_is_refused: "interfacegan-stylegan-128",
    a_wrong_tensor_of_genforces_stylegan_is_refused: "genforce-stylegan",
    a_wrong_tensor_of_tensorflows_stylegan_is_refused: "tf-stylegan1",
    a_wrong_tensor_of_tensorflows_fused_stylegan_is_refused: "tf-stylegan1-128",
    a_wrong_tensor_of_interfacegans_pggan_is_refused: "interfacegan-pggan",
    a_wrong_tensor_of_genforces_pggan_is_refused: "genforce-pggan",
    a_wrong_tensor_of_tensorflows_pggan_is_refused: "tf-pggan",
    a_wrong_tensor_of_tensorflows_fused_pggan_is_refused: "tf-pggan-fused",
    a_wrong_tensor_of_stylegan3_t_is_refused: "sg3-t",
    a_wrong_tensor_of_stylegan3_r_is_refused: "sg3-r",
    a_wrong_tensor_of_e4e_is_refused: "e4e",
    a_wrong_tensor_of_an_iresnet_is_refused: "arcface-iresnet18",
}

/// Takes each tensor away, and gives it another rank or another length. The import refuses that, or the tensor has no effect. A
/// file may be without its average code, and the weights of a mapping are all that shows the length of z
/// and the number of classes.
fn each_wrong_tensor_is_refused(name: &str) {
    let Some(fixture) = Fixture::open(name) else {
        return;
    };
    let checkpoint = Checkpoint::read(&fixture.file()).unwrap();
    let network = preferred(&checkpoint);
    let original = import(&with_network(&checkpoint, network.clone())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.safetensors");
    write(&file, &wrong_tensors(network));
    let wrong = Checkpoint::read(&file).unwrap().networks.remove(0).tensors;
    let mut accepted = Vec::new();
    // Batch normalizations count the batches of their training, which no import reads.
    let tensors = network.tensors.keys();
    for tensor in tensors.filter(|name| !name.ends_with("num_batches_tracked")) {
        let missing = ("missing".to_owned(), None);
        let changed = (0..SHAPES).filter_map(|index| {
            let stored: &Rc<StoredTensor> = wrong.get(&format!("{index} {tensor}"))?;
            Some((format!("of the shape {:?}", stored.shape()), Some(stored)))
        });
        for (how, replacement) in std::iter::once(missing).chain(changed) {
            let mut network = network.clone();
            network.tensors.remove(tensor);
            if let Some(replacement) = replacement {
                network.tensors.insert(tensor.clone(), Rc::clone(replacement));
            }
            let Ok(imported) = import(&with_network(&checkpoint, network)) else {
                continue;
            };
            let is_other_average = averages(&imported)
                .iter()
                .zip(averages(&original))
                .any(|(found, original)| found.is_some() && *found != original);
            let is_other_graph =
                graphs(&imported) != graphs(&original) && inputs(&imported) == inputs(&original);
            if is_other_graph || is_other_average {
                accepted.push(format!("{tensor} {how}"));
            }
        }
    }
    assert!(accepted.is_empty(), "{name} was imported with {accepted:#?}");
}

/// The length of z, and the number of classes.
fn inputs(imported: &Imported) -> Option<[usize; 2]> {
    match imported {
        Imported::Generator(generator) | Imported::Encoder(_, Some(generator)) => {
            Some([generator.z_dim, generator.classes])
        }
        _ => None,
    }
}

/// The checkpoint with this network only.
fn with_network(checkpoint: &Checkpoint, network: Network) -> Checkpoint {
    Checkpoint {
        format: checkpoint.format.clone(),
        digest: checkpoint.digest.clone(),
        networks: vec![network],
        root: match checkpoint.root.get("latent_avg") {
            Some(average) => Object::Dict(Rc::new(vec![(
                Object::Text("latent_avg".into()),
                average.clone(),
            )])),
            None => Object::None,
        },
    }
}

/// The number of wrong shapes for each tensor.
const SHAPES: usize = 3;

/// Each tensor with one more axis, with a longer axis, and without elements. The names begin with the number of the change.
fn wrong_tensors(network: &Network) -> Vec<(String, ArrayD<f32>)> {
    let mut tensors = Vec::new();
    for (name, tensor) in &network.tensors {
        let shape = tensor.shape();
        let mut shapes = vec![[shape, &[1]].concat()];
        for length in [shape.last().map_or(2, |length| length + 1), 0] {
            let before = &shape[..shape.len().saturating_sub(1)];
            shapes.push([before, &[length]].concat());
        }
        let values = tensor.read().unwrap();
        for (index, shape) in shapes.into_iter().enumerate() {
            let same = values.clone().into_shape_with_order(shape.clone());
            tensors.push((
                format!("{index} {name}"),
                same.unwrap_or_else(|_| ArrayD::ones(shape)),
            ));
        }
    }
    tensors
}

#[test]
fn a_generator_without_its_mapping_is_refused() {
    for (name, mapping) in [
        ("sg2ada-skip", "mapping."),
        ("rosinality-train", "style."),
        ("genforce-stylegan2", "mapping."),
        ("tf-stylegan2", "mapping/"),
        ("genforce-stylegan", "mapping."),
        ("tf-stylegan1", "mapping/"),
        ("sg3-t", "mapping."),
        ("e4e", "decoder.style."),
    ] {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let checkpoint = Checkpoint::read(&fixture.file()).unwrap();
        let mut network = preferred(&checkpoint).clone();
        let tensors = network.tensors.len();
        network.tensors.retain(|tensor, _| !tensor.starts_with(mapping));
        assert!(network.tensors.len() < tensors, "{name}");
        let error = import(&with_network(&checkpoint, network)).unwrap_err();
        println!("{name}: {error}");
    }
}
