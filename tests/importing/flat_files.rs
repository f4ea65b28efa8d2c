//! State dicts as flat files of tensors: the same network is recognised in them, without settings.

use std::path::Path;

use faceplane::checkpoint::{Checkpoint, Network, Object};
use faceplane::graph::Model;
use faceplane::importing::{Generator, Imported, import};
use ndarray::ArrayD;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::importing::fixture::Fixture;

/// The fixtures. That of a network with a clamp is not here: the clamp is a setting.
const FIXTURES: [&str; 20] = [
    "sg2ada-skip",
    "sg2ada-cond",
    "sg2ada-resnet",
    "rosinality-train",
    "rosinality-converted",
    "genforce-stylegan2",
    "tf-stylegan2",
    "interfacegan-stylegan",
    "interfacegan-stylegan-128",
    "genforce-stylegan",
    "tf-stylegan1",
    "tf-stylegan1-128",
    "interfacegan-pggan",
    "genforce-pggan",
    "tf-pggan",
    "tf-pggan-fused",
    "sg3-t",
    "sg3-r",
    "e4e",
    "arcface-iresnet18",
];

#[test]
fn a_network_in_safetensors_gives_the_same_graphs_as_in_its_own_format() {
    let folder = tempfile::tempdir().unwrap();
    for name in FIXTURES {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let checkpoint = Checkpoint::read(&fixture.file()).unwrap();
        let network = preferred(&checkpoint);
        let mut tensors: Vec<_> = network
            .tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.read().unwrap()))
            .collect();
        if let Some(Object::Tensor(average)) = checkpoint.root.get("latent_avg") {
            tensors.push(("latent_avg".to_owned(), average.read().unwrap()));
        }
        let file = folder.path().join("flat.safetensors");
        write(&file, &tensors);
        let flat = import(&Checkpoint::read(&file).unwrap());
        let flat = flat.unwrap_or_else(|error| panic!("{name}: {error}"));
        let original = import(&checkpoint).unwrap();
        assert!(graphs(&flat) == graphs(&original), "{name}: other graphs");
        assert_eq!(averages(&flat), averages(&original), "{name}");
    }
}

/// The network that an import uses.
pub(crate) fn preferred(checkpoint: &Checkpoint) -> &Network {
    let names = ["G_ema", "g_ema", "Gs", "generator_smooth"];
    let mut networks = names
        .iter()
        .filter_map(|name| checkpoint.networks.iter().find(|network| network.name == *name));
    networks.next().unwrap_or(&checkpoint.networks[0])
}

/// All graphs of a network.
pub(crate) fn graphs(imported: &Imported) -> Vec<&Model> {
    fn of_generator(generator: &Generator) -> Vec<&Model> {
        let mapping = generator.mapping.iter();
        mapping.chain([&generator.synthesis]).collect()
    }
    match imported {
        Imported::Generator(generator) => of_generator(generator),
        Imported::Encoder(encoder, decoder) => {
            let decoder = decoder.iter().flat_map(|decoder| of_generator(decoder));
            decoder.chain([&encoder.graph]).collect()
        }
        Imported::Recognizer(recognizer) => vec![&recognizer.graph],
    }
}

/// The average codes of a network.
pub(crate) fn averages(imported: &Imported) -> Vec<Option<ArrayD<f32>>> {
    let of_generator = |generator: &Generator| generator.w_avg.clone().map(ndarray::Array::into_dyn);
    match imported {
        Imported::Generator(generator) => vec![of_generator(generator)],
        Imported::Encoder(encoder, decoder) => vec![
            encoder.latent_avg.clone().map(ndarray::Array::into_dyn),
            decoder.as_deref().and_then(of_generator),
        ],
        Imported::Recognizer(_) => Vec::new(),
    }
}

/// Writes a `.safetensors` file.
pub(crate) fn write(file: &Path, tensors: &[(String, ArrayD<f32>)]) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, values), bytes)| {
        let view = TensorView::new(Dtype::F32, values.shape().to_vec(), bytes).unwrap();
        (name.as_str(), view)
    });
    safetensors::serialize_to_file(views, None, file).unwrap();
}
