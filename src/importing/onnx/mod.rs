//! ONNX files that somebody exported, taken over: a whole generator z → image, or a mapping and a synthesis network.
//!
//! What the graphs compute stays as it is. What they take and return becomes what the engine expects: z `[batch, dim]`, w, and
//! an RGB image in float32 from −1 to 1, with nothing random left. Facts that a graph does not declare are found by runs: the
//! caller gives a function that runs a graph once.
//!
//! | to find | look in |
//! | --- | --- |
//! | one file: what it takes and returns | `part` |
//! | the declaration of codes | `codes` |
//! | inputs besides the code: label, psi, noise | `inputs` |
//! | random nodes that become constants | `random` |
//! | layouts, channels and ranges of pictures | `picture` |
//! | a whole generator, split into mapping and synthesis | `split` |
//! | runs that find facts | `probe` |

mod codes;
mod inputs;
mod part;
mod picture;
mod probe;
mod random;
mod split;

use crate::catalog::Graph;
use crate::graph::Outline;
use crate::graph::edits::Editor;
use crate::importing::{Generator, ImportError, Imported};
use part::Part;
pub use probe::RunGraph;

/// Whether the bytes are an ONNX file.
#[must_use]
pub fn is_onnx(bytes: &[u8]) -> bool {
    Outline::read(bytes).has_graph
}

/// Takes over the generator in some ONNX files: one that makes images of z, or a mapping and a synthesis network.
///
/// # Errors
/// [`ImportError::Onnx`] names the file, what it has, and what can be taken over.
pub fn import(graphs: &[Graph], run: &RunGraph<'_>) -> Result<Imported, ImportError> {
    let (mut mappings, mut makers, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for graph in graphs {
        match Part::read(graph, run)? {
            None => left_out.push(graph.file.as_str()),
            Some(part) if part.makes_images() => makers.push(part),
            Some(part) => mappings.push(part),
        }
    }
    let files = |parts: &[Part<'_>]| {
        parts
            .iter()
            .map(|part| part.file.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if makers.len() > 1 && !mappings.is_empty() {
        // A folder may have the whole generator beside its parts.
        makers.retain(|maker| maker.code.len() > 1 || maker.file.to_lowercase().contains("synthesis"));
    }
    if makers.len() != 1 || mappings.len() > 1 {
        return Err(ImportError::Onnx {
            file: graphs.iter().map(|graph| graph.file.as_str()).collect::<Vec<_>>().join(", "),
            found: format!(
                "{} networks that make images ({}), {} mappings ({}), and {} networks for pictures",
                makers.len(),
                files(&makers),
                mappings.len(),
                files(&mappings),
                left_out.len()
            ),
            expected: "one network that makes images, and at most one mapping; classifiers, encoders and other networks for \
                       pictures are named in manifest.toml"
                .to_owned(),
        });
    }
    let mut maker = makers.remove(0).with_plain_picture();
    maker.changes.extend(
        left_out
            .iter()
            .map(|file| format!("{file} left out, a network for pictures")),
    );
    let generator = match mappings.pop() {
        Some(mapping) => paired(mapping, maker)?,
        None => whole(maker)?,
    };
    Ok(Imported::Generator(Box::new(generator)))
}

/// A generator of a mapping and a synthesis network in two files.
fn paired(mapping: Part<'_>, mut synthesis: Part<'_>) -> Result<Generator, ImportError> {
    if synthesis.label.is_some() {
        return Err(synthesis.error("a label in synthesis", "a label in the mapping only"));
    }
    let (rows, w_dim) = match *mapping.made.as_slice() {
        [w_dim] => (1, w_dim),
        [rows, w_dim] => (rows, w_dim),
        _ => {
            return Err(mapping.error(
                &format!("an output of shape {:?}", mapping.made),
                "[batch, dim] for w",
            ));
        }
    };
    let (layers, taken) = match *synthesis.code.as_slice() {
        [dim] => (1, dim),
        [layers, dim] => (layers, dim),
        _ => return Err(synthesis.error(&format!("codes of shape {:?}", synthesis.code), "w or w+")),
    };
    if taken != w_dim || (rows > 1 && layers > 1 && rows != layers) {
        let expected = format!(
            "codes of {layers} layers of {taken}, which {} takes",
            synthesis.file
        );
        return Err(mapping.error(&format!("w codes of {rows} rows of {w_dim}"), &expected));
    }
    Editor::new(&mut synthesis.model).rename("z", "w");
    let &[z_dim] = mapping.code.as_slice() else {
        return Err(mapping.error(&format!("codes of shape {:?}", mapping.code), "z [batch, dim]"));
    };
    let mapping = mapping.with_one_row()?;
    let classes = mapping.classes();
    Ok(synthesis.generator(z_dim, w_dim, layers, classes, Some(mapping.model)))
}

/// A generator in one file.
fn whole(part: Part<'_>) -> Result<Generator, ImportError> {
    let &[z_dim] = part.code.as_slice() else {
        let found = format!("codes of shape {:?}, but no mapping that makes them", part.code);
        return Err(part.error(
            &found,
            "the mapping too: import it with the folder, or in the same command",
        ));
    };
    let classes = part.classes();
    if let Some(halves) = split::split(&part) {
        let mut part = part;
        part.model = halves.synthesis;
        part.changes.push("split into mapping and synthesis".to_owned());
        return Ok(part.generator(z_dim, halves.w_dim, halves.layers, classes, Some(halves.mapping)));
    }
    if part.label.is_some() {
        return Err(part.error(
            "a label that the layers of synthesis use",
            "a label that only the mapping uses: export the mapping and synthesis as two graphs, or bind the label to a class",
        ));
    }
    Ok(part.generator(z_dim, z_dim, 1, 0, None))
}
