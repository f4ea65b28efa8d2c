//! What batch work makes of each seed, in the words of the API: the fields of `/v1/edit`, as texts or as JSON.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::api::decode::{json, text};
use crate::api::image_metadata::{ImageMetadata, RequestRecord};
use crate::api::local_client::LocalProblem;
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::types::edit::EditInput;
use crate::api::types::output_options::Layout;
use crate::editor::{BatchFace, ManyFaces, Model};
use crate::imaging::{Image, ImagingError};

/// The fields that a batch may have. The others say which face it is, or how several faces share a response.
const FIELDS: [&str; 14] = [
    "space",
    "psi",
    "truncation_layers",
    "label",
    "edits",
    "along",
    "unit",
    "layers",
    "trajectory",
    "easing",
    "conditions",
    "metadata",
    "compression",
    "quality",
];

/// The field with the seed, which each face gets for itself.
const SEED: &str = "seed";

/// What is made of each seed.
pub struct BatchWords {
    request: Map<String, Value>,
    faces: ManyFaces,
    output: Output,
    /// The options of the pictures, as they were given.
    pictures: Value,
}

impl BatchWords {
    /// The words of texts, as a URL has them: several with the name `edit` are a list. `pictures` is the format of the pictures; without
    /// it there are none.
    ///
    /// # Errors
    /// [`LocalProblem`] if a text is wrong.
    pub fn of_texts(texts: &[(String, String)], pictures: Option<&str>) -> Result<Self, LocalProblem> {
        let given = texts.iter().map(|(name, text)| (&**name, &**text));
        let added = pictures.map(|format| ("format", format));
        let pairs = given.chain([(SEED, "0")]).chain(added);
        let pairs = pairs.map(|(name, text)| (Cow::Borrowed(name), Cow::Borrowed(text)));
        let read = text::pairs::<EditInput>(pairs).map_err(Problem::from);
        Self::new(&read.map_err(of_request)?)
    }

    /// The same of a JSON object.
    ///
    /// # Errors
    /// [`LocalProblem`] if it is no object of such words.
    pub fn of_json(file: &[u8], pictures: Option<&str>) -> Result<Self, LocalProblem> {
        // The reader of requests says what is wrong with JSON, so the fields are looked for in what it accepts.
        json::read::<EditInput>(file).map_err(of_request)?;
        let words: Value = serde_json::from_slice(file).unwrap_or_default();
        let mut words = match words {
            Value::Object(words) => words,
            _ => Map::new(),
        };
        if let Some(name) = words.keys().find(|name| !FIELDS.contains(&&***name)) {
            let reason = format!(
                "found it in the request of a batch, expected one of {}",
                FIELDS.join(", ")
            );
            return Err(of_request(Problem::field(name, reason)));
        }
        words.insert(SEED.to_owned(), 0.into());
        words.extend(pictures.map(|format| ("format".to_owned(), format.into())));
        let words = Value::Object(words).to_string();
        Self::new(&json::read(words.as_bytes()).map_err(of_request)?)
    }

    fn new(input: &EditInput) -> Result<Self, LocalProblem> {
        let mut faces = input.many(|_, _| Ok(())).map_err(of_request)?;
        let is_edit = |edit: &crate::editor::EditRequest| !edit.steps.is_empty() || edit.series.is_some();
        faces.edit = faces.edit.filter(is_edit);
        let output = Output::with_layout(&input.output.image, Layout::Grid, &HeaderMap::new());
        let request = serde_json::to_value(input).expect("a request that was read can be JSON");
        let Value::Object(mut request) = request else {
            unreachable!("a request is an object")
        };
        request.remove(SEED);
        if faces.edit.is_none() {
            for unused in ["edits", "conditions"] {
                request.remove(unused);
            }
        }
        Ok(Self {
            request,
            faces,
            output: output.map_err(of_request)?,
            pictures: serde_json::to_value(&input.output.0).expect("options that were read can be JSON"),
        })
    }

    /// The editor's words. The only source stands for all seeds.
    #[must_use]
    pub fn faces(&self) -> &ManyFaces {
        &self.faces
    }

    /// The fields as JSON, in one form however they were written, with the options of pictures.
    #[must_use]
    pub fn json(&self, with_pictures: bool) -> Map<String, Value> {
        let mut words = self.request.clone();
        if with_pictures {
            words.insert("pictures".to_owned(), self.pictures.clone());
        }
        words
    }

    /// The image file of a face. Its recipe is the request that makes the same image alone.
    ///
    /// # Errors
    /// [`ImagingError`] if the image does not fit the format.
    pub fn encode(&self, model: &Model, face: &BatchFace, image: &Image) -> Result<Vec<u8>, ImagingError> {
        let mut request = self.request.clone();
        request.insert("model".to_owned(), model.name().into());
        request.insert(SEED.to_owned(), face.seed.into());
        let path = if self.faces.edit.is_some() {
            "/v1/edit"
        } else {
            "/v1/sample"
        };
        let metadata = ImageMetadata::new(model, RequestRecord::new(path, &request));
        metadata.encode(image, Some(&face.code), self.output)
    }
}

fn of_request(problem: Problem) -> LocalProblem {
    LocalProblem::from(&problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(words: Result<BatchWords, LocalProblem>) -> String {
        words.err().expect("the words are wrong").to_string()
    }

    #[test]
    fn texts_and_json_are_the_same_words() {
        let texts = [("edit", "smile:2"), ("condition", "age"), ("psi", "0.5")]
            .map(|(name, text)| (name.into(), text.into()));
        let of_texts = BatchWords::of_texts(&texts, Some("webp")).unwrap();
        let json = br#"{"edits": [{"attribute": "smile", "by": 2}], "conditions": ["age"], "psi": 0.5}"#;
        let of_json = BatchWords::of_json(json, Some("webp")).unwrap();
        assert_eq!(of_texts.json(true), of_json.json(true));
        assert_ne!(of_texts.json(true), of_texts.json(false));
        assert!(of_texts.faces().edit.is_some());
        assert!(BatchWords::of_texts(&[], None).unwrap().faces().edit.is_none());
    }

    #[test]
    fn what_only_a_request_for_one_face_can_have_is_refused() {
        for (json, says) in [
            (
                r#"{"seed": 7}"#,
                "seed: found it in the request of a batch, expected one of space, psi",
            ),
            (
                r#"{"layout": "zip"}"#,
                "layout: found it in the request of a batch",
            ),
            (r#"{"pis": 7}"#, "pis: unknown field"),
            (
                r#"{"edits": [{"attribute": "smile", "to_score": 0.9}]}"#,
                "edits: found to_score",
            ),
            ("[]", "found"),
        ] {
            let reason = reason(BatchWords::of_json(json.as_bytes(), None));
            assert!(reason.contains(says), "{json}: {reason}");
        }
        let quality = [("quality".to_owned(), "80".to_owned())];
        let reason = reason(BatchWords::of_texts(&quality, Some("png")));
        assert!(reason.starts_with("quality: is for JPEG and WebP"), "{reason}");
    }
}
