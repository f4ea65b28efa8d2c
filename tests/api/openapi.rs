//! The OpenAPI document: committed, and equal to what the code says.

use std::path::Path;

use serde_json::Value;

use crate::support::Client;

#[tokio::test]
async fn the_openapi_document_is_the_committed_one() {
    let served = Client::sketch().get("/openapi.json").await.json();
    let text = serde_json::to_string_pretty(&served).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    if std::env::var_os("FACEPLANE_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "openapi/openapi.json is not what the code says; `make openapi` writes it anew"
    );
}

#[tokio::test]
async fn the_openapi_document_describes_every_operation_with_an_example_and_its_problems() {
    let document = Client::sketch().get("/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = document.to_string();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            let responses = operation["responses"].as_object().unwrap();
            let success = responses.keys().any(|status| status.starts_with('2'));
            assert!(success, "{name} has no success");
            for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
                let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/ProblemDocument", "{name} {status}");
            }
            if path.starts_with("/v1/sample") || path.contains("edit") {
                for status in ["404", "406", "422", "500", "503", "504"] {
                    assert!(
                        responses.contains_key(status),
                        "{name} does not describe {status}"
                    );
                }
            }
        }
    }
    for reference in references(&document) {
        let name = reference.strip_prefix("#/components/schemas/").expect("a schema");
        assert!(
            !document["components"]["schemas"][name].is_null(),
            "{reference} is missing"
        );
    }
    for schema in ["SampleBody", "EditBody", "ProblemDocument"] {
        let examples = &document["components"]["schemas"][schema]["examples"];
        assert!(
            examples.as_array().is_some_and(|examples| !examples.is_empty()),
            "{schema} has no example"
        );
    }
    assert!(!text.contains("\"info\":{\"title\":\"\""));
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(map.values().flat_map(references)).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
