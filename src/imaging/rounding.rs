//! Rounding of numbers to pixel positions and to levels from 0 to 255.

/// The integer part of `value`; 0 if it is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast truncates and clamps"
)]
pub(super) fn to_pixels(value: f64) -> u32 {
    value as u32
}

/// The level nearest to `value`, rounded half up and clamped to 0 and 255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast truncates and clamps"
)]
pub(super) fn to_level(value: f64) -> u8 {
    (value + 0.5) as u8
}

/// A `level` of opacity `alpha`/255 on a white background.
pub(super) fn over_white(level: u8, alpha: u8) -> u8 {
    let (level, alpha) = (u32::from(level), u32::from(alpha));
    u8::try_from((level * alpha + 255 * (255 - alpha) + 127) / 255).expect("a mean of two levels is a level")
}
