//! Every field of every body with values that it cannot have: a 4xx that says what is wrong, never a 5xx.

use serde_json::{Value, json};

use crate::api::refusals::{UNDECODABLE, UNKNOWN, VALUE, check};
use crate::support::Client;

#[tokio::test]
async fn fields_of_wrong_types_are_refused() {
    let client = Client::sketch();
    let wrong = [
        json!("seven"),
        json!(-1.5),
        json!([]),
        json!({}),
        json!(true),
        json!([[1]]),
    ];
    let fields: [(&str, &[&str]); 4] = [
        (
            "/v1/score",
            &["model", "seed", "latent", "space", "psi", "truncation_layers"],
        ),
        (
            "/v1/sample",
            &[
                "model",
                "seed",
                "latent",
                "count",
                "space",
                "psi",
                "truncation_layers",
                "format",
                "layout",
                "metadata",
            ],
        ),
        (
            "/v1/edit",
            &[
                "model",
                "seed",
                "latent",
                "space",
                "psi",
                "truncation_layers",
                "edits",
                "conditions",
                "layers",
                "trajectory",
                "format",
                "layout",
                "metadata",
            ],
        ),
        (
            "/v1/conditional-edit",
            &[
                "model",
                "seed",
                "latent",
                "space",
                "psi",
                "truncation_layers",
                "edits",
                "conditions",
                "layers",
                "trajectory",
                "format",
                "layout",
                "metadata",
            ],
        ),
    ];
    for (path, fields) in fields {
        for field in fields {
            for value in &wrong {
                // An empty trajectory is the usual one, and psi may be below 0.
                // An empty list means the same as none.
                let is_empty_list = *value == json!([]) && ["edits", "conditions"].contains(field);
                if is_empty_list
                    || (*field, value) == ("trajectory", &json!({}))
                    || (*field, value) == ("psi", &json!(-1.5))
                {
                    continue;
                }
                let mut body = json!({});
                if path.ends_with("edit") {
                    body["edits"] = json!([{"attribute": "smile", "by": 1}]);
                    body["conditions"] = json!(["age"]);
                }
                body[field] = value.clone();
                let response = client.post(path, body).await;
                let name = format!("{path} {field} = {value}");
                let status = response.status.as_u16();
                assert!(
                    [UNKNOWN, VALUE].contains(&status),
                    "{name}: {}",
                    String::from_utf8_lossy(&response.body)
                );
                check(&name, &response, status, "");
                if status == VALUE {
                    let detail = response.json()["detail"].to_string();
                    let found = detail.contains("found ")
                        || detail.contains("missing, ")
                        || detail.contains("unknown field");
                    let says_both = found && detail.contains("expected ");
                    assert!(says_both, "{name}: {detail}");
                }
            }
        }
    }
}

