//! Numbers rounded to pixels and levels.

/// A number's whole part, 0 where it is below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast is the clamp"
)]
pub(super) fn whole(value: f64) -> u32 {
    value as u32
}

/// A level, rounded half up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast is the clamp"
)]
pub(super) fn level_of(value: f64) -> u8 {
    (value + 0.5) as u8
}
