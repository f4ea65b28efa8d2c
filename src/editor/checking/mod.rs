//! Checks a model's networks on sample faces: what each says, and what looks wrong.
//!
//! A network with a wrong manifest loads and runs, but says nothing of use. Only its answers show that.
//!
//! | to find | look in |
//! | --- | --- |
//! | the check, face by face | `check` |
//! | what it found | `findings` |
//! | what looks wrong, in words | `warnings` |

pub(crate) mod check;
pub(crate) mod findings;
pub(crate) mod warnings;
