//! The part of an image to invert: a rectangle, or a face's landmarks.

use serde::Serialize;
use serde::de::{MapAccess, SeqAccess};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use crate::api::decode::declare::fields;
use crate::api::decode::describe::reference;
use crate::api::decode::fields::Required;
use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::decode::{describe, json};
use crate::api::problem::Problem;
use crate::api::types::list::List;
use crate::api::types::number::{Finite, Integer, MOST_U32, NUMBER, part};
use crate::editor::Model;
use crate::imaging::{self, Framing, Landmarks};

fields! {
    /// A rectangle of pixels, from the upper left corner of the upright image.
    pub(crate) struct Crop {
        /// Pixels to the left of the rectangle.
        left: Required<Integer<0, MOST_U32>>,
        /// Pixels above the rectangle.
        top: Required<Integer<0, MOST_U32>>,
        /// Width in pixels.
        width: Required<Integer<1, MOST_U32>>,
        /// Height in pixels.
        height: Required<Integer<1, MOST_U32>>,
    }
}

fields! {
    /// The part of an image to invert.
    pub(crate) struct FramingInput {
        /// The part of the image to invert; in a URL or form `left,top,width,height`. Default: the face, if the model has a landmark
        /// graph; otherwise the largest rectangle in the middle with the aspect ratio of the model's images.
        crop: Option<Crop>,
        /// Landmarks of the face instead of `crop`: 5 points (left eye, right eye, nose, left and right corner of the mouth, left and right as
        /// seen in the image) or iBUG's 68, x and y in pixels; in a URL or form `x,y,x,y,…`. The image is rotated and scaled as in FFHQ.
        landmarks: Option<LandmarkPoints> = "92,118,164,117,128,150,104,184,152,183",
    }
}

impl FramingInput {
    /// The name of a field that the request has.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let crop = self.crop.as_ref().map(|_| "crop");
        crop.or(self.landmarks.as_ref().map(|_| "landmarks"))
    }

    /// The part of the image, if the request names one.
    pub(crate) fn framing(&self, model: &Model) -> Result<Option<Framing>, Problem> {
        match (&self.crop, &self.landmarks) {
            (None, None) => Ok(None),
            (Some(crop), None) => Ok(Some(Framing::Crop(crop.into()))),
            (None, Some(points)) => {
                let landmarks = Landmarks::new(&points.points());
                let landmarks = landmarks.map_err(|error| Problem::field("landmarks", error.to_string()))?;
                Ok(Some(Framing::Face(landmarks, model.alignment())))
            }
            (Some(_), Some(_)) => {
                let reason = "found a crop beside it, expected one of the two";
                Err(Problem::field("landmarks", reason))
            }
        }
    }
}

impl Value for Crop {
    fn expected() -> String {
        "an object with left, top, width and height in pixels".to_owned()
    }

    fn expected_text() -> String {
        "left,top,width,height in pixels".to_owned()
    }

    fn from_object<'de, A: MapAccess<'de>>(object: A, at: Position<'_>) -> Result<Self, A::Error> {
        json::object(object, at)
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let parts: Vec<&str> = found.split(',').collect();
        let crop = || match parts[..] {
            [left, top, width, height] => Some(Self {
                left: Required(part(left)?),
                top: Required(part(top)?),
                width: Required(part(width)?),
                height: Required(part(height)?),
            }),
            _ => None,
        };
        crop().ok_or_else(|| unfit(quoted(found), &Self::expected_text()))
    }

    fn schema() -> Schema {
        reference::<Self>()
    }

    fn text_schema() -> Schema {
        let size = "[1-9][0-9]{0,8}";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^[0-9]{{1,9}},[0-9]{{1,9}},{size},{size}$")))
            .into()
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        describe::add_component::<Self>(components);
    }
}

impl From<&Crop> for imaging::Rectangle {
    fn from(crop: &Crop) -> Self {
        Self {
            left: crop.left.u32(),
            top: crop.top.u32(),
            width: crop.width.u32(),
            height: crop.height.u32(),
        }
    }
}

/// 5 to 68 points of a face, x and y in pixels. Their number is checked once more by the imaging layer, which knows 5 and 68.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct LandmarkPoints(List<Coordinates, 5, 68>);

/// One point: x and y.
type Coordinates = List<Finite, 2, 2>;

impl LandmarkPoints {
    pub(crate) fn points(&self) -> Vec<[f64; 2]> {
        let List(points) = &self.0;
        points
            .iter()
            .map(|List(point)| [point[0].0, point[1].0])
            .collect()
    }
}

impl Value for LandmarkPoints {
    fn expected() -> String {
        "a list of 5 or 68 points, each a list of x and y in pixels".to_owned()
    }

    fn expected_text() -> String {
        "5 or 68 points x,y,x,y,… in pixels".to_owned()
    }

    fn from_list<'de, A: SeqAccess<'de>>(list: A, at: Position<'_>) -> Result<Self, A::Error> {
        List::from_list(list, at).map(Self)
    }

    /// Between two points may stand a comma, a blank or a semicolon. curl ends the text of a form's field at a semicolon.
    fn from_text(found: &str) -> Result<Self, String> {
        let mut points = Vec::new();
        for text in found.split([';', ' ']) {
            let numbers: Option<Vec<Finite>> = text.split(',').take(2 * 69).map(part).collect();
            let pairs = numbers.filter(|numbers| numbers.len() % 2 == 0 && points.len() <= 68);
            let pairs = pairs.ok_or_else(|| unfit(quoted(found), &Self::expected_text()))?;
            points.extend(pairs.chunks(2).map(|pair| List(pair.to_vec())));
        }
        let fits = (5..=68).contains(&points.len());
        fits.then_some(Self(List(points)))
            .ok_or_else(|| unfit(quoted(found), &Self::expected_text()))
    }

    fn schema() -> Schema {
        ArrayBuilder::new()
            .items(Coordinates::schema())
            .min_items(Some(5))
            .max_items(Some(68))
            .into()
    }

    fn text_schema() -> Schema {
        let point = format!("{NUMBER},{NUMBER}");
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^{point}([,; ]{point}){{4,67}}$")))
            .into()
    }
}
