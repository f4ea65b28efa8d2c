//! What the service accepts is what its document says, both ways: values made from the document's schemas are accepted, and values
//! that break them are refused.
//!
//! Each request names a model that does not exist. The service looks for the model after it decoded the request, so that 404 says
//! that it accepted the fields, and 422 that it refused one.

use std::cell::Cell;

use axum::body::Body;
use axum::http::{Request, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::api::schema_values::{broken, broken_texts, resolved, valid};
use crate::support::{Client, Response};

/// Requests for each operation and property.
const CASES: u32 = 192;

/// Reasons for refusing a request that its schema allows: the field, and a part of the detail.
const BEYOND_SCHEMAS: [(&str, &str); 20] = [
    ("pictures", "beside the format of an image"),
    ("pictures", "expected all"),
    ("format", "found npz"),
    // Options of one image format beside another.
    ("compression", "is for PNG"),
    ("quality", "is for JPEG and WebP"),
    ("picture_format", "is for pictures in JSON"),
    ("layout", "for a JPEG"),
    ("layout", "for JSON"),
    ("frame_time", "without an animation"),
    // The pattern of a range has no order.
    ("layers", "found layers"),
    ("edit", "found layers"),
    // The pattern of a seed has no limit, and that of a range has no order and no length.
    ("seeds", "found"),
    ("face", "found"),
    ("rows", "found"),
    ("columns", "found"),
    // The pattern of a number has no limits.
    ("edit", "from -1000 to 1000"),
    ("trajectory", "from -1000 to 1000"),
    // The pattern of rows has no length, and not all of its numbers are finite.
    ("latent", "several lengths"),
    ("landmarks", "expected 5 or 68 points"),
    // The schema of a label says what it is not.
    ("label", "expected the index of a class"),
];

struct Service {
    runtime: Runtime,
    client: Client,
    document: Value,
}

impl Service {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let client = runtime.block_on(async { Client::sketch() });
        let document = runtime.block_on(client.get("/openapi.json")).json();
        Self {
            runtime,
            client,
            document,
        }
    }

    fn send(&self, method: &str, uri: &str, kind: Option<&str>, body: Vec<u8>) -> Response {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        self.runtime
            .block_on(self.client.send(request.body(Body::from(body)).unwrap()))
    }

    /// The schema of the body of an operation.
    fn body(&self, path: &str, kind: &str) -> &Value {
        let content = &self.document["paths"][path]["post"]["requestBody"]["content"];
        resolved(&self.document, &content[kind]["schema"])
    }
}

/// Runs `test` with many values.
fn check<T: std::fmt::Debug>(values: &BoxedStrategy<T>, test: impl Fn(T) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(values, test).unwrap();
}

/// Counts the requests of which the service accepted all fields.
#[derive(Default)]
struct Accepted(Cell<u32>);

impl Accepted {
    /// Passes if the service accepted all fields, or refused the request for a reason that a schema cannot express.
    fn check(&self, response: &Response) -> Result<(), TestCaseError> {
        let problem = response.json();
        let is_listed = BEYOND_SCHEMAS.iter().any(|(field, reason)| {
            let detail = problem["detail"].as_str().unwrap_or_default();
            let found = problem["field"].as_str().unwrap_or_default();
            let is_named = found == *field || found.ends_with(&format!(".{field}"));
            is_named && detail.contains(reason)
        });
        let reached_the_model = problem["type"] == "urn:faceplane:problem:unknown-model";
        self.0.set(self.0.get() + u32::from(reached_the_model));
        prop_assert!(reached_the_model || is_listed, "refused: {}", problem);
        Ok(())
    }
}

impl Drop for Accepted {
    /// The reasons that schemas cannot express are exceptions.
    fn drop(&mut self) {
        let few = self.0.get() < CASES / 8;
        assert!(
            !few || std::thread::panicking(),
            "only {} of {CASES} requests were accepted",
            self.0.get()
        );
    }
}

/// Passes if the service refused a field.
fn refused(response: &Response) -> Result<(), TestCaseError> {
    let problem = response.json();
    prop_assert_eq!(response.status.as_u16(), 422, "not refused: {}", &problem);
    prop_assert_eq!(&problem["type"], "urn:faceplane:problem:field", "{}", &problem);
    Ok(())
}

