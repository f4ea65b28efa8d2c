//! Every example of the OpenAPI document, sent to the service.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, Request, StatusCode, header};
use faceplane::catalog::ModelFolder;
use faceplane::editor::{ModelLoader, ModelOpener, Models};
use faceplane::engine::{EngineOptions, Replicas};
use faceplane::metrics::Metrics;
use serde_json::Value;
use tokio::time::sleep;

use crate::support::{Client, Response, portraits, queue_limits, runtime};

const BOUNDARY: &str = "example";

/// An operation of the document.
struct Operation<'a> {
    document: &'a Value,
    method: &'a str,
    path: &'a str,
    value: &'a Value,
}

/// A request made of an operation's examples.
struct Example {
    name: String,
    content_type: Option<String>,
    uri: String,
    body: Vec<u8>,
}

/// The operations, in an order in which each finds what it needs: jobs are started before they are asked about, and the
/// boundary is changed at the end.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, value) in item.as_object().unwrap() {
            found.push(Operation {
                document,
                method,
                path,
                value,
            });
        }
    }
    let rank = |operation: &Operation<'_>| match operation.name() {
        "start_report" => 0,
        "start_inversion" | "train_boundaries" => 1,
        "cancel_job" | "cancel_inversion" => 3,
        "drop_model" => 6,
        "put_boundary" => 4,
        "delete_boundary" => 5,
        _ => 2,
    };
    found.sort_by_key(rank);
    found
}

impl<'a> Operation<'a> {
    fn name(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap()
    }

    /// Follows a reference to a schema.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let name = reference.strip_prefix("#/components/schemas/").unwrap();
                &self.document["components"]["schemas"][name]
            }
            None => schema,
        }
    }

    /// The URL with the examples of the parameters.
    fn uri(&self) -> String {
        let (mut uri, mut query) = (self.path.to_owned(), Vec::new());
        for parameter in self.value["parameters"].as_array().unwrap() {
            let example = [&parameter["example"], &parameter["schema"]["example"]];
            let Some(example) = example.into_iter().find(|example| !example.is_null()) else {
                continue;
            };
            let name = parameter["name"].as_str().unwrap();
            let texts: Vec<String> = match example {
                Value::Array(items) => items.iter().map(text).collect(),
                other => vec![text(other)],
            };
            if parameter["in"] == "path" {
                uri = uri.replace(&format!("{{{name}}}"), &texts[0]);
            } else {
                query.extend(texts.into_iter().map(|text| format!("{name}={text}")));
            }
        }
        assert!(
            !uri.contains('{'),
            "{} lacks the example of a path parameter",
            self.name()
        );
        if query.is_empty() {
            return uri;
        }
        format!("{uri}?{}", query.join("&"))
    }

    /// The requests of the examples: one without a body, or at least one for each media type of the body.
    async fn examples(&self, client: &Client) -> Vec<Example> {
        let request = |content_type: Option<&str>, body| Example {
            name: format!("{} {}", self.name(), content_type.unwrap_or_default()),
            content_type: content_type.map(str::to_owned),
            uri: self.uri(),
            body,
        };
        let Some(contents) = self.value["requestBody"]["content"].as_object() else {
            return vec![request(None, Vec::new())];
        };
        let mut examples = Vec::new();
        for (kind, content) in contents {
            let schema = self.resolved(&content["schema"]);
            match kind.as_str() {
                "application/json" => {
                    let own = content["examples"].as_object().into_iter().flatten();
                    let own: Vec<&Value> = own.map(|(_, example)| &example["value"]).collect();
                    let of_schema = schema["examples"].as_array().into_iter().flatten().collect();
                    let bodies = if own.is_empty() { of_schema } else { own };
                    assert!(!bodies.is_empty(), "{} has no example", self.name());
                    let requests = bodies.into_iter().map(|body| Example {
                        // The body says everything, so the URL has no options.
                        uri: self.uri().split('?').next().unwrap().to_owned(),
                        ..request(Some(kind), body.to_string().into_bytes())
                    });
                    examples.extend(requests);
                }
                "multipart/form-data" => {
                    let image = file(client, "png").await;
                    let uri = self.path.to_owned();
                    let kind = "multipart/form-data; boundary=example";
                    examples.push(Example {
                        uri,
                        ..request(Some(kind), form(schema, &image))
                    });
                }
                "application/octet-stream" => {
                    let uri = self.uri() + "?format=npy";
                    examples.push(request(Some(kind), client.get(&uri).await.body));
                }
                // The service inverts files other than its own PNGs, for seconds. One operation shows that it accepts them.
                "image/jpeg" | "image/webp" | "image/gif" if self.name() != "invert_image" => {}
                image => {
                    let format = image.strip_prefix("image/").expect("an image");
                    examples.push(request(Some(kind), file(client, format).await));
                }
            }
        }
        examples
    }

    /// What a response has that the document does not describe: another status than a success, another media type, or
    /// another header.
    fn undescribed(&self, response: &Response) -> Option<String> {
        let status = response.status.as_u16().to_string();
        let described = &self.value["responses"][&status];
        if !response.status.is_success() || !described.is_object() {
            return Some(format!("{status} {}", String::from_utf8_lossy(&response.body)));
        }
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        // A response without a body has no media type.
        let is_empty = kind.is_empty() && response.body.is_empty();
        if described["content"][kind].is_null() && !(is_empty && described["content"].is_null()) {
            return Some(format!("the media type {kind}"));
        }
        let headers = described["headers"].as_object().into_iter().flatten();
        let headers: Vec<String> = headers.map(|(name, _)| name.to_lowercase()).collect();
        let own = response.headers.keys().map(HeaderName::as_str);
        let mut own = own.filter(|name| name.starts_with("faceplane-"));
        let header = own.find(|name| !headers.iter().any(|header| header == name));
        header.map(|name| format!("the header {name}"))
    }
}

