//! Who may call which operation, and how often: keys, their scopes, the sessions of browsers, and the limit on requests.
//!
//! It knows keys as digests, and what each allows. It never knows where the keys lie: the command line reads their file, and
//! [`middleware::authorize`](crate::api::middleware) asks before each request.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a request is allowed, by its key or its session | [`guard`] |
//! | the keys of a file, and what is wrong with one | [`keys`] |
//! | a new key | [`new_key`] |
//! | the digest of a key, and how two are compared | [`digest`] |
//! | the scopes | [`scope`] |
//! | the scope that an operation needs | [`needed_scope`] |
//! | how many requests a client may send | [`rate_limit`] |
//! | the address of a client, behind proxies too | [`client_address`] |
//! | the sessions of browsers, and their cookie | [`sessions`], [`cookie`] |

mod client_address;
pub(crate) mod cookie;
mod digest;
pub(crate) mod guard;
pub(crate) mod keys;
pub(crate) mod needed_scope;
mod new_key;
pub(crate) mod rate_limit;
pub(crate) mod scope;
mod sessions;

pub use client_address::PeerAddress;
pub use guard::Guard;
pub use keys::{InvalidKeys, Keys, key_name};
pub use new_key::NewKey;
pub use rate_limit::Rate;
pub use scope::{InvalidScope, Scope};
