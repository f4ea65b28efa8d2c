//! Every tensor of the checkpoints that the original programs wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use faceplane::checkpoint::{Checkpoint, Element, Object, StoredTensor};

use crate::reference;

/// A line of `tensors.tsv`: shape, type and strides.
type Listed = (Vec<usize>, String, Vec<usize>);

/// The folders of the fixtures, each with its checkpoint.
pub(super) fn fixtures() -> Vec<(PathBuf, PathBuf)> {
    let Some(folder) = reference::folder("checkpoints") else {
        return Vec::new();
    };
    let folders = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.is_dir())
        .map(|folder| {
            let mut files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
            let checkpoint = files.find(|file| {
                let extension = file.extension().unwrap();
                ["pkl", "pt", "pth"].iter().any(|known| extension == *known)
            });
            (folder, checkpoint.unwrap())
        })
        .collect()
}

/// The checkpoint of one fixture.
fn checkpoint(name: &str) -> Option<Checkpoint> {
    let (_, file) = fixtures()
        .into_iter()
        .find(|(folder, _)| folder.ends_with(name))?;
    Some(Checkpoint::read(&file).unwrap())
}

fn lengths(text: &str, separator: char) -> Vec<usize> {
    text.split(separator)
        .map(|length| length.parse().unwrap())
        .collect()
}

/// The strides that matter: an axis with one element can have any.
fn used(shape: &[usize], strides: Vec<usize>) -> Vec<usize> {
    let steps = shape.iter().zip(strides);
    steps
        .map(|(&length, stride)| if length > 1 { stride } else { 0 })
        .collect()
}

/// The tensors that `tensors.tsv` lists.
fn listed(folder: &Path) -> BTreeMap<String, Listed> {
    let text = std::fs::read_to_string(folder.join("tensors.tsv")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let shape = if columns[1] == "scalar" {
                Vec::new()
            } else {
                lengths(columns[1], 'x')
            };
            let contiguous = (0..shape.len())
                .map(|axis| shape[axis + 1..].iter().product())
                .collect();
            let strides = columns[3].strip_prefix("strides ");
            let strides = strides.map_or(contiguous, |strides| lengths(strides, ','));
            let strides = used(&shape, strides);
            (columns[0].to_owned(), (shape, columns[2].to_owned(), strides))
        })
        .collect()
}

fn described(tensor: &StoredTensor) -> Listed {
    let element = match tensor.element() {
        // A scalar of NumPy is a number.
        Element::F32 | Element::F64 => "float32",
        Element::I64 => "int64",
        other => panic!("{other:?}"),
    };
    let strides = used(tensor.shape(), tensor.strides().to_vec());
    (tensor.shape().to_vec(), element.to_owned(), strides)
}

/// The tensors of a checkpoint under the names of `tensors.tsv`.
fn found(checkpoint: &Checkpoint) -> BTreeMap<String, Listed> {
    let mut found = BTreeMap::new();
    for (number, network) in checkpoint.networks.iter().enumerate() {
        let modules = checkpoint.root.list().is_none();
        for (name, tensor) in &network.tensors {
            let name = match (modules, network.name.as_str(), name.split_once('/')) {
                (true, "", _) => name.clone(),
                (true, network, _) => format!("{network}.{name}"),
                (false, network, Some((part @ ("mapping" | "synthesis"), name))) => {
                    format!("[{number}]{network}:{part}/{name}")
                }
                (false, network, _) => format!("[{number}]{network}/{name}"),
            };
            found.insert(name, described(tensor));
        }
    }
    for (key, value) in checkpoint.root.entries().unwrap_or_default() {
        if let (Some(key), Some(tensor)) = (key.text(), value.tensor()) {
            found.insert(key.to_owned(), described(tensor));
        }
    }
    found
}

#[test]
fn every_tensor_of_every_fixture_is_found_with_its_shape_type_and_strides() {
    for (folder, file) in fixtures() {
        let checkpoint = Checkpoint::read(&file).unwrap();
        let expected = listed(&folder);
        let found = found(&checkpoint);
        let all: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for name in all {
            assert_eq!(
                found.get(name),
                expected.get(name),
                "{name} of {}",
                file.display()
            );
        }
        for network in &checkpoint.networks {
            for (name, tensor) in &network.tensors {
                let values = tensor.read().unwrap();
                assert_eq!(values.shape(), tensor.shape());
                assert!(values.iter().all(|value| value.is_finite()), "{name}");
            }
        }
    }
}

#[test]
fn networks_have_their_names_classes_and_settings() {
    let Some(ada) = checkpoint("sg2ada-cond") else {
        return;
    };
    let named: Vec<_> = ada.networks.iter().map(|network| network.name.as_str()).collect();
    assert_eq!(named, ["G", "D", "G_ema", "augment_pipe"]);
    assert_eq!(ada.networks[2].class.as_deref(), Some("Generator"));
    let settings = &ada.networks[2].settings;
    assert_eq!(settings.get("c_dim").and_then(Object::integer), Some(3));

    let tensorflow = checkpoint("tf-stylegan2").unwrap();
    let named: Vec<_> = tensorflow
        .networks
        .iter()
        .map(|network| network.name.as_str())
        .collect();
    assert_eq!(named, ["G", "D", "Gs"]);
    assert_eq!(tensorflow.networks[2].class.as_deref(), Some("G_main"));
    let settings = &tensorflow.networks[2].settings;
    assert_eq!(settings.get("resolution").and_then(Object::integer), Some(32));

    let training = checkpoint("rosinality-train").unwrap();
    let named: Vec<_> = training
        .networks
        .iter()
        .map(|network| network.name.as_str())
        .collect();
    assert_eq!(named, ["g", "d", "g_ema"]);
    let settings = &training.networks[2].settings;
    assert_eq!(settings.get("latent").and_then(Object::integer), Some(24));
}

#[test]
fn a_strided_tensor_equals_the_same_tensor_in_row_major_order() {
    let Some(strided) = checkpoint("interfacegan-stylegan") else {
        return;
    };
    let tensorflow = checkpoint("tf-stylegan1").unwrap();
    let averaged = &tensorflow.networks[2];
    let weight = strided.networks[0].tensors["mapping.dense0.linear.weight"]
        .read()
        .unwrap();
    let expected = averaged.tensors["mapping/Dense0/weight"].read().unwrap();
    assert_eq!(weight, expected.reversed_axes());
    let weight = strided.networks[0].tensors["synthesis.layer1.conv.weight"]
        .read()
        .unwrap();
    let expected = averaged.tensors["synthesis/4x4/Conv/weight"].read().unwrap();
    assert_eq!(weight, expected.permuted_axes(vec![3, 2, 0, 1]));
}
