//! Parts of pictures in a URL: a rectangle, or a face's landmarks.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::api::types::invert_body::Crop;

/// A crop in a URL.
#[derive(Debug)]
pub(crate) struct CropText(pub(crate) Crop);

impl<'de> Deserialize<'de> for CropText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let numbers: Option<Vec<u32>> = text.split(',').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[left, top, width, height]) => Ok(Self(Crop {
                left,
                top,
                width,
                height,
            })),
            _ => Err(D::Error::custom(format!(
                "found {text:?}, expected left,top,width,height in pixels"
            ))),
        }
    }
}

/// Landmarks in a URL.
#[derive(Debug)]
pub(crate) struct LandmarksText(pub(crate) Vec<[f64; 2]>);

impl<'de> Deserialize<'de> for LandmarksText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let point = |point: &str| {
            let (x, y) = point.split_once(',')?;
            Some([x.trim().parse().ok()?, y.trim().parse().ok()?])
        };
        let points: Option<_> = text.split(';').map(point).collect();
        let wrong = || D::Error::custom(format!("found {text:?}, expected x,y;x,y;… in pixels"));
        points.map(Self).ok_or_else(wrong)
    }
}
