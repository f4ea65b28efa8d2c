//! Rules that hold for every operation and every schema. They are applied to the whole document, so no operation can
//! miss one.
//!
//! - Every operation takes `Faceplane-Timeout`, has the common problems, and those of protected operations if it is one, and responds with `X-Request-Id`.
//! - Every operation names the scope that its key needs, or that it needs none.
//! - An optional field is left out, never null: generators would otherwise type it as three cases.
//! - No schema has a default: openapi-typescript makes fields with a default required. Descriptions name the defaults.
//! - If the values of an enum are not identifiers, the enum says how generated code names them.

use serde_json::{Map, Value, json};
use utoipa::IntoResponses as _;

use crate::api::guard::needed_scope::needed_scope;
use crate::api::middleware::access::is_protected;
use crate::api::openapi::problems::{CommonProblems, KeyProblems, ProtectedProblems};
use crate::api::timeout;

type JsonObject = Map<String, Value>;

/// Names the request in the log and in the response.
const REQUEST_ID: &str = "X-Request-Id";

/// The name of the security scheme.
const KEY: &str = "key";

/// Keys of a path that are operations.
const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Applies the rules.
pub(crate) fn apply(document: &mut Value) {
    add_components(&mut document["components"]);
    let common = serde_json::to_value(CommonProblems::responses()).expect("responses are JSON");
    let with_key = serde_json::to_value(KeyProblems::responses()).expect("responses are JSON");
    let protected = serde_json::to_value(ProtectedProblems::responses()).expect("responses are JSON");
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        let operations = item.as_object_mut().into_iter().flatten();
        let operations = operations.filter(|(method, _)| METHODS.contains(&method.as_str()));
        for (method, operation) in operations {
            let method = method.to_uppercase().parse().expect("it is a method");
            let is_protected = is_protected(&method, path);
            let scope = needed_scope(&method, path);
            let scopes = scope.map(|scope| json!({ KEY: [scope.name()] }));
            operation["security"] = scopes.into_iter().collect();
            let problems = [
                Some(&common),
                scope.map(|_| &with_key),
                is_protected.then_some(&protected),
            ];
            complete(operation, problems);
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                let optional = parameter["required"] != true;
                if let Some(schema) = parameter.get_mut("schema") {
                    if optional {
                        forbid_null(schema);
                    }
                    simplify(schema);
                }
            }
        }
    }
    values(&mut document["components"]["schemas"]).for_each(simplify);
}

/// Declares the header, the parameter and the security scheme that operations refer to.
fn add_components(components: &mut Value) {
    components["headers"] = json!({ REQUEST_ID: {
        "description": "The id of the request, as in the log: the client's own, or a new one.",
        "schema": { "type": "string" },
    }});
    components["parameters"] = json!({ timeout::HEADER: {
        "name": timeout::HEADER,
        "in": "header",
        "required": false,
        "description": "The longest time to wait for the response, in seconds; the service's own limit if left out or longer.",
        "schema": { "type": "number", "exclusiveMinimum": 0 },
    }});
    components["securitySchemes"] = json!({ KEY: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of the service, if it has keys. Operations name the scope that the key needs: `use`, `train` or `admin`; \
                        a larger scope allows what a smaller one does. In web pages of the service, the cookie of a session does too.",
    }});
}

/// Adds to an operation what every operation has, and its further problems.
fn complete(operation: &mut Value, problems: [Option<&Value>; 3]) {
    let reference = json!({ "$ref": format!("#/components/parameters/{}", timeout::HEADER) });
    let operation = operation.as_object_mut().expect("an operation is an object");
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    parameters
        .as_array_mut()
        .expect("parameters are a list")
        .push(reference);
    let responses = operation["responses"]
        .as_object_mut()
        .expect("an operation has responses");
    for (status, problem) in problems
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flatten()
    {
        responses.entry(status.clone()).or_insert_with(|| problem.clone());
    }
    responses.sort_keys();
    for (status, response) in responses.iter_mut() {
        response["headers"][REQUEST_ID] = json!({ "$ref": format!("#/components/headers/{REQUEST_ID}") });
        if status == "401" {
            response["headers"]["WWW-Authenticate"] = json!({
                "description": "`Bearer`, and what is wrong with the key (RFC 6750).",
                "schema": { "type": "string" },
            });
        }
        if status == "429" {
            for (name, description) in [
                (
                    "RateLimit-Policy",
                    "The limit: `q` requests in `w` seconds. Every response has it if there is a limit.",
                ),
                (
                    "RateLimit",
                    "What is left: `r` requests; the limit is whole again after `t` seconds. Every response has it if there is a limit.",
                ),
            ] {
                response["headers"][name] =
                    json!({ "description": description, "schema": { "type": "string" } });
            }
        }
        if status == "429" || status == "503" {
            response["headers"]["Retry-After"] = json!({
                "description": "Seconds after which to try again.",
                "schema": { "type": "integer", "minimum": 1 },
            });
        }
    }
}

/// Applies the rules for schemas to a schema and to those inside it.
fn simplify(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("default");
    name_members(object);
    forbid_null_in_optional(object);
    object
        .get_mut("properties")
        .into_iter()
        .flat_map(values)
        .for_each(simplify);
    for key in ["items", "additionalProperties"] {
        object.get_mut(key).into_iter().for_each(simplify);
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let list = object.get_mut(key).and_then(Value::as_array_mut);
        list.into_iter().flatten().for_each(simplify);
    }
}

/// Takes null away from the properties that may be left out.
fn forbid_null_in_optional(object: &mut JsonObject) {
    let required = object.get("required").cloned().unwrap_or_else(|| json!([]));
    let required = required.as_array().cloned().unwrap_or_default();
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if !required.iter().any(|required| required == name) {
            forbid_null(property);
        }
    }
}

/// Takes null away from the types of a schema.
fn forbid_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|found| found != "null");
        if let [only] = &types[..] {
            schema["type"] = only.clone();
        }
    }
    let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else {
        return;
    };
    choices.retain(|choice| choice["type"] != "null");
    if let [only] = &choices[..] {
        let (mut only, description) = (only.clone(), schema.get("description").cloned());
        if let Some(description) = description {
            only["description"] = description;
        }
        *schema = only;
    }
}

/// Says how generated code names the members of an enum, where cleaning their values would make two of them equal:
/// `w` and `w+`.
fn name_members(object: &mut JsonObject) {
    let members = object.get("enum").and_then(Value::as_array);
    let members: Vec<&str> = members.into_iter().flatten().filter_map(Value::as_str).collect();
    if members.iter().all(|member| is_identifier(member)) {
        return;
    }
    let names: Vec<String> = members
        .iter()
        .map(|member| member.to_uppercase().replace('+', "_PLUS").replace('-', "_"))
        .collect();
    object.insert("x-enum-varnames".to_owned(), json!(names));
}

fn is_identifier(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The values of an object; none of anything else.
fn values(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(JsonObject::values_mut)
}
