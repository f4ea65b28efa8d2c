//! Schemas of the OpenAPI document, made from the same fields that are read.

use std::marker::PhantomData;

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Ref, Type};
use utoipa::openapi::{self, RefOr, Required};

use crate::api::decode::fields::{Field, Fields, Presence};
use crate::api::decode::value::Schema;
use crate::api::openapi::files::bytes;

/// The schema of the JSON object.
pub(crate) fn object<T: Fields>() -> Schema {
    let mut object = closed(T::ABOUT);
    for field in Field::all::<T>() {
        object = object.property(field.json, described((field.schema)(), field.about));
        if field.required {
            object = object.required(field.json);
        }
    }
    object.examples(T::examples()).into()
}

/// The schema of the form: an image as `file`, and every other field as text.
pub(crate) fn form<T: Fields>(about: &[&str]) -> Schema {
    let file = bytes(
        "The image: a PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels (JPEG: 100 million).",
    );
    let mut form = closed(about).property("file", file).required("file");
    for field in fields_beside_file::<T>() {
        let schema = with_example((field.text_schema)(), (field.example)());
        form = form.property(field.text, described(schema, field.about));
        if field.required {
            form = form.required(field.text);
        }
    }
    form.into()
}

fn closed(about: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(lines(about)))
        .additional_properties(Some(AdditionalProperties::<openapi::Schema>::FreeForm(false)))
}

/// The parameters of a URL without a body.
pub(crate) fn parameters<T: Fields>() -> Vec<Parameter> {
    let without_file = |field: &Field| !field.is_file && field.presence != Presence::WithFile;
    let fields = Field::all::<T>().into_iter().filter(without_file);
    fields.map(|field| parameter(&field, field.required)).collect()
}

fn parameter(field: &Field, required: bool) -> Parameter {
    ParameterBuilder::new()
        .name(field.text)
        .parameter_in(ParameterIn::Query)
        .required(if required { Required::True } else { Required::False })
        .description(Some(lines(field.about)))
        .schema(Some((field.text_schema)()))
        .example((field.example)())
        .build()
}

/// The parameters of a URL beside a body. All are optional, because only a body that is an image leaves the rest to the URL.
pub(crate) struct OptionsBesideImage<T>(PhantomData<T>);

impl<T: Fields> IntoParams for OptionsBesideImage<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let fields = fields_beside_file::<T>();
        fields.map(|field| parameter(&field, false)).collect()
    }
}

/// The fields of a request that come beside a file.
fn fields_beside_file<T: Fields>() -> impl Iterator<Item = Field> {
    let beside = |field: &Field| !field.is_file && field.presence != Presence::WithoutFile;
    Field::all::<T>().into_iter().filter(beside)
}

/// A reference to the schema of `T`.
pub(crate) fn reference<T: Fields>() -> Schema {
    RefOr::Ref(Ref::from_schema_name(T::NAME))
}

/// Adds the schema of `T`, and those that it refers to.
pub(crate) fn add_component<T: Fields>(components: &mut Vec<(String, Schema)>) {
    components.push((T::NAME.to_owned(), object::<T>()));
    add_components_of_fields::<T>(components);
}

/// Adds the schemas that the fields of `T` refer to.
pub(crate) fn add_components_of_fields<T: Fields>(components: &mut Vec<(String, Schema)>) {
    for field in Field::all::<T>() {
        (field.components)(components);
    }
}

/// A schema with the description of the field that it stands in.
fn described(schema: Schema, about: &[&str]) -> Schema {
    let about = lines(about);
    match schema {
        RefOr::Ref(mut reference) => {
            reference.description = about;
            RefOr::Ref(reference)
        }
        RefOr::T(mut schema) => {
            match &mut schema {
                openapi::Schema::Object(object) => object.description = Some(about),
                openapi::Schema::Array(array) => array.description = Some(about),
                _ => {}
            }
            RefOr::T(schema)
        }
    }
}

/// A schema with an example.
fn with_example(mut schema: Schema, example: Option<serde_json::Value>) -> Schema {
    match &mut schema {
        RefOr::T(openapi::Schema::Object(object)) => object.examples.extend(example),
        RefOr::T(openapi::Schema::Array(array)) => array.examples.extend(example),
        _ => {}
    }
    schema
}

/// The text of a doc comment.
pub(crate) fn lines(about: &[&str]) -> String {
    let lines: Vec<&str> = about.iter().map(|line| line.trim()).collect();
    lines.join("\n")
}
