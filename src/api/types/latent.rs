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
use crate::api::types::numbers::Numbers;
use crate::api::types::space::Space;
use crate::catalog::{NpyArray, read_array};
use crate::editor::EditorError;
use crate::latent::{LatentCode, LatentSpace};

/// The most numbers of a file of codes: 4,096 codes of 512.
const MOST_IN_FILE: usize = 1 << 21;

/// The largest file of codes: a header, and the most numbers as doubles.
const LARGEST_FILE: usize = 4096 + 8 * MOST_IN_FILE;

fields! {
    /// A latent code, or several: the space, and either `values` or `file`.
    #[examples(serde_json::json!({"space": "w", "values": [0.25, -0.5, 0.125]}))]
    pub(crate) struct Latent {
        /// The code's space.
        space: Required<Space>,
        /// The code's numbers: a list in z, w and s, a list of such lists in w+, one a layer. Several codes are a list of codes.
        values: Option<Numbers<f32>>,
        /// A file in base64: `.npy` or `.npz` of NumPy, or `.pt` of PyTorch, with one array of numbers. Its shape is (dim) or
        /// (codes, dim), in w+ (layers, dim) or (codes, layers, dim). Nothing in the file is executed.
        file: Option<Base64<LARGEST_FILE>>,
        /// Which of several codes in the file, counted from 0. Default: all, where a request takes several faces.
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
        let mut codes = self.codes()?;
        if let [_] = codes[..] {
            return Ok(codes.remove(0));
        }
        let count = codes.len();
        let (field, expected) = if self.file.is_some() {
            let last = count.saturating_sub(1);
            ("latent.index", format!("the number of one of them, 0 to {last}"))
        } else {
            ("latent.values", "one".to_owned())
        };
        Err(Problem::field(
            field,
            format!("found {count} codes, expected {expected}"),
        ))
    }

    /// The codes, in order: one, unless the shape has an axis for several.
    pub(crate) fn codes(&self) -> Result<Vec<LatentCode>, Problem> {
        let space = LatentSpace::from(*self.space);
        let (shape, values, field) = match (&self.values, &self.file) {
            (Some(_), None) if self.index.is_some() => {
                let reason = "found it beside values, expected it beside a file";
                return Err(Problem::field("latent.index", reason));
            }
            (Some(Numbers { shape, values }), None) => (shape.clone(), values.clone(), "latent.values"),
            (None, Some(Base64(file))) => {
                let array = read_array(file, MOST_IN_FILE);
                let array = array.map_err(|error| Problem::field("latent.file", error.to_string()))?;
                let (shape, values) = self.chosen(space, array)?;
                (shape, values, "latent.file")
            }
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                let reason = format!("found {found} of values and file, expected one of them");
                return Err(Problem::field("latent", reason));
            }
        };
        let unfit = || {
            let expected = match space {
                LatentSpace::WPlus => "(layers, dim) or (codes, layers, dim)",
                LatentSpace::Z | LatentSpace::W | LatentSpace::S => "(dim) or (codes, dim)",
            };
            let reason = format!("found the shape {shape:?}, expected {expected} for codes in {space}");
            Problem::field(field, reason)
        };
        let (count, one) = split(space, &shape);
        let dims = space.rows_and_columns(one).ok_or_else(unfit)?;
        let length = dims.0 * dims.1;
        if count == 0 || length == 0 {
            return Err(unfit());
        }
        let label = self.label.as_ref().map(|label| &label.0);
        let codes = values.chunks_exact(length).map(|values| {
            let values = Array2::from_shape_vec(dims, values.to_vec());
            let values = values.expect("an array holds as many values as its shape says");
            let code = LatentCode::new(space, values).map_err(EditorError::from)?;
            Ok(code.with_label(label.cloned()))
        });
        codes.collect()
    }

    /// The shape and the numbers of the codes in a file: of all, or of the one that `index` chooses.
    fn chosen(&self, space: LatentSpace, array: NpyArray) -> Result<(Vec<usize>, Vec<f32>), Problem> {
        let NpyArray { shape, values } = array;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "codes are single precision; `LatentCode::new` refuses what overflows"
        )]
        let single = |value: f64| value as f32;
        let Some(index) = self.index.map(Integer::usize) else {
            return Ok((shape, values.into_iter().map(single).collect()));
        };
        let (count, one) = split(space, &shape);
        let last = count.saturating_sub(1);
        if index > last {
            let reason =
                format!("found {index}, expected 0 to {last}: the number of codes in the file is {count}");
            return Err(Problem::field("latent.index", reason));
        }
        let length = one.iter().product();
        let values = values.into_iter().skip(index * length).take(length);
        Ok((one.to_vec(), values.map(single).collect()))
    }
}

/// The number of codes in an array, and the shape of one.
fn split(space: LatentSpace, shape: &[usize]) -> (usize, &[usize]) {
    match (space, shape) {
        (LatentSpace::WPlus, [count, one @ ..]) if one.len() == 2 => (*count, one),
        (LatentSpace::Z | LatentSpace::W | LatentSpace::S, [count, one @ ..]) if one.len() == 1 => {
            (*count, one)
        }
        _ => (1, shape),
    }
}
