//! Which requests are accepted, how long they may take, and what an accepted request does with the networks.
//!
//! It knows counts, waits and deadlines. It never knows how a batch is put together (that is `batching`) or what a network
//! computes.
//!
//! | to find | look in |
//! | --- | --- |
//! | where a request is accepted or refused | `limiter` |
//! | where sustained overload is detected | `overload` |
//! | what an accepted request may call | `admission` |
//! | the deadline of a request | `deadline` |
//! | the limit on memory | `byte_budget` |

pub(crate) mod admission;
pub(crate) mod byte_budget;
pub(crate) mod deadline;
pub(crate) mod limiter;
pub(crate) mod overload;
