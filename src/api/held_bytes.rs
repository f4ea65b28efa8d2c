//! Bytes that hold their share of the memory budget.

use axum::body::Bytes;

use crate::engine::Reservation;

/// `bytes`; when their last clone is dropped, it gives `memory` back.
pub(crate) fn held(bytes: impl AsRef<[u8]> + Send + 'static, memory: Reservation) -> Bytes {
    Bytes::from_owner(Held {
        bytes,
        _memory: memory,
    })
}

/// The fields are dropped in this order: first the bytes, then their reservation.
struct Held<T> {
    bytes: T,
    _memory: Reservation,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}
