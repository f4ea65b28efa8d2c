//! The OpenAPI document: committed, and without the faults that client generators stumble over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::support::Client;

async fn document() -> Value {
    Client::sketch().get("/openapi.json").await.json()
}

/// Every operation with its name, such as `get /v1/sample`.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("a document has paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path has operations");
        item.iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// Every schema in the document, those inside others too, each with its path in the document.
fn schemas(document: &Value) -> Vec<(String, &Value)> {
    fn within<'a>(path: String, schema: &'a Value, found: &mut Vec<(String, &'a Value)>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            within(format!("{path}.{name}"), property, found);
        }
        for key in ["items", "additionalProperties"] {
            if schema[key].is_object() {
                within(format!("{path}.{key}"), &schema[key], found);
            }
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            for choice in schema[key].as_array().into_iter().flatten() {
                within(format!("{path}.{key}"), choice, found);
            }
        }
        found.push((path, schema));
    }
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        within(name.clone(), schema, &mut found);
    }
    for (name, operation) in operations(document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let path = format!("{name} {}", parameter["name"]);
            within(path, &parameter["schema"], &mut found);
        }
        for content in contents(operation) {
            within(name.clone(), &content["schema"], &mut found);
        }
    }
    found
}

/// The contents of an operation's request and of its responses.
fn contents(operation: &Value) -> impl Iterator<Item = &Value> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let bodies = responses.map(|(_, response)| response);
    let bodies = bodies.chain([&operation["requestBody"]]);
    bodies.flat_map(|body| {
        let content = body["content"].as_object().into_iter().flatten();
        content.map(|(_, content)| content)
    })
}

#[tokio::test]
async fn the_committed_openapi_document_is_the_one_that_the_service_serves() {
    let served = document().await;
    let text = serde_json::to_string_pretty(&served).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    if std::env::var_os("FACEPLANE_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "openapi/openapi.json differs from the served document; `make openapi` writes it"
    );
}

#[tokio::test]
async fn every_response_has_a_description_and_every_error_is_a_problem_document() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let success = responses.keys().any(|status| status.starts_with('2'));
        assert!(success, "{name} has no success");
        for (status, response) in responses {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{name} {status} has no description");
            if matches!(status.as_bytes()[0], b'4' | b'5') {
                let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/ProblemDocument", "{name} {status}");
            }
        }
    }
}

