//! Numbers: JSON numbers, or their text in a URL or form.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, SchemaFormat};

use crate::api::decode::value::{Schema, Value, quoted, unfit};

/// The largest integer that JavaScript holds exactly, 2⁵³ − 1.
pub(crate) const MOST: u64 = (1 << 53) - 1;

/// The largest `u32`.
pub(crate) const MOST_U32: u64 = u32::MAX as u64;

/// A seed.
pub(crate) type Seed = Integer<0, MOST_U32>;

/// An integer from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Integer<const LOW: u64, const HIGH: u64>(u64);

impl<const LOW: u64, const HIGH: u64> Integer<LOW, HIGH> {
    pub(crate) fn u64(self) -> u64 {
        self.0
    }

    pub(crate) fn u32(self) -> u32 {
        const { assert!(HIGH <= MOST_U32, "the integer fits") };
        u32::try_from(self.0).expect("it is at most HIGH")
    }

    pub(crate) fn usize(self) -> usize {
        self.u32() as usize
    }

    fn within(found: u64) -> Option<Self> {
        (LOW..=HIGH).contains(&found).then_some(Self(found))
    }
}

impl<const LOW: u64, const HIGH: u64> From<u64> for Integer<LOW, HIGH> {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl<const LOW: u64, const HIGH: u64> Value for Integer<LOW, HIGH> {
    fn expected() -> String {
        format!("a whole number from {LOW} to {HIGH}")
    }

    fn from_number(found: f64) -> Result<Self, String> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and only whole numbers from 0 to 2⁵³ pass"
        )]
        let whole = Some(found as u64).filter(|_| found.fract() == 0.0 && found >= 0.0);
        let within = whole.and_then(Self::within);
        within.ok_or_else(|| unfit(found, &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let read = found.parse().ok().and_then(Self::within);
        read.ok_or_else(|| unfit(quoted(found), &Self::expected()))
    }

    fn schema() -> Schema {
        let format = if HIGH > 0x7fff_ffff {
            KnownFormat::Int64
        } else {
            KnownFormat::Int32
        };
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(format)))
            .minimum(Some(LOW))
            .maximum(Some(HIGH))
            .into()
    }
}

/// A finite number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Real<const LOW: i32, const HIGH: i32>(pub(crate) f64);

impl<const LOW: i32, const HIGH: i32> Value for Real<LOW, HIGH> {
    fn expected() -> String {
        format!("a number from {LOW} to {HIGH}")
    }

    fn from_number(found: f64) -> Result<Self, String> {
        let within = (f64::from(LOW)..=f64::from(HIGH)).contains(&found);
        within
            .then_some(Self(found))
            .ok_or_else(|| unfit(found, &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        number(found, Self::from_number, &Self::expected())
    }

    fn schema() -> Schema {
        real().minimum(Some(LOW)).maximum(Some(HIGH)).into()
    }
}

/// A number above 0, and at most `HIGH`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Positive<const HIGH: i32>(pub(crate) f64);

impl<const HIGH: i32> Value for Positive<HIGH> {
    fn expected() -> String {
        format!("a number above 0 and at most {HIGH}")
    }

    fn from_number(found: f64) -> Result<Self, String> {
        let within = found > 0.0 && found <= f64::from(HIGH);
        within
            .then_some(Self(found))
            .ok_or_else(|| unfit(found, &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        number(found, Self::from_number, &Self::expected())
    }

    fn schema() -> Schema {
        real().exclusive_minimum(Some(0)).maximum(Some(HIGH)).into()
    }
}

/// Any finite number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Finite(pub(crate) f64);

impl Value for Finite {
    fn expected() -> String {
        "a number".to_owned()
    }

    fn from_number(found: f64) -> Result<Self, String> {
        let finite = found.is_finite().then_some(Self(found));
        finite.ok_or_else(|| unfit(found, &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        number(found, Self::from_number, &Self::expected())
    }

    fn schema() -> Schema {
        real().into()
    }
}

fn real() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
}

fn number<T>(found: &str, read: impl Fn(f64) -> Result<T, String>, expected: &str) -> Result<T, String> {
    let number = found.parse().map_err(|_| unfit(quoted(found), expected))?;
    read(number)
}

/// The regular expression of a number in a longer text; every text that it matches is a number to Rust.
pub(crate) const NUMBER: &str = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?";

/// A part of a longer text, as a number that `V` accepts.
pub(crate) fn part<V: Value>(text: &str) -> Option<V> {
    V::from_text(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_whole_and_in_range() {
        assert_eq!(Seed::from_number(7.0).unwrap().u32(), 7);
        assert_eq!(Seed::from_text("4294967295").unwrap().u32(), u32::MAX);
        for found in [-1.0, 0.5, 4_294_967_296.0, 1e300, f64::NAN] {
            assert!(Seed::from_number(found).is_err(), "{found}");
        }
        for found in ["", "-1", "1.5", "4294967296", "99999999999999999999", "seven"] {
            let reason = Seed::from_text(found).unwrap_err();
            assert_eq!(
                reason,
                format!("found {found:?}, expected a whole number from 0 to 4294967295")
            );
        }
        assert!(Integer::<1, 8>::from_number(0.0).is_err());
        assert!(Integer::<1, 8>::from_number(9.0).is_err());
    }

    #[test]
    fn real_numbers_are_finite_and_in_range() {
        assert_eq!(Real::<-2, 2>::from_text("-0.5"), Ok(Real(-0.5)));
        for found in ["NaN", "inf", "2.1", "-3", "much", ""] {
            assert!(Real::<-2, 2>::from_text(found).is_err(), "{found}");
        }
        assert!(Positive::<1>::from_number(0.0).is_err());
        assert!(Positive::<1>::from_number(1.0).is_ok());
        assert!(Finite::from_text("inf").is_err());
    }
}
