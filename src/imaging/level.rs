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

/// What a level of a picture, as opaque as `alpha` of 255, looks like on white.
pub(super) fn over_white(level: u8, alpha: u8) -> u8 {
    let (level, alpha) = (u32::from(level), u32::from(alpha));
    u8::try_from((level * alpha + 255 * (255 - alpha) + 127) / 255).expect("a mean of two levels is a level")
}
