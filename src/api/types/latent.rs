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
use crate::api::types::number::{Integer, MOST_U32, NUMBER};
use crate::api::types::numbers::{MOST_NUMBERS, Numbers};
use crate::api::types::space::Space;
use crate::catalog::{NpyArray, read_array};
use crate::editor::EditorError;
use crate::latent::{LatentCode, LatentSpace};

/// The largest file of a code: a header, and the most numbers as doubles.
const LARGEST_FILE: usize = 4096 + 8 * MOST_NUMBERS;

fields! {
    /// A latent code: its space, and either `values` or `file`.
    #[examples(serde_json::json!({"space": "w", "values": [0.25, -0.5, 0.125]}))]
    pub(crate) struct Latent {
        /// The code's space.
        space: Required<Space>,
        /// The code's numbers: a list in z, w and s, a list of such lists in w+, one a layer.
        values: Option<Numbers<f32>>,
        /// A file in base64: `.npy` or `.npz` of NumPy, or `.pt` of PyTorch, with one array of numbers. Its shape is (dim) or
        /// (codes, dim), in w+ (layers, dim) or (codes, layers, dim). Nothing in the file is executed.
        file: Option<Base64<LARGEST_FILE>>,
        /// Which of several codes in the file, counted from 0.
        index: Option<Integer<0, MOST_U32>>,
        /// The label of the code, if the generator is class-conditional: a class index, or a number for each class. A z code is mapped with
        /// it, and codes that were made from it keep it. Null is no label.
        label: Option<ClassLabel>,
    }
}

impl Value for Latent {
    fn expected() -> String {
        "an object with space, and values or file".to_owned()
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
            file: None,
            index: None,
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
            .pattern(Some(format!("^(z|w|w\\+|s):{row}(;{row})*$")))
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
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => vec![rows * dim],
        };
        let values = code.values().iter().copied().collect();
        Self {
            space: Required(code.space().into()),
            values: Some(Numbers { shape, values }),
            file: None,
            index: None,
            label: ClassLabel::of(code),
        }
    }

    /// A code as a `.npy` file, for the metadata of images: exact and short.
    pub(crate) fn file(code: &LatentCode) -> Self {
        let (rows, dim) = code.values().dim();
        let shape = match code.space() {
            LatentSpace::WPlus => vec![rows, dim],
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => vec![1, dim],
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
            file: Some(Base64(file)),
            index: None,
            label: None,
        }
    }

    /// Whether it is a code of z.
    pub(crate) fn is_z(&self) -> bool {
        *self.space == Space::Z
    }

    /// The code.
    pub(crate) fn code(&self) -> Result<LatentCode, Problem> {
        let space = LatentSpace::from(*self.space);
        let (shape, values, field) = match (&self.values, &self.file) {
            (Some(_), None) if self.index.is_some() => {
                let reason = "found it beside values, expected it beside a file";
                return Err(Problem::field("latent.index", reason));
            }
            (Some(Numbers { shape, values }), None) => (shape.clone(), values.clone(), "latent.values"),
            (None, Some(Base64(file))) => {
                let array = read_array(file, MOST_NUMBERS);
                let array = array.map_err(|error| Problem::field("latent.file", error.to_string()))?;
                let (shape, values) = self.one_of(space, array)?;
                (shape, values, "latent.file")
            }
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                let reason = format!("found {found} of values and file, expected one of them");
                return Err(Problem::field("latent", reason));
            }
        };
        let expected = match space {
            LatentSpace::WPlus => "(layers, dim)",
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => "(dim) or (1, dim)",
        };
        let dims = space.rows_and_columns(&shape).ok_or_else(|| {
            let reason = format!("found the shape {shape:?}, expected {expected} for a code in {space}");
            Problem::field(field, reason)
        })?;
        let values =
            Array2::from_shape_vec(dims, values).expect("an array holds as many values as its shape says");
        let code = LatentCode::new(space, values).map_err(EditorError::from)?;
        let label = self.label.as_ref().map(|label| label.0.clone());
        Ok(code.with_label(label))
    }

    /// The shape and the numbers of the code in a file that may hold several.
    fn one_of(&self, space: LatentSpace, array: NpyArray) -> Result<(Vec<usize>, Vec<f32>), Problem> {
        let NpyArray { shape, values } = array;
        let (count, one) = match (space, &shape[..]) {
            (LatentSpace::WPlus, [count, one @ ..]) if one.len() == 2 => (*count, one),
            (LatentSpace::Z | LatentSpace::W, [count, one @ ..]) if one.len() == 1 => (*count, one),
            (_, one) => (1, one),
        };
        let last = count.saturating_sub(1);
        let index = match self.index {
            Some(index) => index.usize(),
            None if count <= 1 => 0,
            None => {
                let reason = format!(
                    "missing, expected the number of one of the {count} codes in the file, 0 to {last}"
                );
                return Err(Problem::field("latent.index", reason));
            }
        };
        if index > last {
            let reason =
                format!("found {index}, expected 0 to {last}: the number of codes in the file is {count}");
            return Err(Problem::field("latent.index", reason));
        }
        let length = one.iter().product();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "codes are single precision; `LatentCode::new` refuses what overflows"
        )]
        let values = values
            .iter()
            .skip(index * length)
            .take(length)
            .map(|&value| value as f32);
        Ok((one.to_vec(), values.collect()))
    }
}
