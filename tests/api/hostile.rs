//! Every field of every request with values that it cannot have: a 4xx that says what is wrong, never a 5xx.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Client};

/// Statuses of problems, as the table below calls them.
const UNDECODABLE: u16 = 400;
const UNKNOWN: u16 = 404;
const VALUE: u16 = 422;

fn check(name: &str, answer: &Answer, status: u16, says: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status.as_u16(), status, "{name}: {text}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{name}"
    );
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{name}");
    assert_eq!(
        problem["request_id"].as_str(),
        answer.header("x-request-id"),
        "{name}"
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains(says),
        "{name} should say {says:?}, says: {detail}"
    );
}

#[tokio::test]
async fn urls() {
    let client = Client::sketch();
    let cases = [
        (
            "/v1/sample?seed=-1",
            VALUE,
            "seed: found \"-1\", expected a whole number from 0 to 4294967295",
        ),
        ("/v1/sample?seed=4294967296", VALUE, "seed: found \"4294967296\""),
        ("/v1/sample?seed=1.5", VALUE, "seed: found \"1.5\""),
        ("/v1/sample?seed=", VALUE, "seed"),
        ("/v1/sample?seed=NaN", VALUE, "seed: found \"NaN\""),
        ("/v1/sample?seed=1&seed=2", VALUE, "seed"),
        ("/v1/sample?seed=%FF", VALUE, "seed"),
        ("/v1/sample?seed=4294967295&count=2", VALUE, "the last seed"),
        (
            "/v1/sample?count=0",
            VALUE,
            "count: found \"0\", expected a whole number from 1 to 4294967295",
        ),
        ("/v1/sample?count=17", VALUE, "count: found 17, expected 1 to 16"),
        ("/v1/sample?count=4000000000", VALUE, "count: found 4000000000"),
        ("/v1/sample?model=nobody", UNKNOWN, "there is sketch"),
        (
            "/v1/sample?space=x",
            VALUE,
            "space: found \"x\", expected z, w or w+",
        ),
        (
            "/v1/sample?psi=3",
            VALUE,
            "psi: found 3, expected a number from -2 to 2",
        ),
        ("/v1/sample?psi=NaN", VALUE, "psi: found NaN"),
        ("/v1/sample?psi=inf", VALUE, "psi: found inf"),
        (
            "/v1/sample?psi=much",
            VALUE,
            "psi: found \"much\", expected a number",
        ),
        (
            "/v1/sample?truncation_layers=0&psi=0.5",
            VALUE,
            "truncation_layers: found \"0\"",
        ),
        ("/v1/sample?truncation_layers=9&psi=0.5", VALUE, "9 layers"),
        (
            "/v1/sample?format=gif",
            VALUE,
            "format: found \"gif\", expected png, jpeg, webp or json",
        ),
        ("/v1/sample?layout=circle", VALUE, "expected grid or strip"),
        ("/v1/sample?metadata=some", VALUE, "expected full or none"),
        (
            "/v1/sample?colour=red",
            VALUE,
            "colour: unknown field, expected one of model, seed",
        ),
        (
            "/v1/sample?latent=x",
            VALUE,
            "latent: found \"x\", expected SPACE:NUMBER",
        ),
        ("/v1/score?seed=-1", VALUE, "seed: found \"-1\""),
        ("/v1/score?model=nobody", UNKNOWN, "there is sketch"),
        ("/v1/score?space=x", VALUE, "space: found \"x\", expected z"),
        ("/v1/score?psi=much", VALUE, "psi: found \"much\""),
        ("/v1/score?psi=3", VALUE, "psi: found 3"),
        ("/v1/score?psi=0.5&truncation_layers=9", VALUE, "9 layers"),
        ("/v1/score?count=2", VALUE, "count: unknown field"),
        (
            "/v1/edit?seed=7",
            VALUE,
            "edit: missing, expected ATTRIBUTE:AMOUNT",
        ),
        ("/v1/edit?edit=", VALUE, "expected ATTRIBUTE:AMOUNT"),
        ("/v1/edit?edit=smile", VALUE, "has no amount"),
        ("/v1/edit?edit=smile:much", VALUE, "found \"smile:much\""),
        ("/v1/edit?edit=smile:NaN", VALUE, "found \"smile:NaN\""),
        ("/v1/edit?edit=smile:inf", VALUE, "found \"smile:inf\""),
        (
            "/v1/edit?edit=smile:1e9",
            VALUE,
            "amounts and distances from -1000 to 1000",
        ),
        (
            "/v1/edit?edit=beard:1",
            UNKNOWN,
            "it has smile in z, age in z, smile in w",
        ),
        (
            "/v1/edit?edit=grin:1&space=z",
            UNKNOWN,
            "no boundary for \"grin\" in z",
        ),
        ("/v1/edit?edit=smile:1&layers=0", StatusCode::OK.as_u16(), ""),
        ("/v1/edit?edit=smile:1&layers=3", VALUE, "layers 3-3"),
        (
            "/v1/edit?edit=smile:1&layers=2-1",
            VALUE,
            "layers: found layers 2-1",
        ),
        (
            "/v1/edit?edit=smile:1&layers=all",
            VALUE,
            "found the layers `all`",
        ),
        ("/v1/edit?edit=smile:1&layers=0&space=w", VALUE, "for a w code"),
        (
            "/v1/edit?edit=smile:1&edit=smile:to:2",
            StatusCode::OK.as_u16(),
            "",
        ),
        (
            "/v1/edit?edit=smile:to:1&edit=smile:to:2",
            VALUE,
            "cannot be reached together",
        ),
        (
            "/v1/edit?edit=smile:1&trajectory=-3:3:5",
            VALUE,
            "leave out the amount",
        ),
        (
            "/v1/edit?edit=smile&trajectory=-3:3",
            VALUE,
            "expected START:END:STEPS",
        ),
        (
            "/v1/edit?edit=smile&trajectory=-3:3:0",
            VALUE,
            "trajectory: found \"-3:3:0\"",
        ),
        (
            "/v1/edit?edit=smile&trajectory=-3:3:4294967295",
            VALUE,
            "expected 1 to 16",
        ),
        ("/v1/edit?edit=smile&trajectory=NaN:3:5", VALUE, "trajectory"),
        (
            "/v1/edit?edit=smile&trajectory=-1e9:3:5",
            VALUE,
            "positions from -1000 to 1000",
        ),
        (
            "/v1/edit?edit=smile&trajectory=-3:3:5:at",
            VALUE,
            "expected START:END:STEPS",
        ),
        ("/v1/edit?edit=smile:1&edits=age:1", VALUE, "edits: unknown field"),
        (
            "/v1/edit?edit=smile:1&condition=beard",
            UNKNOWN,
            "no boundary for \"beard\"",
        ),
        ("/v1/conditional-edit?edit=smile:1", VALUE, "condition: missing"),
        (
            "/v1/conditional-edit?edit=smile:1&condition=smile",
            VALUE,
            "remove the condition",
        ),
        ("/v1/models/nobody", UNKNOWN, "there is sketch"),
        ("/v1/models/%FF", UNDECODABLE, "cannot be decoded"),
        ("/v1/nothing", UNKNOWN, "/docs lists the routes"),
    ];
    for (uri, status, says) in cases {
        let answer = client.get(uri).await;
        if status == 200 {
            assert_eq!(
                answer.status,
                StatusCode::OK,
                "{uri}: {}",
                String::from_utf8_lossy(&answer.body)
            );
        } else {
            check(uri, &answer, status, says);
        }
    }
}

