//! The text of a manifest for imported networks.

use std::fmt::Write as _;
use std::path::Path;

use super::ImportCommandError;
use crate::importing::Generator;

/// File names in a model folder.
pub(super) const MAPPING: &str = "mapping.onnx";
pub(super) const SYNTHESIS: &str = "synthesis.onnx";
pub(super) const W_AVG: &str = "w_avg.npy";

/// The name of a model, made of the name of its file: letters, digits, `.`, `_` and `-`, at most 64.
///
/// # Errors
/// [`ImportCommandError::Name`] if nothing remains.
pub(super) fn model_name(file: &Path) -> Result<String, ImportCommandError> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let name: String = stem.chars().filter(|&letter| allowed(letter)).take(64).collect();
    let name = name.trim_start_matches(|first: char| !first.is_ascii_alphanumeric());
    if name.is_empty() {
        return Err(ImportCommandError::Name {
            found: file.display().to_string(),
        });
    }
    Ok(name.to_owned())
}

/// The manifest of a generator.
pub(super) fn of_generator(
    name: &str,
    generator: &Generator,
    file: &str,
    has_w_avg: bool,
    has_gradient: bool,
) -> String {
    let Generator {
        architecture,
        resolution,
        z_dim,
        w_dim,
        layers,
        ..
    } = generator;
    let description = quoted(&format!(
        "{architecture}, {resolution}×{resolution}, imported from {file}."
    ));
    let image = format!("image [batch, 3, {resolution}, {resolution}]");
    let mut text = format!(
        "name = {}\ndescription = {description}\n\n[generator]\n",
        quoted(name)
    );
    if generator.mapping.is_some() {
        let codes = match layers {
            1 => format!("[batch, {w_dim}]"),
            _ => format!("[batch, {layers}, {w_dim}]"),
        };
        let _ = write!(
            text,
            "mapping = \"{MAPPING}\"        # z [batch, {z_dim}] -> w [batch, {w_dim}]\n\
             synthesis = \"{SYNTHESIS}\"    # w {codes} -> {image}\n"
        );
    } else {
        let _ = writeln!(
            text,
            "synthesis = \"{SYNTHESIS}\"    # z [batch, {z_dim}] -> {image}"
        );
    }
    text.push_str("image_range = [-1.0, 1.0]\n");
    if has_w_avg {
        let (psi, layers) = generator.truncation;
        let _ = write!(text, "\n[truncation]\nw_avg = \"{W_AVG}\"\npsi = {psi:?}\n");
        if let Some(layers) = layers {
            let _ = writeln!(text, "layers = {layers}");
        }
    }
    if has_gradient {
        text.push_str(
            "\n[gradient]                      # derived from the synthesis graph when the model is loaded\n",
        );
    }
    text
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_after_its_file() {
        let name = |file: &str| model_name(Path::new(file)).unwrap();
        assert_eq!(
            name("/tmp/network-snapshot-000000.pkl"),
            "network-snapshot-000000"
        );
        assert_eq!(name("_ffhq (1).pt"), "ffhq1");
        let error = model_name(Path::new("顔.pkl")).unwrap_err().to_string();
        assert!(error.contains("--name"), "{error}");
    }
}
