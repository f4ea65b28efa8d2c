//! Commands and their arguments, made of the operations of the API.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, ValueHint, value_parser};

use super::settings::RequestSettings;
use crate::api::{ImageUse, Operation, Parameter};

/// The parameter that the settings replace: they have the folder of a model.
const MODEL: &str = "model";

/// The arguments with images: at their place, and by their name.
const IMAGES: [&str; 2] = ["images", "image"];

/// The command of an operation.
pub(super) fn command_of(operation: &'static Operation) -> Command {
    let command = with_images(Command::new(&*operation.name), operation.image);
    let parameters = parameters(operation).map(argument_of);
    // The settings would describe themselves.
    RequestSettings::augment_args(command.args(parameters))
        .about(&*operation.about)
        .long_about(None)
}

fn parameters(operation: &'static Operation) -> impl Iterator<Item = &'static Parameter> {
    let parameters = operation.parameters.iter();
    parameters.filter(|parameter| parameter.name != MODEL)
}

fn with_images(command: Command, image: ImageUse) -> Command {
    if image == ImageUse::Never {
        return command;
    }
    let [by_place, by_name] = IMAGES;
    let image_file = |id: &'static str| {
        Arg::new(id)
            .value_name("IMAGE")
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::FilePath)
            .action(ArgAction::Append)
    };
    let by_place = image_file(by_place)
        .num_args(1..)
        .help("Image files of faces; several need a folder as --output");
    let by_name_too = image_file(by_name)
        .long(by_name)
        .help("An image file, as without the flag");
    command
        .arg(if image == ImageUse::Always {
            by_place.required_unless_present(by_name)
        } else {
            by_place
        })
        .arg(by_name_too)
}

fn argument_of(parameter: &'static Parameter) -> Arg {
    let argument = Arg::new(&*parameter.name)
        .long(parameter.name.replace('_', "-"))
        .value_name(parameter.name.to_uppercase())
        .help(&*parameter.about)
        .required(parameter.is_required);
    let argument = if parameter.name.contains('_') {
        argument.alias(&*parameter.name)
    } else {
        argument
    };
    if parameter.is_list {
        return argument.action(ArgAction::Append).allow_hyphen_values(true);
    }
    if parameter.words.is_empty() {
        return argument.allow_hyphen_values(true);
    }
    argument.value_parser(PossibleValuesParser::new(
        parameter.words.iter().map(String::as_str),
    ))
}

/// The parameters of the URL that the command line has.
pub(super) fn parameters_of(operation: &'static Operation, matches: &ArgMatches) -> Vec<(String, String)> {
    let texts = |parameter: &'static Parameter| {
        let texts = matches.get_many::<String>(&parameter.name);
        let texts = texts.into_iter().flatten();
        texts.map(|text| (parameter.name.clone(), text.clone()))
    };
    parameters(operation).flat_map(texts).collect()
}

/// The images that the command line has.
pub(super) fn images_of(operation: &Operation, matches: &ArgMatches) -> Vec<PathBuf> {
    if operation.image == ImageUse::Never {
        return Vec::new();
    }
    let images = IMAGES.map(|id| matches.get_many::<PathBuf>(id));
    images.into_iter().flatten().flatten().cloned().collect()
}
