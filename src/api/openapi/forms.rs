//! Forms with an image, as the document describes them.

use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::api::openapi::files::bytes;
use crate::api::routes::score::ScoreQuery;
use crate::api::types::edit_body::EditQuery;
use crate::api::types::invert_body::InvertQuery;

/// The part of a form that is the image.
const PART: &str = "file";

/// A form with an image as `file`. Its other fields are the query parameters `Q`, by the same names.
fn form<Q: IntoParams>() -> RefOr<Schema> {
    let file = bytes("The image: a PNG, JPEG, WebP, GIF or BMP file.");
    let mut form = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("An image and the options of the operation."))
        .property(PART, file)
        .required(PART)
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    for parameter in Q::into_params(|| None) {
        let Some(schema) = parameter.schema else { continue };
        let description = parameter.description.unwrap_or_default();
        if matches!(parameter.required, Required::True) {
            form = form.required(&parameter.name);
        }
        form = form.property(&parameter.name, described(schema, description));
    }
    form.into()
}

/// The same schema with a description.
fn described(mut schema: RefOr<Schema>, text: String) -> RefOr<Schema> {
    match &mut schema {
        RefOr::Ref(reference) => reference.description = text,
        RefOr::T(Schema::Object(object)) => object.description = Some(text),
        RefOr::T(Schema::Array(array)) => array.description = Some(text),
        RefOr::T(Schema::OneOf(one_of)) => one_of.description = Some(text),
        RefOr::T(_) => {}
    }
    schema
}

/// Declares the forms of operations by their query parameters.
macro_rules! forms {
    ($($name:ident: $query:ty),+ $(,)?) => {$(
        #[doc = concat!("A form with an image and the fields of `", stringify!($query), "`.")]
        pub(crate) struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                form::<$query>()
            }
        }
    )+};
}

forms! {
    EditForm: EditQuery,
    InvertForm: InvertQuery,
    ScoreForm: ScoreQuery,
}
