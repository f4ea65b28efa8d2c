//! The line of the log that every request gets when it ends, whatever ends it, and the end of its span.
//!
//! The connection begins and ends a [`RequestLog`]; only it knows whether the client took the response. The layers around the
//! handlers and the handlers fill in what they know (`log_record`).

use std::sync::Arc;
use std::time::Instant;

use axum::body::HttpBody;
use axum::http::{Method, Request, Response, StatusCode, header};

use crate::api::log_record::{LogFields, LogRecord, logged_path};
use crate::api::problem::Problem;
use crate::trace::RequestEnd;

/// How the body of the response ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It did not end, or there was no response: the client went away or was too slow, or the service ended.
    Aborted,
    /// It broke off, because the service could not go on.
    Failed,
    /// The connection took all of it.
    Complete,
}

/// A request on a connection. When it is dropped, the log gets its line.
pub struct RequestLog {
    record: LogRecord,
    started: Instant,
    is_head: bool,
    status: Option<StatusCode>,
    problem: Option<Arc<Problem>>,
    /// Bytes of the body that the connection took.
    bytes: u64,
    /// Bytes that the response announced.
    length: Option<u64>,
    ending: Ending,
}

impl RequestLog {
    /// Begins the line of a request, which carries the record to the layers.
    pub fn begin<B>(request: &mut Request<B>) -> Self {
        let record = LogRecord::default();
        {
            let mut record = record.lock();
            record.method = request.method().to_string();
            record.path = logged_path(request.uri().path());
        }
        request.extensions_mut().insert(record.clone());
        Self {
            record,
            started: Instant::now(),
            is_head: request.method() == Method::HEAD,
            status: None,
            problem: None,
            bytes: 0,
            length: None,
            ending: Ending::Aborted,
        }
    }

    /// The request has a response, of which nothing is sent yet.
    pub fn respond<B: HttpBody>(&mut self, response: &Response<B>) {
        self.status = Some(response.status());
        self.problem = response.extensions().get().cloned();
        let length = response.headers().get(header::CONTENT_LENGTH);
        self.length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        if self.is_head || response.body().is_end_stream() {
            self.ending = Ending::Complete;
        }
    }

    /// The connection took so many bytes of the body.
    pub fn send(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.length == Some(self.bytes) {
            self.ending = Ending::Complete;
        }
    }

    /// The connection took the end of the body.
    pub fn complete(&mut self) {
        self.ending = Ending::Complete;
    }

    /// The body broke off.
    pub fn fail(&mut self) {
        self.ending = Ending::Failed;
    }

