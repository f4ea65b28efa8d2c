//! Values made from the schemas of the OpenAPI document: some that satisfy a schema, and some that break it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Map, Value, json};

/// Longest list and text that is made, apart from those that break a limit.
const LONG: usize = 6;

/// Longest list of objects that is made: each object may have a field that is refused for a reason beyond its schema.
const FEW: usize = 1;

/// The most characters or entries for which a text or list beyond the limit is made.
const LARGEST_LIMIT: u64 = 2000;

/// The part of a pattern that is a number.
const NUMBER: &str = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?";

/// The part of a pattern that is a seed or a range of seeds.
const SEEDS: &str = "([0-9]{1,9}|[1-3][0-9]{9})(-([0-9]{1,9}|[1-3][0-9]{9}))?";

/// Follows a reference to a schema.
pub(crate) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference
                .strip_prefix('#')
                .expect("references stay in the document");
            document.pointer(pointer).expect("a reference has a target")
        }
        None => schema,
    }
}

/// Values that satisfy `schema`.
pub(crate) fn valid(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let schema = resolved(document, schema);
    match schema["type"].as_str() {
        Some("object") => valid_object(document, schema),
        Some("array") => {
            let items = valid(document, &schema["items"]);
            let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap();
            let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
            let is_of_objects = resolved(document, &schema["items"])["type"] == "object";
            let longer = if is_of_objects { FEW } else { LONG };
            let most = usize::try_from(most).unwrap().clamp(least, least + longer);
            vec(items, least..=most).prop_map(Value::Array).boxed()
        }
        Some("integer") => {
            let (least, most) = (
                schema["minimum"].as_u64().unwrap(),
                schema["maximum"].as_u64().unwrap(),
            );
            prop_oneof![Just(least), Just(most), least..=most]
                .prop_map(Value::from)
                .boxed()
        }
        Some("number") => valid_number(schema),
        Some("boolean") => any::<bool>().prop_map(Value::Bool).boxed(),
        Some("string") => valid_text(schema).prop_map(Value::String).boxed(),
        // The schema says what the value is not.
        None if schema["not"].is_object() => {
            let refused = schema["not"].clone();
            let kind_of_number = (-9.0..9.0).prop_map(|number: f64| json!(number));
            let values = prop_oneof![
                kind_of_number,
                (0_i64..9).prop_map(|number| json!(number)),
                Just(json!("auto")),
                Just(json!("85,100-103")),
            ];
            values
                .prop_filter("not what the schema refuses", move |value| {
                    !satisfies(&refused, value)
                })
                .boxed()
        }
        other => panic!("no values are made for the type {other:?} of {schema}"),
    }
}

fn valid_object(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let fields = schema["properties"]
        .as_object()
        .expect("an object has properties");
    let fields = fields.iter().map(|(name, property)| {
        let name = name.clone();
        let value = valid(document, property);
        let present = if is_required(schema, &name) {
            value.prop_map(Some).boxed()
        } else {
            proptest::option::weighted(0.3, value).boxed()
        };
        present.prop_map(move |value| value.map(|value| (name.clone(), value)))
    });
    let fields: Vec<_> = fields.collect();
    fields
        .prop_map(|fields| Value::Object(fields.into_iter().flatten().collect()))
        .boxed()
}

fn valid_number(schema: &Value) -> BoxedStrategy<Value> {
    let least = schema["minimum"].as_f64();
    let above = schema["exclusiveMinimum"].as_f64();
    let Some(most) = schema["maximum"].as_f64() else {
        let finite = proptest::num::f64::NORMAL | proptest::num::f64::ZERO;
        return finite.prop_map(|number| json!(number)).boxed();
    };
    let inside = move |number: &f64| above.is_none_or(|above| *number > above);
    let least = least.or(above).expect("a number with a maximum has a minimum");
    prop_oneof![Just(least), Just(most), least..=most]
        .prop_filter("above the minimum", inside)
        .prop_map(|number| json!(number))
        .boxed()
}

fn valid_text(schema: &Value) -> BoxedStrategy<String> {
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect();
        return proptest::sample::select(words).boxed();
    }
    if schema["contentEncoding"] == "base64" {
        return string_regex("([A-Za-z0-9+/]{4}){0,9}").unwrap().boxed();
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        // The pattern of a text that is also limited in length is the one of names.
        let pattern = if pattern == "[^,]*" { "[^,]{1,9}" } else { pattern };
        // Most numbers are small, because fields limit them and patterns cannot.
        let small = pattern
            .replace(NUMBER, "-?[0-9]{1,2}")
            .replace(SEEDS, "[0-9]{1,2}");
        let small = string_regex(&small).unwrap();
        return prop_oneof![9 => small, 1 => string_regex(pattern).unwrap()].boxed();
    }
    let most = usize::try_from(schema["maxLength"].as_u64().expect("a text is limited")).unwrap();
    let characters = |count| vec(any::<char>(), count).prop_map(String::from_iter);
    prop_oneof![
        9 => (1..=LONG).prop_flat_map(characters),
        1 => characters(most),
    ]
    .boxed()
}

