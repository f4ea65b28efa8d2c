//! What the layers around the handlers and the handlers know of a request, for its line in the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Request;

use crate::api::problem_document::elided;
use crate::trace::RequestTrace;

/// The longest path in the log, in bytes.
pub(crate) const LONGEST_PATH: usize = 200;

tokio::task_local! {
    static RECORD: LogRecord;
}

/// Names the key of the request that the current task answers.
pub(crate) fn note_key(name: &str) {
    let note = |record: &LogRecord| record.lock().key = Some(name.to_owned());
    // A client in the same process has no record.
    let _ = RECORD.try_with(note);
}

/// Names the model of the request that the current task answers.
pub(crate) fn note_model(name: &str) {
    let note = |record: &LogRecord| record.lock().model = Some(name.to_owned());
    let _ = RECORD.try_with(note);
}

/// The path as the log has it.
pub(crate) fn logged_path(path: &str) -> String {
    elided(path, LONGEST_PATH).into_owned()
}

/// What is known of a request. A clone is of the same request.
#[derive(Clone, Default)]
pub(crate) struct LogRecord(Arc<Mutex<LogFields>>);

/// The fields of the line that the layers and the handlers know.
#[derive(Default)]
pub(crate) struct LogFields {
    pub(crate) id: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) is_probe: bool,
    pub(crate) key: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) trace: Option<RequestTrace>,
}

impl LogRecord {
    /// The record that the connection has begun, or one that becomes no line.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let record = request.extensions().get::<Self>().cloned();
        record.unwrap_or_default()
    }

    /// Adds what the first layer knows.
    pub(crate) fn identify(&self, id: String, path: String, is_probe: bool, trace: RequestTrace) {
        let mut record = self.lock();
        record.id = Some(id);
        record.path = path;
        record.is_probe = is_probe;
        record.trace = Some(trace);
    }

    /// Runs `work`, which may name the key and the model.
    pub(crate) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        RECORD.scope(self, work).await
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, LogFields> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
