//! Latent codes of requests and responses.

use ndarray::Array2;
use serde::de::MapAccess;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::declare::fields;
use crate::api::decode::describe::reference;
use crate::api::decode::fields::Required;
use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::decode::{describe, json};
use crate::api::problem::Problem;
use crate::api::types::base64::Base64;
use crate::api::types::label::ClassLabel;
use crate::api::types::number::NUMBER;
use crate::api::types::numbers::{MOST_NUMBERS, Numbers};
use crate::api::types::space::Space;
use crate::catalog::NpyArray;
use crate::editor::EditorError;
use crate::latent::{LatentCode, LatentSpace};

/// The largest `.npy` file of a code: a header, and the most numbers as doubles.
const LARGEST_FILE: usize = 4096 + 8 * MOST_NUMBERS;

fields! {
    /// A latent code: its space, and either `values` or `npy`.
    #[examples(serde_json::json!({"space": "w", "values": [0.25, -0.5, 0.125]}))]
    pub(crate) struct Latent {
        /// The code's space.
        space: Required<Space>,
        /// The code's numbers: a list in z and w, a list of such lists in w+, one a layer.
        values: Option<Numbers<f32>>,
        /// A NumPy `.npy` file in base64: floating-point numbers of shape (dim) or (1, dim); in w+ (layers, dim) or
        /// (1, layers, dim).
        npy: Option<Base64<LARGEST_FILE>>,
        /// The label of the code, if the generator is class-conditional: a class index, or a number for each class. A z code is mapped with
        /// it, and codes that were made from it keep it. Null is no label.
        label: Option<ClassLabel>,
    }
}

impl Value for Latent {
    fn expected() -> String {
        "an object with space, and values or npy".to_owned()
    }

    fn expected_text() -> String {
        "SPACE:NUMBER,NUMBER,… such as w:0.1,-0.2; in w+ with a semicolon between two layers".to_owned()
    }

    fn from_object<'de, A: MapAccess<'de>>(object: A, at: Position<'_>) -> Result<Self, A::Error> {
        json::object(object, at)
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let parts = found.split_once(':');
        let (space, values) = parts.ok_or_else(|| unfit(quoted(found), &Self::expected_text()))?;
        Ok(Self {
            space: Required(Space::from_text(space)?),
            values: Some(Numbers::from_text(values)?),
            npy: None,
            label: None,
        })
    }

    fn schema() -> Schema {
        reference::<Self>()
    }

    fn text_schema() -> Schema {
        let row = format!("{NUMBER}(,{NUMBER})*");
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^(z|w|w\\+):{row}(;{row})*$")))
            .into()
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        describe::add_component::<Self>(components);
    }
}

impl Latent {
    /// A code as numbers, for responses.
    pub(crate) fn numbers(code: &LatentCode) -> Self {
        let (rows, dim) = code.values().dim();
        let shape = match code.space() {
            LatentSpace::WPlus => vec![rows, dim],
            LatentSpace::Z | LatentSpace::W => vec![rows * dim],
        };
        let values = code.values().iter().copied().collect();
        Self {
            space: Required(code.space().into()),
            values: Some(Numbers { shape, values }),
            npy: None,
            label: ClassLabel::of(code),
        }
    }

    /// A code as a `.npy` file, for the metadata of images: exact and short.
    pub(crate) fn file(code: &LatentCode) -> Self {
        let (rows, dim) = code.values().dim();
        let shape = match code.space() {
            LatentSpace::WPlus => vec![rows, dim],
            LatentSpace::Z | LatentSpace::W => vec![1, dim],
        };
        let values = code.values().iter().map(|&value| value.into()).collect();
        Self {
            label: ClassLabel::of(code),
            ..Self::of_file(code.space().into(), NpyArray { shape, values }.write_f4())
        }
    }

    /// A code in a `.npy` file.
    pub(crate) fn of_file(space: Space, file: Vec<u8>) -> Self {
        Self {
            space: Required(space),
            values: None,
            npy: Some(Base64(file)),
            label: None,
        }
    }

    /// Whether it is a code of z.
    pub(crate) fn is_z(&self) -> bool {
        *self.space == Space::Z
    }

    /// The code.
    pub(crate) fn code(&self) -> Result<LatentCode, Problem> {
        let (shape, values, field) = match (&self.values, &self.npy) {
            (Some(Numbers { shape, values }), None) => (shape.clone(), values.clone(), "latent.values"),
            (None, Some(Base64(file))) => {
                let array = NpyArray::read(file);
                let NpyArray { shape, values } =
                    array.map_err(|error| Problem::field("latent.npy", error.to_string()))?;
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "codes are single precision; `new` refuses what overflows"
                )]
                let values = values.into_iter().map(|value| value as f32).collect();
                (shape, values, "latent.npy")
            }
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                let reason = format!("found {found} of values and npy, expected one of them");
                return Err(Problem::field("latent", reason));
            }
        };
        let space = LatentSpace::from(*self.space);
        let expected = match space {
            LatentSpace::WPlus => "(layers, dim)",
            LatentSpace::Z | LatentSpace::W => "(dim) or (1, dim)",
        };
        let dims = space.rows_and_columns(&shape).ok_or_else(|| {
            let reason = format!("found the shape {shape:?}, expected {expected} for a code in {space}");
            Problem::field(field, reason)
        })?;
        let values =
            Array2::from_shape_vec(dims, values).expect("an array holds as many values as its shape says");
        let code = LatentCode::new(space, values).map_err(EditorError::from)?;
        let label = self.label.as_ref().and_then(|label| label.0.clone());
        Ok(code.with_label(label))
    }
}
