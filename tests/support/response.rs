//! A response of the service, as tests look at it.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A response with its complete body.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body should be JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Width, height and pixels of a PNG.
    pub(crate) fn pixels(&self) -> (u32, u32, Vec<u8>) {
        assert_eq!(
            self.header("content-type"),
            Some("image/png"),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        let mut reader = png::Decoder::new(std::io::Cursor::new(&self.body))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (reader.info().width, reader.info().height, pixels)
    }
}

/// The numbers of a JSON list.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("expected a list of numbers");
    list.iter()
        .map(|item| item.as_f64().expect("found an item that is not a number"))
        .collect()
}
