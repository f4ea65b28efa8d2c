//! Image files of many kinds: each is decoded to the colours that it has elsewhere, or refused.

mod colours;
mod jpegs;