    fn outcome(&self) -> &'static str {
        let status = self.status.unwrap_or_default();
        match self.ending {
            Ending::Aborted => "aborted",
            Ending::Failed => "failed",
            Ending::Complete if status == StatusCode::SERVICE_UNAVAILABLE || status.is_client_error() => {
                "refused"
            }
            Ending::Complete if status.is_server_error() => "failed",
            Ending::Complete => "answered",
        }
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        let milliseconds = (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let (outcome, bytes) = (self.outcome(), self.bytes);
        let record = self.record.lock();
        let LogFields { method, path, .. } = &*record;
        let (key, model) = (record.key.as_deref(), record.model.as_deref());
        let request_id = record.id.as_deref();
        let trace_id = record.trace.as_ref().map(|trace| trace.id().to_string());
        let trace_id = trace_id.as_deref();
        let status = self.status.map(|status| status.as_u16());
        let problem = self.problem.as_deref().map(|problem| problem.kind().slug);
        let cause = self.problem.as_deref().filter(|problem| problem.is_internal());
        let cause = cause.map(ToString::to_string);
        let cause = cause.as_deref();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    parent: None, method, path, status, outcome, milliseconds, bytes, request_id, trace_id, key, model, problem, cause,
                    "request"
                )
            };
        }
        if self.ending == Ending::Failed || cause.is_some() {
            line!(error);
        } else if record.is_probe {
            line!(debug);
        } else {
            line!(info);
        }
        if let Some(trace) = &record.trace {
            let status_text = status.map(|status| status.to_string());
            let is_fault = status.is_none_or(|status| status >= 500);
            let error = match self.ending {
                Ending::Complete if is_fault => status_text.as_deref(),
                Ending::Complete => None,
                Ending::Aborted | Ending::Failed => Some(outcome),
            };
            let end = RequestEnd {
                status,
                error,
                bytes,
                model,
            };
            trace.end(&end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use serde_json::{Value, json};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::api::log_record::LONGEST_PATH;
    use crate::trace::{RequestHead, RequestTrace};

    /// The method of a request, what the case is, what happens, and the fields of the line.
    type Case<'a> = (&'a str, &'a str, Box<dyn FnOnce(&mut RequestLog)>, Value);

    /// The lines of a log.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// The lines of a request of `method` for `path` that `happens`, and ends.
    fn lines_of(method: &str, path: &str, happens: impl FnOnce(&mut RequestLog)) -> Vec<Value> {
        let lines = Lines::default();
        let log = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::INFO)
            .with_writer(lines.clone());
        tracing::subscriber::with_default(log.finish(), || {
            let mut request = Request::builder().method(method).uri(path).body(()).unwrap();
            let mut log = RequestLog::begin(&mut request);
            let head = RequestHead {
                method,
                path,
                route: None,
                id: "7",
                parent: None,
                state: "",
            };
            let is_probe = path.starts_with("/health");
            let path = logged_path(request.uri().path());
            let trace = RequestTrace::without_span(&head);
            LogRecord::of(&request).identify("7".to_owned(), path, is_probe, trace);
            happens(&mut log);
        });
        let text = lines.0.lock().unwrap();
        let text = String::from_utf8_lossy(&text);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn internal() -> Response<Body> {
        let reason = "a handler panicked: oh".to_owned();
        Problem::Internal { reason }.into_response()
    }

    #[test]
    fn a_request_gets_one_line_with_its_outcome_whatever_ends_it() {
        let whole = || "whole".into_response();
        let respond = |response: Response<Body>, sent: usize| {
            move |log: &mut RequestLog| {
                log.respond(&response);
                log.send(sent);
            }
        };
        let with_length = |length: &str| {
            let mut response = Body::from("whole").into_response();
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length.parse().unwrap());
            response
        };
        let refused = || Problem::Draining.into_response();
        let cases: Vec<Case<'_>> = vec![
            (
                "GET",
                "no response",
                Box::new(|_| ()),
                json!(["aborted", null, 0, "INFO"]),
            ),
            (
                "GET",
                "half",
                Box::new(respond(with_length("9"), 5)),
                json!(["aborted", 200, 5, "INFO"]),
            ),
            (
                "GET",
                "whole",
                Box::new(respond(with_length("5"), 5)),
                json!(["answered", 200, 5, "INFO"]),
            ),
            (
                "HEAD",
                "no body",
                Box::new(respond(whole(), 0)),
                json!(["answered", 200, 0, "INFO"]),
            ),
            (
                "GET",
                "without length",
                Box::new(move |log| {
                    respond(whole(), 5)(log);
                    log.complete();
                }),
                json!(["answered", 200, 5, "INFO"]),
            ),
            (
                "GET",
                "refused",
                Box::new(respond(refused(), 0)),
                json!(["refused", 503, 0, "INFO"]),
            ),
            (
                "GET",
                "panic",
                Box::new(respond(internal(), 0)),
                json!(["failed", 500, 0, "ERROR"]),
            ),
            (
                "GET",
                "breaks off",
                Box::new(move |log| {
                    respond(whole(), 2)(log);
                    log.fail();
                }),
                json!(["failed", 200, 2, "ERROR"]),
            ),
        ];
        for (method, name, happens, expected) in cases {
            let lines = lines_of(method, "/v1/sample?seed=7", happens);
            let [line] = &lines[..] else {
                panic!("{name}: {lines:?}");
            };
            let found = ["outcome", "status", "bytes", "level"].map(|field| line[field].clone());
            assert_eq!(Value::from(found.to_vec()), expected, "{name}: {line}");
            assert!(line["milliseconds"].is_f64(), "{name}: {line}");
            let head = ["method", "path", "request_id"].map(|field| line[field].clone());
            assert_eq!(head, [json!(method), json!("/v1/sample"), json!("7")], "{name}");
            assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{name}");
        }
    }

    #[test]
    fn the_line_of_a_panic_has_its_cause_and_that_of_a_refusal_its_kind() {
        let line = lines_of("GET", "/", |log| log.respond(&internal())).remove(0);
        assert_eq!(line["problem"], "internal");
        assert_eq!(line["cause"], "a handler panicked: oh");
        let refused = Problem::Draining.into_response();
        let line = lines_of("GET", "/", |log| log.respond(&refused)).remove(0);
        assert_eq!(
            (&line["problem"], &line["cause"]),
            (&json!("draining"), &Value::Null)
        );
    }

    #[test]
    fn probes_are_below_the_level_info() {
        assert!(lines_of("GET", "/health/live", RequestLog::complete).is_empty());
    }

    #[test]
    fn a_long_path_is_shortened() {
        let path = format!("/{}", "a".repeat(1000));
        let line = lines_of("GET", &path, RequestLog::complete).remove(0);
        assert!(line["path"].as_str().unwrap().len() <= LONGEST_PATH);
    }
}
