//! Faces without a service: `faceplane sample`, `edit`, `invert`, … call the operations of the API in this process.
//!
//! A command has the parameters of its operation's URL, by their names. It knows none of them itself, so that it always says what
//! the API says. It never knows what an operation does.
//!
//! | to find | look in |
//! | --- | --- |
//! | how commands and arguments are made of operations | `arguments` |
//! | what a command does | `command` |
//! | the settings besides the parameters; the model | `settings` |
//! | where responses go, and in which format | `destination` |
//! | one request, from its image to its file | `task` |
//! | what may fail, and the exit codes | `error` |

mod arguments;
mod command;
mod destination;
mod error;
mod settings;
mod task;

pub use command::RequestCommand;
pub use error::RequestError;