#[tokio::test]
async fn bodies_that_contradict_themselves_or_do_not_fit_are_refused() {
    let client = Client::sketch();
    let code = json!({"space": "w", "values": [1, 2, 3, 4]});
    let rows = json!({"space": "w+", "values": [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]]});
    let with = |base: &Value, key: &str, value: Value| {
        let mut changed = base.clone();
        changed[key] = value;
        changed
    };
    let sample = |latent: Value| ("/v1/sample", json!({"latent": latent}));
    let edit = |edits: Value| ("/v1/edit", json!({"seed": 7, "edits": edits}));
    let cases = [
        (
            ("/v1/sample", json!({"seed": 7, "latent": code})),
            VALUE,
            "leave out one of the two",
        ),
        (
            ("/v1/sample", json!({"latent": code, "count": 2})),
            VALUE,
            "one face",
        ),
        (
            ("/v1/sample", json!({"latent": code, "space": "z"})),
            VALUE,
            "cannot become a z code",
        ),
        (
            ("/v1/sample", json!({"latent": rows, "space": "w"})),
            VALUE,
            "cannot become a w code",
        ),
        (
            ("/v1/sample", json!({"latent": code, "psi": 0.5})),
            VALUE,
            "leave them out",
        ),
        (
            ("/v1/score", json!({"seed": 7, "latent": code})),
            VALUE,
            "leave out one of the two",
        ),
        (
            ("/v1/score", json!({"latent": code, "space": "z"})),
            VALUE,
            "cannot become a z code",
        ),
        (
            sample(json!({"values": [1, 2, 3, 4]})),
            VALUE,
            "latent.space: missing, expected z, w, w+ or s",
        ),
        (
            sample(json!({"space": "w"})),
            VALUE,
            "found neither of values and file",
        ),
        (
            sample(with(&code, "file", json!("AAAA"))),
            VALUE,
            "found both of values and file",
        ),
        (
            sample(json!({"space": "w", "file": "?"})),
            VALUE,
            "latent.file: not base64",
        ),
        (
            sample(json!({"space": "w", "file": "AAAA"})),
            VALUE,
            "latent.file: found an unknown format; expected an array",
        ),
        (sample(with(&code, "values", json!([]))), VALUE, "shape"),
        (
            sample(with(&code, "values", json!([1, 2, 3]))),
            VALUE,
            "expected [1, 4]",
        ),
        (
            sample(with(&code, "values", json!([[[1, 2, 3, 4]], [[1, 2, 3, 4]]]))),
            VALUE,
            "expected (dim)",
        ),
        (
            sample(with(&code, "values", json!([1, [2], 3, 4]))),
            VALUE,
            "side by side",
        ),
        (
            sample(with(&code, "values", json!([[1, 2], [3]]))),
            VALUE,
            "several lengths",
        ),
        (
            sample(with(&code, "values", json!([1, 2, 3, "4"]))),
            VALUE,
            "latent.values[3]",
        ),
        (
            sample(with(&code, "values", json!([1, 2, 3, null]))),
            VALUE,
            "latent.values[3]",
        ),
        (
            sample(with(&code, "values", json!([1, 2, 3, 1e300]))),
            VALUE,
            "expected a finite number",
        ),
        (
            sample(with(&code, "values", json!([1, 2, 3, 2000]))),
            VALUE,
            "expected a number from -1000 to 1000",
        ),
        (
            sample(with(&rows, "values", json!([1, 2, 3, 4]))),
            VALUE,
            "expected (layers, dim)",
        ),
        (
            sample(with(&rows, "values", json!([[1, 2, 3, 4]]))),
            VALUE,
            "expected [3, 4]",
        ),
        (
            sample(with(&code, "colour", json!("red"))),
            VALUE,
            "latent.colour: unknown field, expected one of space, values, file",
        ),
        (edit(json!([{"by": 1}])), VALUE, "edits[0].attribute: missing"),
        (edit(json!([{"attribute": "smile"}])), VALUE, "has no amount"),
        (
            edit(json!([{"attribute": "smile", "by": 1, "to": 1}])),
            VALUE,
            "edits[0]: found several of by, to and to_score",
        ),
        (
            edit(json!([{"attribute": "smile", "by": "1"}])),
            VALUE,
            "edits[0].by: found \"1\", expected a number from -1000 to 1000",
        ),
        (
            edit(json!([{"attribute": "smile", "by": 1e9}])),
            VALUE,
            "expected a number from -1000 to 1000",
        ),
        (
            edit(json!([{"attribute": "", "by": 1}])),
            VALUE,
            "edits[0].attribute: found \"\", expected text of 1 to 256 characters",
        ),
        (
            edit(json!([{"attribute": "smile", "by": 1, "strength": 2}])),
            VALUE,
            "edits[0].strength: unknown field",
        ),
    ];
    for ((path, body), status, says) in cases {
        let name = format!("{path} {body}");
        check(&name, &client.post(path, body).await, status, says);
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_are_undecodable() {
    let client = Client::sketch();
    for path in ["/v1/sample", "/v1/score", "/v1/edit", "/v1/conditional-edit"] {
        for body in [
            "",
            "{",
            "{\"seed\": 7,}",
            "{\"seed\": NaN}",
            "{\"psi\": Infinity}",
            "seed=7",
            "\u{0}",
        ] {
            check(
                body,
                &client.post_text(path, body).await,
                UNDECODABLE,
                "cannot be decoded",
            );
        }
        let twice = r#"{"seed": 7, "edits": [{"attribute": "smile", "by": 1}], "conditions": ["age"]} {}"#;
        if path == "/v1/conditional-edit" {
            let response = client.post_text(path, twice).await;
            check(
                "twice",
                &response,
                UNDECODABLE,
                "found '{' at line 1, column 80; expected nothing after the end of the object",
            );
        }
        for body in ["null", "[]", "7", "\"seed\""] {
            check(body, &client.post_text(path, body).await, VALUE, "");
        }
        let deep = "[".repeat(100_000);
        check(
            "deep",
            &client.post_text(path, format!("{{\"latent\": {deep}")).await,
            VALUE,
            "latent: found a list, expected an object",
        );
        // An image in base64 may be in those that are about one face.
        let limit = if path == "/v1/sample" {
            2_097_152
        } else {
            29_775_446
        };
        let large = " ".repeat(limit + 1);
        check(
            "large",
            &client.post_text(path, large).await,
            413,
            &format!("larger than {limit} bytes"),
        );
        check(
            "number",
            &client.post_text(path, "{\"psi\": 1e999}").await,
            UNDECODABLE,
            "expected a number below 1.8e308",
        );
    }
}

#[tokio::test]
async fn lists_stop_at_their_limits() {
    let client = Client::sketch();
    let edit = json!({"attribute": "smile", "to": 1});
    let cases = [
        (
            "/v1/edit",
            json!({"seed": 1, "edits": vec![edit.clone(); 65]}),
            VALUE,
            "edits: found more than 64, expected at most 64",
        ),
        (
            "/v1/conditional-edit",
            json!({"seed": 1, "edits": [edit], "conditions": vec!["age"; 65]}),
            VALUE,
            "conditions: found more than 64, expected at most 64",
        ),
        (
            "/v1/models/sketch/boundaries",
            json!({"attributes": (0..65).map(|number| number.to_string()).collect::<Vec<_>>()}),
            VALUE,
            "attributes: found more than 64, expected at most 64",
        ),
        (
            "/v1/edit",
            json!({"latent": {"space": "z", "values": vec![0; 262_145]}}),
            VALUE,
            "found more than 262144 numbers, expected at most 262144",
        ),
    ];
    for (path, body, status, says) in cases {
        check(says, &client.post(path, body).await, status, says);
    }
}
