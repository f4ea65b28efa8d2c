//! Requests that cannot be decoded: the error says what was found, where, and what was expected, in the service's own words.

use axum::body::Body;
use axum::http::Request;

use crate::api::refusals::{UNDECODABLE, check};
use crate::support::Client;

#[tokio::test]
async fn an_error_of_syntax_says_what_was_found_where_and_what_was_expected() {
    let client = Client::sketch();
    let cases: [(&[u8], &str); 24] = [
        (b"", "found nothing, expected an object such as {\"seed\": 7}"),
        (
            b"{",
            "found the end of the body at line 1, column 1; expected the rest",
        ),
        (
            b"{\"seed\": 7",
            "found the end of the body at line 1, column 10; expected the rest",
        ),
        (
            b"{\"model\": \"sk",
            "found the end of the body at line 1, column 13; expected the rest",
        ),
        (
            b"{\n \"seed\": 7,\n}",
            "found '}' at line 3, column 1; expected no comma before the end",
        ),
        (
            b"{\"latent\": {\"values\": [1,]}}",
            "found ']' at line 1, column 26; expected no comma before the end",
        ),
        (
            b"{'seed': 7}",
            "found '\\'' at line 1, column 2; expected the name of a field in double quotes",
        ),
        (
            b"{seed: 7}",
            "found 's' at line 1, column 2; expected the name of a field in double quotes",
        ),
        (b"{\"seed\" 7}", "found '7' at line 1, column 9; expected a colon"),
        (
            b"{\"seed\": 7 \"psi\": 1}",
            "found '\"' at line 1, column 12; expected a comma before the next field",
        ),
        (
            b"{\"latent\": {\"values\": [1 2]}}",
            "found '2' at line 1, column 26; expected a comma before the next element",
        ),
        (
            b"{\"seed\": NaN}",
            "found 'N' at line 1, column 10; expected a value",
        ),
        (
            b"{\"psi\": Infinity}",
            "found 'I' at line 1, column 9; expected a value",
        ),
        (
            b"{\"psi\": +1}",
            "found '+' at line 1, column 9; expected a value",
        ),
        (
            b"{\"psi\": .5}",
            "found '.' at line 1, column 9; expected a value",
        ),
        (
            b"{\"psi\": 01}",
            "found '1' at line 1, column 10; expected a number such as",
        ),
        (b"{\"psi\": 1e999}", "expected a number below 1.8e308"),
        (
            b"{\"psi\": tru}",
            "found '}' at line 1, column 12; expected true, false or null",
        ),
        (
            b"{\"model\": \"a\nb\"}",
            "expected no line break or other control character inside quotes",
        ),
        (
            b"{\"model\": \"\\x\"}",
            "found 'x' at line 1, column 13; expected an escape",
        ),
        (b"{\"model\": \"\\ud800\"}", "expected an escape"),
        (
            b"{\"seed\": 7} x",
            "found 'x' at line 1, column 13; expected nothing after the end",
        ),
        (
            b"{\"model\": \"k\xf6ln\"}",
            "found the byte 0xf6 at position 13, expected UTF-8",
        ),
        (
            b"\xff\xfe{\0}\0",
            "found the byte 0xff at position 1, expected UTF-8",
        ),
    ];
    for (body, says) in cases {
        let name = String::from_utf8_lossy(body);
        let mut request = Request::post("/v1/score").header("content-type", "application/json");
        request = request.header("accept", "application/json");
        let response = client.send(request.body(Body::from(body)).unwrap()).await;
        check(&name, &response, UNDECODABLE, says);
    }
    let marked = client.post_text("/v1/score", "\u{feff}{\"seed\": 7}").await;
    assert_eq!(marked.status, 200, "a byte order mark is skipped");
}

#[tokio::test]
async fn an_error_of_a_form_or_a_path_says_what_was_found_and_expected() {
    let client = Client::sketch();
    for (kind, body) in [
        ("multipart/form-data; boundary=edge", "--edge\r\nno form"),
        (
            "multipart/form-data; boundary=edge",
            "--edge\r\nContent-Disposition: form-data; name=\"psi\"\r\n\r\n1",
        ),
        ("multipart/form-data; boundary=edge", ""),
        ("multipart/form-data; boundary=edge", "psi=1"),
        ("multipart/form-data", "--edge--"),
    ] {
        let request = Request::post("/v1/score").header("content-type", kind);
        let response = client.send(request.body(Body::from(body)).unwrap()).await;
        check(body, &response, UNDECODABLE, "found ");
        check(body, &response, UNDECODABLE, "expected ");
    }
    for path in [
        "/v1/models/%FF",
        "/v1/models/sketch/boundaries/%FF/w",
        "/v1/jobs/%FF",
    ] {
        let response = client.get(path).await;
        check(
            path,
            &response,
            UNDECODABLE,
            "found bytes in the path that are not UTF-8, expected",
        );
    }
}
