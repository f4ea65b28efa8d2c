//! Every parameter of every URL with values that it cannot have: a 4xx that says what is wrong, never a 5xx.

use axum::http::StatusCode;

use crate::api::refusals::{UNDECODABLE, UNKNOWN, VALUE, check};
use crate::support::Client;

#[tokio::test]
async fn invalid_urls_are_refused_with_a_reason() {
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
            "space: found \"x\", expected z, w, w+ or s",
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
            "/v1/sample?format=bmp",
            VALUE,
            "format: found \"bmp\", expected png, jpeg, webp, gif, json or npz",
        ),
        (
            "/v1/sample?layout=circle",
            VALUE,
            "expected grid, strip, animation, zip or stream",
        ),
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
        ("/v1/edit?edit=,", VALUE, "expected ATTRIBUTE:AMOUNT"),
        (
            "/v1/edit?trajectory=-3:3:5",
            VALUE,
            "a trajectory that no edit follows",
        ),
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
            "it has age in z, age in w, grin in w, smile in z",
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
        let response = client.get(uri).await;
        if status == 200 {
            assert_eq!(
                response.status,
                StatusCode::OK,
                "{uri}: {}",
                String::from_utf8_lossy(&response.body)
            );
        } else {
            check(uri, &response, status, says);
        }
    }
}