/// A client of a service with the bundled model, which is the default, and one that can be dropped.
fn client() -> Client {
    let metrics = Metrics::new();
    let opener = ModelOpener {
        runtime: runtime().clone(),
        options: EngineOptions {
            replicas: Replicas::Count(2),
            queue_limits: queue_limits(64),
        },
        metrics: metrics.clone(),
    };
    let folders = [ModelFolder::Bundled, ModelFolder::Disk(portraits())];
    let (sources, models) = folders
        .map(|folder| opener.load(folder).unwrap())
        .into_iter()
        .unzip();
    let models = Models::new(models, None).unwrap();
    let loader = ModelLoader::new(models.clone(), opener, Vec::new(), sources);
    Client::with_loader(models, loader, metrics)
}

fn text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.replace('+', "%2B")
}

/// An image file that the service makes.
async fn file(client: &Client, format: &str) -> Vec<u8> {
    let response = client.get(&format!("/v1/sample?seed=3&format={format}")).await;
    assert_eq!(response.status, StatusCode::OK, "{format}");
    response.body
}

/// A form with the file in its binary field, and with the examples of the other fields.
fn form(schema: &Value, image: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let mut part = |value: &[u8], file: &str| {
            let head =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        };
        if property["format"] == "binary" {
            part(image, "; filename=\"face.png\"");
            continue;
        }
        let examples = [&property["example"], &property["examples"][0]];
        match examples.into_iter().find(|example| !example.is_null()) {
            Some(Value::Array(items)) => items.iter().for_each(|item| part(text(item).as_bytes(), "")),
            Some(example) if name != "seed" => part(text(example).as_bytes(), ""),
            _ => {}
        }
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Waits for a job. The document's examples get the report of the first one, and the samples of the second.
async fn finished(client: &Client, id: u32) {
    loop {
        let job = client.get(&format!("/v1/jobs/{id}")).await.json();
        match job["status"].as_str().unwrap() {
            "done" => return,
            "queued" | "sampling" | "fitting" => sleep(Duration::from_millis(20)).await,
            other => panic!("the job is {other}: {job}"),
        }
    }
}

#[tokio::test]
async fn the_service_responses_every_example_of_its_document_as_described() {
    let client = client();
    let document = client.get("/openapi.json").await.json();
    let mut undescribed = Vec::new();
    // The ids of inversions are random.
    let mut inversion = String::new();
    for operation in operations(&document) {
        match operation.name() {
            "get_report" => finished(&client, 1).await,
            "get_samples" => finished(&client, 2).await,
            _ => {}
        }
        for mut example in operation.examples(&client).await {
            if operation.path == "/v1/inversions/{inversion}" {
                example.uri.clone_from(&inversion);
            }
            let method = operation.method.to_uppercase();
            let mut request = Request::builder().method(method.as_str()).uri(&example.uri);
            if let Some(kind) = &example.content_type {
                request = request.header(header::CONTENT_TYPE, kind);
            }
            let response = client.send(request.body(Body::from(example.body)).unwrap()).await;
            if operation.name() == "start_inversion" {
                let location = response.header("location").unwrap_or_default();
                location.clone_into(&mut inversion);
            }
            let found = operation.undescribed(&response);
            undescribed.extend(found.map(|found| format!("{}: {found}", example.name)));
        }
    }
    assert!(undescribed.is_empty(), "{undescribed:#?}");
}
