//! The operations on faces as data, for a program that offers them without HTTP.

use serde_json::Value;
use utoipa::openapi::OpenApi as Document;

/// The paths of operations begin so.
const PREFIX: &str = "/v1/";

/// The tag of operations on faces in the OpenAPI document.
const TAG: &str = "faces";

/// The end of the summary of an operation that has two methods.
const BY_URL: &str = ", by URL";

/// An operation on faces.
#[derive(Debug)]
pub struct Operation {
    /// The last part of its path, such as `sample`.
    pub name: String,
    /// What it does, in one line.
    pub about: String,
    /// The parameters of its URL.
    pub parameters: Vec<Parameter>,
    /// Whether a request has an image.
    pub image: ImageUse,
}

/// Whether a request has an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageUse {
    /// It has none.
    Never,
    /// An image may take the place of a seed.
    Optional,
    /// It has one.
    Always,
}

/// A parameter of a URL.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its meaning and its default.
    pub about: String,
    /// The words that it may be; empty if it may be others.
    pub words: Vec<String>,
    /// Whether it may come several times.
    pub is_list: bool,
    /// Whether a request must have it.
    pub is_required: bool,
}

impl Operation {
    /// The parameter with this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

/// The operations of a document.
pub(crate) fn of(document: &Document) -> Vec<Operation> {
    let document = serde_json::to_value(document).expect("a document is JSON");
    let schemas = &document["components"]["schemas"];
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(path, methods)| operation(path, methods, schemas))
        .collect()
}

fn operation(path: &str, methods: &Value, schemas: &Value) -> Option<Operation> {
    let name = path.strip_prefix(PREFIX).filter(|name| !name.contains('/'))?;
    let (get, post) = (&methods["get"], &methods["post"]);
    let mut methods = [get, post].into_iter().filter(|method| !method.is_null());
    if !methods.clone().any(|method| method["tags"][0] == TAG) {
        return None;
    }
    let image = match (post["requestBody"]["content"].get("image/png"), get) {
        (None, _) => ImageUse::Never,
        (Some(_), Value::Null) => ImageUse::Always,
        (Some(_), _) => ImageUse::Optional,
    };
    // GET says what is required. POST has the parameters that only an image can have.
    let mut parameters: Vec<Parameter> = Vec::new();
    let all = methods
        .clone()
        .filter_map(|method| method["parameters"].as_array());
    for parameter in all.flatten().map(|parameter| parameter_of(parameter, schemas)) {
        if parameters.iter().all(|known| known.name != parameter.name) {
            parameters.push(parameter);
        }
    }
    let summary = text(&methods.next()?["summary"]);
    Some(Operation {
        name: name.to_owned(),
        about: summary.strip_suffix(BY_URL).unwrap_or(&summary).to_owned(),
        parameters,
        image,
    })
}

fn parameter_of(parameter: &Value, schemas: &Value) -> Parameter {
    let schema = resolved(&parameter["schema"], schemas);
    let words = resolved(schema.get("items").unwrap_or(schema), schemas)["enum"].as_array();
    Parameter {
        name: text(&parameter["name"]),
        about: text(&parameter["description"]) + &example_of(&parameter["example"]),
        words: words.into_iter().flatten().map(text).collect(),
        is_list: schema["type"] == "array",
        is_required: parameter["required"] == true,
    }
}

/// An example as a sentence; empty if there is none.
fn example_of(example: &Value) -> String {
    let of_list = example.as_array().and_then(|list| list.first());
    match of_list.unwrap_or(example) {
        Value::Null => String::new(),
        Value::String(text) => format!(" Example: {text}."),
        number => format!(" Example: {number}."),
    }
}

/// The schema that a reference names, or the schema itself.
fn resolved<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.map_or(schema, |name| &schemas[name])
}

/// A text in one line.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('\n', " ")
}
