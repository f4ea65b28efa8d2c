//! Wire types that several resources share: spaces, latent codes, and numbers in a URL.

use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ndarray::Array2;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::api::openapi::numbers::numbers_or_rows;
use crate::api::problem::Problem;
use crate::catalog::NpyArray;
use crate::editor::{EditorError, FaceSource};
use crate::latent::{LatentCode, LatentSpace};

/// A latent space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum Space {
    #[serde(rename = "z")]
    Z,
    #[serde(rename = "w")]
    W,
    #[serde(rename = "w+")]
    WPlus,
}

impl<'de> Deserialize<'de> for Space {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // In a URL, a plus sign that is not escaped means a blank.
        let text = if text == "w " { "w+" } else { &text };
        text.parse::<LatentSpace>()
            .map(Self::from)
            .map_err(D::Error::custom)
    }
}

impl From<LatentSpace> for Space {
    fn from(space: LatentSpace) -> Self {
        match space {
            LatentSpace::Z => Self::Z,
            LatentSpace::W => Self::W,
            LatentSpace::WPlus => Self::WPlus,
        }
    }
}

impl From<Space> for LatentSpace {
    fn from(space: Space) -> Self {
        match space {
            Space::Z => Self::Z,
            Space::W => Self::W,
            Space::WPlus => Self::WPlus,
        }
    }
}

/// A latent code that the caller has: its space, and either `values` or `npy`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"space": "w", "values": [0.25, -0.5, 0.125]})))]
pub(crate) struct LatentBody {
    /// The code's space.
    pub(crate) space: Space,
    /// A list of numbers in z and w; a list of such lists, one a layer, in w+.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = numbers_or_rows, required = false)]
    values: Option<Values>,
    /// A NumPy `.npy` file in base64: floating-point numbers of shape (dim) or (1, dim); in w+ (layers, dim) or
    /// (1, layers, dim).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(content_encoding = "base64")]
    npy: Option<String>,
}

impl LatentBody {
    /// A code as numbers, the way answers give it.
    pub(crate) fn numbers(code: &LatentCode) -> Self {
        let rows: Vec<Vec<f32>> = code.values().outer_iter().map(|row| row.to_vec()).collect();
        let values = match (code.space(), rows) {
            (LatentSpace::WPlus, rows) => Values(rows.into_iter().map(Item::Row).collect()),
            (_, rows) => Values(rows.into_iter().flatten().map(Item::Number).collect()),
        };
        Self {
            space: code.space().into(),
            values: Some(values),
            npy: None,
        }
    }

    /// A code as a `.npy` file, the way pictures carry it: every bit of it, in little room.
    pub(crate) fn file(code: &LatentCode) -> Self {
        let (rows, dim) = code.values().dim();
        let shape = match code.space() {
            LatentSpace::WPlus => vec![rows, dim],
            LatentSpace::Z | LatentSpace::W => vec![1, dim],
        };
        let values = code.values().iter().map(|&value| value.into()).collect();
        Self {
            space: code.space().into(),
            values: None,
            npy: Some(STANDARD.encode(NpyArray { shape, values }.write_f4())),
        }
    }

    /// Whether it is a code of z.
    pub(crate) fn is_z(&self) -> bool {
        self.space == Space::Z
    }

    fn code(&self) -> Result<LatentCode, Problem> {
        let space = LatentSpace::from(self.space);
        let (shape, values, field) = match (&self.values, &self.npy) {
            (Some(values), None) => {
                let (shape, values) = values.flat()?;
                (shape, values, "latent.values")
            }
            (None, Some(npy)) => {
                let wrong = |reason: String| Problem::field("latent.npy", reason);
                let file = STANDARD
                    .decode(npy)
                    .map_err(|error| wrong(format!("not base64: {error}")))?;
                let array = NpyArray::read(&file).map_err(|error| wrong(error.to_string()))?;
                (array.shape, array.values, "latent.npy")
            }
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                let reason = format!("found {found} of values and npy, expected one of them");
                return Err(Problem::field("latent", reason));
            }
        };
        let expected = match space {
            LatentSpace::WPlus => "(layers, dim)",
            LatentSpace::Z | LatentSpace::W => "(dim) or (1, dim)",
        };
        let dims = space.rows_and_columns(&shape).ok_or_else(|| {
            let reason = format!("found the shape {shape:?}, expected {expected} for a code in {space}");
            Problem::field(field, reason)
        })?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "codes are single precision; `new` refuses what overflows"
        )]
        let values = values.into_iter().map(|value| value as f32).collect();
        let values =
            Array2::from_shape_vec(dims, values).expect("an array holds as many values as its shape says");
        let code = LatentCode::new(space, values).map_err(EditorError::from)?;
        Ok(code)
    }
}