/// Values that break `schema`.
pub(crate) fn broken(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let schema = resolved(document, schema);
    let kind = schema["type"].as_str();
    let mut ways: Vec<BoxedStrategy<Value>> = vec![Just(wrong_type(schema)).prop_flat_map(select).boxed()];
    match kind {
        Some("object") => break_object(document, schema, &mut ways),
        Some("array") => break_array(document, schema, &mut ways),
        Some("integer" | "number") => {
            let limits = [
                schema["minimum"].as_f64().map(|least| least - 1.0),
                schema["exclusiveMinimum"].as_f64(),
                schema["maximum"].as_f64().map(|most| most + 1.0),
            ];
            let beyond = limits.into_iter().flatten().map(|number| json!(number));
            let fraction = (kind == Some("integer")).then(|| json!(50.5));
            ways.extend(beyond.chain(fraction).map(|value| Just(value).boxed()));
        }
        Some("string") => {
            let texts = broken_texts(schema).into_iter();
            ways.extend(texts.map(|text| Just(Value::String(text)).boxed()));
        }
        _ => {}
    }
    proptest::sample::select(ways).prop_flat_map(|way| way).boxed()
}

fn break_object(document: &Value, schema: &Value, ways: &mut Vec<BoxedStrategy<Value>>) {
    let whole = valid(document, schema);
    let with = |whole: &Value, name: &str, value: Value| {
        let mut object = whole.as_object().cloned().unwrap_or_default();
        object.insert(name.to_owned(), value);
        Value::Object(object)
    };
    ways.push(
        whole
            .clone()
            .prop_map(move |whole| with(&whole, "colour", json!("red")))
            .boxed(),
    );
    for (name, property) in schema["properties"].as_object().unwrap() {
        let name = name.clone();
        if is_required(schema, &name) {
            let without = name.clone();
            let without = move |whole: Value| {
                let fields = whole.as_object().unwrap().clone().into_iter();
                Value::Object(fields.filter(|(name, _)| *name != without).collect::<Map<_, _>>())
            };
            ways.push(whole.clone().prop_map(without).boxed());
        }
        let broken = (whole.clone(), broken(document, property));
        ways.push(
            broken
                .prop_map(move |(whole, value)| with(&whole, &name, value))
                .boxed(),
        );
    }
}

fn break_array(document: &Value, schema: &Value, ways: &mut Vec<BoxedStrategy<Value>>) {
    let item = valid(document, &schema["items"]);
    let repeated = |count| move |item: Value| Value::Array(vec![item; count]);
    if let Some(most) = schema["maxItems"].as_u64().filter(|&most| most < LARGEST_LIMIT) {
        let count = usize::try_from(most).unwrap() + 1;
        ways.push(item.clone().prop_map(repeated(count)).boxed());
    }
    if let Some(least) = schema["minItems"].as_u64().filter(|&least| least > 0) {
        let count = usize::try_from(least).unwrap() - 1;
        ways.push(item.prop_map(repeated(count)).boxed());
    }
    let one = broken(document, &schema["items"]);
    ways.push(one.prop_map(|item| json!([item])).boxed());
}

/// Texts that break the schema of a text.
pub(crate) fn broken_texts(schema: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    if schema["enum"].is_array() {
        texts.push("other".to_owned());
    }
    if schema["contentEncoding"] == "base64" {
        texts.push("?".to_owned());
    }
    if schema["pattern"].is_string() && schema["maxLength"].is_null() {
        // No field's pattern matches it.
        texts.push(":::".to_owned());
    }
    if schema["minLength"].as_u64().is_some_and(|least| least > 0) {
        texts.push(String::new());
    }
    if let Some(most) = schema["maxLength"].as_u64().filter(|&most| most < LARGEST_LIMIT) {
        texts.push("é".repeat(usize::try_from(most).unwrap() + 1));
    }
    texts
}

/// Values of the types that a schema refuses. A schema without a type says which types it is not.
fn wrong_type(schema: &Value) -> Vec<Value> {
    let all = [
        ("object", json!({})),
        ("array", json!([])),
        ("number", json!(7)),
        ("string", json!("seven")),
        ("boolean", json!(true)),
        ("null", Value::Null),
    ];
    let fits = |found: &str, value: &Value| match schema["type"].as_str() {
        Some("integer") => found == "number",
        Some(kind) => found == kind,
        None => !satisfies(&schema["not"], value),
    };
    let wrong = all.into_iter().filter(|(found, value)| !fits(found, value));
    wrong.map(|(_, value)| value).collect()
}

/// Whether `value` satisfies a schema that says what another one is not: of types, limits, a constant and alternatives.
fn satisfies(schema: &Value, value: &Value) -> bool {
    let is_of = |kind: &Value| match kind.as_str().expect("a type is a word") {
        "string" => value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("the type {other} is not known"),
    };
    let fields = schema.as_object().expect("a schema is an object");
    fields.iter().all(|(keyword, expected)| match &**keyword {
        "type" => expected
            .as_array()
            .map_or_else(|| is_of(expected), |kinds| kinds.iter().any(is_of)),
        "const" => value == expected,
        "minimum" => value.as_f64() >= expected.as_f64(),
        "maximum" => value.as_f64() <= expected.as_f64(),
        "not" => !satisfies(expected, value),
        "items" => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| satisfies(expected, item))),
        "minItems" => value.as_array().map(|items| items.len() as u64) >= expected.as_u64(),
        "maxItems" => value.as_array().map(|items| items.len() as u64) <= expected.as_u64(),
        // The only pattern that is not to be matched is the one of seeds.
        "pattern" => value.as_str().is_some_and(|text| {
            let parts = text.split([',', '-']);
            parts.into_iter().all(|part| part.parse::<u32>().is_ok())
        }),
        "anyOf" => expected
            .as_array()
            .is_some_and(|any| any.iter().any(|one| satisfies(one, value))),
        other => panic!("the keyword {other} is not known"),
    })
}

fn select(values: Vec<Value>) -> impl Strategy<Value = Value> {
    proptest::sample::select(values)
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema["required"].as_array();
    required.is_some_and(|required| required.iter().any(|required| required == name))
}
