//! Jobs of several services on one store: each service shows those of the others, with their reports, and cancels them.
//!
//! | to find | look in |
//! | --- | --- |
//! | the document of a job in the store, and when its service counts as stopped | `document` |
//! | reading and cancelling jobs of other services | `shared_jobs` |
//! | writing the jobs of this service | `publisher` |
//! | the events of a job of another service | `events` |
//!
//! The service that runs a job owns its document: it writes it when the job begins, when it ends, and every few seconds between. Other
//! services write one thing into it, the mark that cancels the job.

pub(crate) mod document;
pub(crate) mod events;
pub(crate) mod publisher;
pub(crate) mod shared_jobs;
