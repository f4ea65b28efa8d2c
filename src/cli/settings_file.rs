//! The settings file of `faceplane serve`: TOML with the names of the flags as keys.

use std::path::PathBuf;

use clap::Command;

use crate::catalog::parse_toml;

/// Why the settings cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line or the environment is wrong. `--help` and `--version` arrive here too.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The file cannot be read.
    #[error("{}: the settings file cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}: {reason}", file.display())]
    Toml {
        /// The file.
        file: PathBuf,
        /// The parser's message, with the line number.
        reason: String,
    },
    /// The file has a key that is not a setting.
    #[error("{}: found the key {key:?}, expected one of {}", file.display(), known.join(", "))]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The key found.
        key: String,
        /// The settings that exist.
        known: Vec<String>,
    },
    /// The file has a value of the wrong type.
    #[error("{}: {key} is {found}, expected a string, a number, true, false, or a list of strings", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The setting.
        key: String,
        /// The value found.
        found: String,
    },
}

/// Returns `command` with the values in `file` as the defaults of `serve`.
pub(super) fn with_defaults_from(file: PathBuf, command: Command) -> Result<Command, ConfigError> {
    let text = std::fs::read_to_string(&file).map_err(|source| ConfigError::Unreadable {
        file: file.clone(),
        source,
    })?;
    let table: toml::Table = parse_toml(&text).map_err(|reason| ConfigError::Toml {
        file: file.clone(),
        reason,
    })?;
    let serve = command
        .find_subcommand("serve")
        .expect("the command serve exists");
    let known: Vec<String> = serve
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        // A settings file cannot name another settings file.
        .filter(|name| *name != "config")
        .map(str::to_owned)
        .collect();
    let mut defaults = Vec::with_capacity(table.len());
    for (key, value) in table {
        if !known.contains(&key) {
            return Err(ConfigError::UnknownKey { file, key, known });
        }
        let arguments = arguments_of(&value).ok_or_else(|| ConfigError::Value {
            file: file.clone(),
            key: key.clone(),
            found: value.to_string(),
        })?;
        defaults.push((key.replace('-', "_"), arguments));
    }
    Ok(command.mut_subcommand("serve", |serve| {
        defaults.into_iter().fold(serve, |serve, (id, arguments)| {
            serve.mut_arg(id, |argument| argument.default_values(arguments))
        })
    }))
}

/// Converts a setting's value to command-line arguments. `None` if its type cannot be a setting.
fn arguments_of(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(is_set) => Some(vec![is_set.to_string()]),
        toml::Value::Float(number) => Some(vec![number.to_string()]),
        toml::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}