#[tokio::test]
async fn every_operation_documents_the_errors_that_any_request_can_meet() {
    let document = document().await;
    for (name, operation) in operations(&document) {
        for status in ["421", "422", "431", "500", "504"] {
            assert!(
                operation["responses"][status].is_object(),
                "{name} has no {status}"
            );
        }
        let needs_key = !name.contains(" /health/");
        for status in ["401", "429"] {
            assert_eq!(
                operation["responses"][status].is_object(),
                needs_key,
                "{name} {status}"
            );
        }
        let security = operation["security"].as_array().expect(&name);
        assert_eq!(!security.is_empty(), needs_key, "{name}");
        let changes = ["put ", "delete ", "post /v1/models/", "post /session"]
            .iter()
            .any(|start| name.starts_with(start))
            && name != "delete /v1/inversions/{inversion}";
        assert_eq!(operation["responses"]["403"].is_object(), changes, "{name} 403");
        let has_body = operation["requestBody"].is_object();
        for status in ["408", "413", "415"] {
            assert_eq!(
                operation["responses"][status].is_object(),
                has_body,
                "{name} {status}"
            );
        }
        assert!(
            !has_body || operation["responses"]["503"].is_object(),
            "{name} 503"
        );
        let overloaded = &operation["responses"]["503"];
        assert!(
            overloaded.is_null() || overloaded["headers"]["Retry-After"].is_object(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn every_operation_has_a_summary_a_unique_id_and_a_declared_tag() {
    let document = document().await;
    let tags = document["tags"].as_array().unwrap().iter();
    let declared: Vec<&Value> = tags.map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        assert!(operation["summary"].is_string(), "{name} has no summary");
        let id = operation["operationId"].as_str().unwrap();
        let is_snake_case = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(is_snake_case && id.contains('_'), "{name}: {id}");
        assert!(ids.insert(id), "{id} stands for two operations");
        let tags = operation["tags"].as_array().unwrap();
        assert!(
            tags.len() == 1 && declared.contains(&&tags[0]),
            "{name}: {tags:?}"
        );
        let about_jobs = name.contains("/v1/jobs");
        assert_eq!(tags[0] == "jobs", about_jobs, "{name}: {tags:?}");
    }
}

#[tokio::test]
async fn where_the_response_is_an_image_by_default_the_image_types_come_first() {
    let document = document().await;
    let expected = [
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "application/json",
    ];
    let mut operations_with_images = 0;
    for (name, operation) in operations(&document) {
        let success = operation["responses"]["200"]["content"].as_object();
        let kinds: Vec<&String> = success.into_iter().flatten().map(|(kind, _)| kind).collect();
        if kinds.iter().any(|kind| kind.starts_with("image/")) {
            operations_with_images += 1;
            assert_eq!(kinds[..5], expected, "{name}");
        } else if kinds.len() > 1 {
            assert_eq!(kinds[0], "application/json", "{name}");
        }
        let request = operation["requestBody"]["content"].as_object();
        let first = request.and_then(|content| content.keys().next());
        assert!(first.is_none_or(|kind| kind == "application/json"), "{name}");
    }
    assert_eq!(operations_with_images, 11);
}

#[tokio::test]
async fn no_schema_has_a_default_and_no_optional_field_takes_null() {
    let document = document().await;
    for (name, schema) in schemas(&document) {
        assert!(schema.get("default").is_none(), "{name} has a default");
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if required.iter().any(|required| required == field) {
                continue;
            }
            let text = property.to_string();
            let null = text.contains(r#"{"type":"null"}"#) || property["type"].is_array();
            assert!(!null, "{name}.{field}: {text}");
        }
    }
}

#[tokio::test]
async fn every_property_and_every_parameter_has_a_description() {
    let document = document().await;
    for (name, schema) in schemas(&document) {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{field}");
        }
    }
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().unwrap() {
            let reference = parameter["$ref"].is_string();
            assert!(
                reference || parameter["description"].is_string(),
                "{name} {parameter}"
            );
        }
    }
}

#[tokio::test]
async fn every_array_says_what_its_items_are_and_every_reference_leads_to_a_schema() {
    let document = document().await;
    for (name, schema) in schemas(&document) {
        if schema["type"] == "array" {
            let items = schema["items"].as_object();
            assert!(items.is_some_and(|items| !items.is_empty()), "{name}");
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let found = reference.strip_prefix("#/components/schemas/").expect("a schema");
            assert!(
                document["components"]["schemas"][found].is_object(),
                "{reference}"
            );
        }
    }
}

/// Generators leave out what no identifier may hold, and then `w+` would be `w`.
#[tokio::test]
async fn enum_members_stay_different_when_a_generator_cleans_their_names() {
    let document = document().await;
    for (name, schema) in schemas(&document) {
        let Some(members) = schema["enum"].as_array() else {
            continue;
        };
        let names = schema["x-enum-varnames"].as_array().unwrap_or(members);
        assert_eq!(names.len(), members.len(), "{name}");
        let cleaned: BTreeSet<String> = names
            .iter()
            .map(|name| {
                let letters = name.as_str().expect("a text").chars();
                letters
                    .filter(char::is_ascii_alphanumeric)
                    .collect::<String>()
                    .to_lowercase()
            })
            .collect();
        assert_eq!(cleaned.len(), members.len(), "{name}: {members:?}");
        assert!(
            document["components"]["schemas"][&name].is_object(),
            "{name} is no schema of its own"
        );
    }
}

/// Two types of one name would be one schema, and the second would be lost.
#[tokio::test]
async fn schema_names_are_unique() {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for name in schema_names(&text) {
                declared.entry(name).or_default().push(path.display().to_string());
            }
        }
    }
    for name in document().await["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            declared.contains_key(name),
            "{name} is declared in a way that this test does not see"
        );
    }
    for (name, files) in declared {
        assert_eq!(files.len(), 1, "{name} is declared in {files:?}");
    }
}

/// The names of the schemas that a file declares, by a derive, by `impl ToSchema`, or by the macros for requests: the names
/// of the types, or those that `as` gives.
fn schema_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut declares, mut renamed) = (false, None);
    for line in text.lines() {
        if line.starts_with("#[derive(") {
            declares = line.contains("ToSchema");
            renamed = None;
        }
        declares |= ["fields! {", "choice! {"].contains(&line);
        if let Some((_, rest)) = line.split_once("#[schema(as = ") {
            renamed = rest.split([')', ',']).next().map(str::to_owned);
        }
        let words: Vec<&str> = line.trim_start().split([' ', '<', '(', ';', '{']).collect();
        let is_item = line.trim_start().starts_with("pub") || !line.starts_with([' ', '/', '#']);
        let kind = words.iter().position(|word| matches!(*word, "struct" | "enum"));
        if let (true, Some(kind)) = (declares && is_item, kind) {
            let given = words.iter().position(|word| *word == "as");
            let name = words[given.unwrap_or(kind) + 1].to_owned();
            names.push(renamed.take().unwrap_or(name));
            declares = false;
        }
        let rest = ["impl ToSchema for ", "form!("]
            .into_iter()
            .find_map(|start| line.strip_prefix(start));
        names.extend(rest.and_then(|rest| rest.split(' ').next()).map(str::to_owned));
    }
    names
}