#[tokio::test]
async fn fields_of_wrong_types() {
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
                if (*field, value) == ("trajectory", &json!({})) || (*field, value) == ("psi", &json!(-1.5)) {
                    continue;
                }
                let mut body = json!({});
                if path.ends_with("edit") {
                    body["edits"] = json!([{"attribute": "smile", "by": 1}]);
                    body["conditions"] = json!(["age"]);
                }
                body[field] = value.clone();
                let answer = client.post(path, body).await;
                let name = format!("{path} {field} = {value}");
                let status = answer.status.as_u16();
                assert!(
                    [UNKNOWN, VALUE].contains(&status),
                    "{name}: {}",
                    String::from_utf8_lossy(&answer.body)
                );
                check(&name, &answer, status, "");
            }
        }
    }
}

#[tokio::test]
async fn bodies_that_contradict_themselves_or_do_not_fit() {
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
            "latent.space: missing, expected z, w or w+",
        ),
        (
            sample(json!({"space": "w"})),
            VALUE,
            "found neither of values and npy",
        ),
        (
            sample(with(&code, "npy", json!("AAAA"))),
            VALUE,
            "found both of values and npy",
        ),
        (
            sample(json!({"space": "w", "npy": "?"})),
            VALUE,
            "latent.npy: not base64",
        ),
        (
            sample(json!({"space": "w", "npy": "AAAA"})),
            VALUE,
            "no .npy file",
        ),
        (sample(with(&code, "values", json!([]))), VALUE, "shape"),
        (
            sample(with(&code, "values", json!([1, 2, 3]))),
            VALUE,
            "expected [1, 4]",
        ),
        (
            sample(with(&code, "values", json!([[1, 2, 3, 4], [1, 2, 3, 4]]))),
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
            "latent.colour: unknown field, expected one of space, values, npy",
        ),
        (edit(json!([])), VALUE, "edits: found 0, expected 1 to 64"),
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
        (("/v1/edit", json!({"seed": 7})), VALUE, "edits: missing"),
        (
            (
                "/v1/conditional-edit",
                json!({"seed": 7, "edits": [{"attribute": "smile", "by": 1}], "conditions": []}),
            ),
            VALUE,
            "conditions: found 0, expected 1 to 64",
        ),
    ];
    for ((path, body), status, says) in cases {
        let name = format!("{path} {body}");
        check(&name, &client.post(path, body).await, status, says);
    }
}

#[tokio::test]
async fn bodies_that_are_no_json() {
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
            let answer = client.post_text(path, twice).await;
            check("twice", &answer, UNDECODABLE, "trailing characters");
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
        // A picture in base64 may be in those that are about one face.
        let limit = if path == "/v1/sample" {
            2_097_152
        } else {
            28_027_560
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
            "number out of range",
        );
    }
}

#[tokio::test]
async fn too_many_of_a_thing() {
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