/// Most attributes that a request may list. Every edit is projected off every condition, and all are solved for together.
const LONGEST: usize = 64;

/// Refuses a list of more attributes, or of what is done to them.
pub(crate) fn check_length(field: &str, found: usize) -> Result<(), Problem> {
    if found <= LONGEST {
        return Ok(());
    }
    let reason = format!("found {found}, expected at most {LONGEST}");
    Err(Problem::field(field, reason))
}

/// The face that a request names: one of a seed and a code, or a seed drawn here where it names none.
pub(crate) fn face_source(
    seed: Option<u32>,
    latent: Option<&Object<LatentBody>>,
) -> Result<FaceSource, Problem> {
    match (seed, latent) {
        (Some(_), Some(_)) => Err(Problem::field(
            "seed",
            "found a latent code beside it, expected one face: leave out one of the two",
        )),
        (Some(seed), None) => Ok(FaceSource::Seed(seed)),
        (None, Some(latent)) => latent.0.code().map(FaceSource::Latent),
        (None, None) => random_seed().map(FaceSource::Seed),
    }
}

/// A seed chosen at random.
pub(crate) fn random_seed() -> Result<u32, Problem> {
    getrandom::u32().map_err(|error| Problem::Internal {
        reason: format!("the system gives no random numbers: {error}"),
    })
}

/// A code's numbers, flat or in rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Values(Vec<Item>);

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Item {
    Number(f32),
    Row(Vec<f32>),
}

impl Values {
    /// The shape, and all numbers in row-major order.
    fn flat(&self) -> Result<(Vec<usize>, Vec<f64>), Problem> {
        let rows: Vec<&Vec<f32>> = self
            .0
            .iter()
            .filter_map(|item| {
                if let Item::Row(row) = item {
                    Some(row)
                } else {
                    None
                }
            })
            .collect();
        let wrong = |reason: &str| Err(Problem::field("latent.values", reason));
        if rows.is_empty() {
            let numbers = self.0.iter().filter_map(|item| match item {
                Item::Number(number) => Some(f64::from(*number)),
                Item::Row(_) => None,
            });
            return Ok((vec![self.0.len()], numbers.collect()));
        }
        if rows.len() < self.0.len() {
            return wrong("found rows and numbers side by side, expected one or the other");
        }
        if rows.iter().any(|row| row.len() != rows[0].len()) {
            return wrong("found rows of several lengths, expected one");
        }
        let numbers = rows
            .iter()
            .flat_map(|row| row.iter().copied().map(f64::from))
            .collect();
        Ok((vec![rows.len(), rows[0].len()], numbers))
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;

        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a number, or a list of numbers for one layer of w+")
            }

            #[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
            fn visit_f64<E>(self, value: f64) -> Result<Item, E> {
                Ok(Item::Number(value as f32))
            }

            #[expect(clippy::cast_precision_loss, reason = "codes are single precision")]
            fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
                Ok(Item::Number(value as f32))
            }

            #[expect(clippy::cast_precision_loss, reason = "codes are single precision")]
            fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
                Ok(Item::Number(value as f32))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Item, A::Error> {
                let mut row = Vec::new();
                while let Some(number) = sequence.next_element()? {
                    row.push(number);
                }
                Ok(Item::Row(row))
            }
        }

        deserializer.deserialize_any(ItemVisitor)
    }
}

/// A JSON object; serde by itself would take a list of the fields' values too.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

/// A whole number 0 ‥ 2³² − 1 in a URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole(pub(crate) u32);

/// A number in a URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Real(pub(crate) f64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a whole number from 0 to 4294967295").map(Self)
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a number").map(Self)
    }
}

/// Reads a text and parses it; the error says what was found.
fn parsed<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D, expected: &str) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("found {text:?}, expected {expected}")))
}

/// A matrix as JSON has it.
pub(crate) fn rows(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.outer_iter().map(|row| row.to_vec()).collect()
}
