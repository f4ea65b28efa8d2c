//! The trace of a request. Everything that the task of the request calls can ask for its span.

use crate::trace::facts::{RequestEnd, RequestHead};
use crate::trace::otlp::RequestSpan;
use crate::trace::traceparent::TraceId;

tokio::task_local! {
    static SPAN: Option<RequestSpan>;
}

/// The trace of a request. A clone is the same trace.
#[derive(Clone)]
pub struct RequestTrace {
    id: TraceId,
    span: Option<RequestSpan>,
}

impl RequestTrace {
    /// Begins the span of a request, or only takes its trace id if no spans are exported.
    #[must_use]
    pub fn begin(head: &RequestHead<'_>) -> Self {
        let span = RequestSpan::begin(head);
        let id = span.as_ref().map(RequestSpan::trace_id);
        Self {
            id: id.unwrap_or_else(|| Self::without_span(head).id),
            span,
        }
    }

    /// The trace of a request that gets no span.
    #[must_use]
    pub fn without_span(head: &RequestHead<'_>) -> Self {
        Self {
            id: head.parent.map_or_else(TraceId::random, |parent| parent.trace),
            span: None,
        }
    }

    /// The id of the trace.
    #[must_use]
    pub fn id(&self) -> TraceId {
        self.id
    }

    /// Runs `work` as a part of this trace.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        SPAN.scope(self.span.clone(), work).await
    }

    /// Does `work` as a part of this trace.
    pub fn sync_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        SPAN.sync_scope(self.span.clone(), work)
    }

    /// Ends the span of the request.
    pub fn end(&self, end: &RequestEnd<'_>) {
        if let Some(span) = &self.span {
            span.end(end);
        }
    }
}

/// The span of the request that the current task works for; `None` if it is not exported.
#[must_use]
pub fn current_span() -> Option<RequestSpan> {
    SPAN.try_with(Clone::clone).ok().flatten()
}

/// `work` for a task of its own, as a part of the current trace.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    SPAN.scope(current_span(), work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::traceparent::Traceparent;

    fn head(parent: Option<Traceparent>) -> RequestHead<'static> {
        RequestHead {
            method: "GET",
            path: "/",
            route: None,
            id: "1",
            parent,
            state: "",
        }
    }

    #[test]
    fn a_request_belongs_to_the_trace_of_its_client_or_begins_one() {
        let parent = Traceparent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(RequestTrace::begin(&head(Some(parent))).id(), parent.trace);
        let (one, other) = (RequestTrace::begin(&head(None)), RequestTrace::begin(&head(None)));
        assert_ne!(one.id(), other.id());
    }

    #[tokio::test]
    async fn without_an_exporter_no_task_has_a_span() {
        let trace = RequestTrace::begin(&head(None));
        assert!(trace.scope(carried(async { current_span() })).await.is_none());
        assert!(trace.sync_scope(current_span).is_none());
    }
}