/// The operations with a JSON body that names the model, and those with the model in the path.
const BODIES: [(&str, &str); 9] = [
    ("/v1/sample", "/v1/sample"),
    ("/v1/edit", "/v1/edit"),
    ("/v1/conditional-edit", "/v1/conditional-edit"),
    ("/v1/score", "/v1/score"),
    ("/v1/invert", "/v1/invert"),
    ("/v1/interpolate", "/v1/interpolate"),
    ("/v1/mix", "/v1/mix"),
    ("/v1/models/{model}/boundaries", "/v1/models/nobody/boundaries"),
    ("/v1/models/{model}/report", "/v1/models/nobody/report"),
];

#[test]
fn every_json_body_that_satisfies_its_schema_is_accepted() {
    let service = Service::new();
    for (path, uri) in BODIES {
        let schema = service.body(path, "application/json");
        let accepted = Accepted::default();
        check(&valid(&service.document, schema), |mut body| {
            if !path.contains("{model}") {
                body["model"] = json!("nobody");
            }
            let body = body.to_string().into_bytes();
            accepted.check(&service.send("POST", uri, Some("application/json"), body))
        });
    }
}

#[test]
fn every_json_body_that_breaks_its_schema_is_refused() {
    let service = Service::new();
    for (path, uri) in BODIES {
        let schema = service.body(path, "application/json");
        check(&broken(&service.document, schema), |body| {
            refused(&service.send(
                "POST",
                uri,
                Some("application/json"),
                body.to_string().into_bytes(),
            ))
        });
    }
}

/// A boundary's path names an existing model. The schema cannot say its number of dimensions.
#[test]
fn every_boundary_that_breaks_its_schema_is_refused() {
    let service = Service::new();
    let schema = &service.document["components"]["schemas"]["BoundaryDocument"];
    let uri = "/v1/models/sketch/boundaries/smile/w";
    check(&broken(&service.document, schema), |body| {
        refused(&service.send(
            "PUT",
            uri,
            Some("application/json"),
            body.to_string().into_bytes(),
        ))
    });
}

/// One key of a URL or form and its texts.
type Texts = Vec<(String, String)>;

/// The texts of a value: one for each element of a list.
fn texts(name: &str, value: &Value) -> Texts {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = match value {
        Value::Array(values) => values.iter().map(text).collect(),
        other => vec![text(other)],
    };
    values.into_iter().map(|text| (name.to_owned(), text)).collect()
}

/// A schema of the parameters or of the fields of a form besides the file, as one object.
fn fields(schemas: impl Iterator<Item = (String, Value, bool)>) -> Value {
    let (mut properties, mut required) = (json!({}), Vec::new());
    for (name, schema, is_required) in schemas {
        if is_required {
            required.push(name.clone());
        }
        properties[name] = schema;
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn parameters(document: &Value, path: &str, method: &str) -> Value {
    let parameters = document["paths"][path][method]["parameters"].as_array().unwrap();
    let parameters = parameters.iter().map(|parameter| resolved(document, parameter));
    let parameters = parameters.filter(|parameter| parameter["in"] == "query");
    fields(parameters.map(|parameter| {
        let name = parameter["name"].as_str().unwrap().to_owned();
        (name, parameter["schema"].clone(), parameter["required"] == true)
    }))
}

fn form_fields(schema: &Value) -> Value {
    let properties = schema["properties"].as_object().unwrap().iter();
    let required = schema["required"].as_array().unwrap();
    fields(
        properties
            .filter(|(name, _)| *name != "file")
            .map(|(name, schema)| {
                let is_required = required.iter().any(|required| required == name);
                (name.clone(), schema.clone(), is_required)
            }),
    )
}

/// Texts that satisfy the schemas of the fields; they name a model that does not exist.
fn valid_texts(document: &Value, schema: &Value) -> BoxedStrategy<Texts> {
    let all = |object: Value| -> Texts {
        let mut object = object.as_object().unwrap().clone();
        object.insert("model".to_owned(), json!("nobody"));
        object
            .iter()
            .flat_map(|(name, value)| texts(name, value))
            .collect()
    };
    valid(document, schema).prop_map(all).boxed()
}

/// Texts of which one breaks the schema of its field.
fn broken_fields(document: &Value, schema: &Value) -> BoxedStrategy<Texts> {
    let mut wrong: Vec<Texts> = vec![vec![("colour".to_owned(), "red".to_owned())]];
    for (name, property) in schema["properties"].as_object().unwrap() {
        let property = resolved(document, property);
        let (item, is_list) = match property["type"].as_str() {
            Some("array") => (resolved(document, &property["items"]), true),
            _ => (property, false),
        };
        let mut found = broken_texts(item);
        if let Some("integer" | "number") = item["type"].as_str() {
            found.extend(["", "much", "NaN", "inf", "1e99", "-1e99"].map(str::to_owned));
        }
        // A value that is no list comes once; seeds may come several times, as those of a list do.
        if !is_list && name != "seeds" {
            wrong.push(vec![
                (name.clone(), "1".to_owned()),
                (name.clone(), "1".to_owned()),
            ]);
        }
        wrong.extend(found.into_iter().map(|text| vec![(name.clone(), text)]));
    }
    let parts = (valid_texts(document, schema), proptest::sample::select(wrong));
    parts
        .prop_map(|(mut texts, wrong)| {
            texts.retain(|(name, _)| *name != wrong[0].0);
            texts.extend(wrong);
            texts
        })
        .boxed()
}

fn uri(path: &str, texts: &Texts) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.extend_pairs(texts).finish())
}

const EDGE: &str = "an-edge-that-no-text-has";

fn form(texts: &Texts) -> Vec<u8> {
    let file = ("file".to_owned(), "an image".to_owned());
    let part = |(name, text): &(String, String)| {
        format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let form: String = texts.iter().chain([&file]).map(part).collect();
    format!("{form}--{EDGE}--\r\n").into_bytes()
}

const BY_URL: [&str; 6] = [
    "/v1/sample",
    "/v1/edit",
    "/v1/conditional-edit",
    "/v1/score",
    "/v1/interpolate",
    "/v1/mix",
];
const BY_FORM: [&str; 4] = ["/v1/edit", "/v1/conditional-edit", "/v1/score", "/v1/invert"];

#[test]
fn every_url_that_satisfies_its_parameters_is_accepted() {
    let service = Service::new();
    for path in BY_URL {
        let schema = parameters(&service.document, path, "get");
        let accepted = Accepted::default();
        check(&valid_texts(&service.document, &schema), |texts| {
            accepted.check(&service.send("GET", &uri(path, &texts), None, Vec::new()))
        });
    }
}

#[test]
fn every_url_that_breaks_its_parameters_is_refused() {
    let service = Service::new();
    for path in BY_URL {
        let schema = parameters(&service.document, path, "get");
        check(&broken_fields(&service.document, &schema), |texts| {
            refused(&service.send("GET", &uri(path, &texts), None, Vec::new()))
        });
    }
}

#[test]
fn every_form_that_satisfies_its_schema_is_accepted() {
    let (service, kind) = (Service::new(), format!("multipart/form-data; boundary={EDGE}"));
    for path in BY_FORM {
        let schema = form_fields(service.body(path, "multipart/form-data"));
        let accepted = Accepted::default();
        check(&valid_texts(&service.document, &schema), |texts| {
            accepted.check(&service.send("POST", path, Some(&kind), form(&texts)))
        });
    }
}

#[test]
fn every_form_that_breaks_its_schema_is_refused() {
    let (service, kind) = (Service::new(), format!("multipart/form-data; boundary={EDGE}"));
    for path in BY_FORM {
        let schema = form_fields(service.body(path, "multipart/form-data"));
        check(&broken_fields(&service.document, &schema), |texts| {
            refused(&service.send("POST", path, Some(&kind), form(&texts)))
        });
    }
}

/// The URL beside an image says the same as a form, and nothing in it is required by its parameters alone.
#[test]
fn every_url_beside_an_image_takes_the_fields_of_the_form() {
    let service = Service::new();
    for path in BY_FORM {
        let mut beside = parameters(&service.document, path, "post");
        let form = form_fields(service.body(path, "multipart/form-data"));
        let (names, schemas) = (&beside["properties"], &form["properties"]);
        for (name, schema) in schemas.as_object().unwrap() {
            assert!(names[name].is_object(), "{path} lacks {name}");
            assert_eq!(names[name]["type"], schema["type"], "{path} {name}");
        }
        beside["required"] = form["required"].clone();
        let accepted = Accepted::default();
        check(&valid_texts(&service.document, &beside), |texts| {
            accepted.check(&service.send(
                "POST",
                &uri(path, &texts),
                Some("image/png"),
                b"an image".to_vec(),
            ))
        });
    }
}
