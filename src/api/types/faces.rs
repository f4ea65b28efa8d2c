//! Several faces of one request, each as a seed, a latent code or an image.

use std::borrow::Cow;

use serde::de::SeqAccess;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use crate::api::decode::fields::InsteadOfFile;
use crate::api::decode::json::Object;
use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::face::{CodeInput, FaceInput, TruncationInput};
use crate::api::types::latent::Latent;
use crate::api::types::list::List;
use crate::api::types::number::NUMBER;
use crate::api::types::seeds::{self, Seeds};
use crate::api::types::space::Space;
use crate::api::types::uploaded_image::TakenImage;
use crate::editor::{self, FaceSource, Model, Warning};

/// The most faces of a list. The service's limit of images is usually lower.
const MOST: usize = 1000;

type InJson = List<Object<FaceInput>, 1, MOST>;

/// A list of faces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faces(pub(crate) Vec<FaceInput>);

impl Faces {
    /// The faces of seeds.
    pub(crate) fn of_seeds(seeds: &Seeds) -> Self {
        let code = |seed: u32| CodeInput {
            seed: Some(u64::from(seed).into()),
            ..CodeInput::default()
        };
        Self(seeds.iter().map(|seed| of_code(code(seed))).collect())
    }

    /// The faces, each with its path in the request.
    fn with_paths(&mut self, field: &'static str) -> impl Iterator<Item = FaceAt<'_>> {
        let faces = self.0.iter_mut().enumerate();
        faces.map(move |(index, face)| FaceAt { field, index, face })
    }

    /// The editor's sources. `field` is the name of the list.
    pub(crate) fn sources(&self, field: &str) -> Result<Vec<FaceSource>, Problem> {
        let faces = self.0.iter().enumerate();
        let source = |(index, face): (usize, &FaceInput)| {
            let source = face.code.source();
            source.map_err(|problem| problem.inside(&format!("{field}[{index}]")))
        };
        faces.map(source).collect()
    }
}

fn of_code(code: CodeInput) -> FaceInput {
    FaceInput {
        code: InsteadOfFile(code),
        ..FaceInput::default()
    }
}

impl Value for Faces {
    fn expected() -> String {
        InJson::expected()
    }

    fn expected_text() -> String {
        format!(
            "seeds such as 85,100-103, or one code: {}",
            Latent::expected_text()
        )
    }

    fn from_list<'de, A: SeqAccess<'de>>(list: A, at: Position<'_>) -> Result<Self, A::Error> {
        let List(faces) = InJson::from_list(list, at)?;
        Ok(Self(faces.into_iter().map(|Object(face)| face).collect()))
    }

    /// Each text is either a list of seeds or one code.
    fn from_texts(found: &[Cow<'_, str>]) -> Result<Self, String> {
        let mut faces = Vec::new();
        for text in found {
            if text.contains(':') {
                let latent = Latent::from_text(text)?;
                if *latent.space == Space::WPlus {
                    return Err(
                        "found a w+ code, expected a code in z, w or s: send w+ codes in a JSON body"
                            .to_owned(),
                    );
                }
                let latent = Some(latent);
                faces.push(of_code(CodeInput {
                    latent,
                    ..CodeInput::default()
                }));
            } else {
                faces.extend(Self::of_seeds(&Seeds::from_text(text)?).0);
            }
            if faces.len() > MOST {
                return Err(format!("found more than {MOST} faces, expected at most {MOST}"));
            }
        }
        Ok(Self(faces))
    }

    fn schema() -> Schema {
        InJson::schema()
    }

    fn text_schema() -> Schema {
        let row = format!("{NUMBER}(,{NUMBER})*");
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^({}|(z|w|s):{row})$", seeds::pattern())));
        ArrayBuilder::new()
            .items(text)
            .min_items(Some(1))
            .max_items(Some(MOST))
            .into()
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        InJson::components(components);
    }
}

impl Serialize for Faces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A face of a request, and where it is.
pub(crate) struct FaceAt<'a> {
    field: &'static str,
    index: usize,
    face: &'a mut FaceInput,
}

/// A request with several faces.
pub(crate) trait HasFaces {
    /// The lists of faces with their names, and the truncation of those that are mapped.
    fn faces(&mut self) -> (Vec<(&'static str, &mut Faces)>, &mut TruncationInput);

    /// Checks everything that needs no network.
    fn check(&self, model: &Model) -> Result<(), Problem>;
}

/// All faces of `lists`.
fn all<'a>(lists: Vec<(&'static str, &'a mut Faces)>) -> impl Iterator<Item = FaceAt<'a>> {
    lists
        .into_iter()
        .flat_map(|(field, faces)| faces.with_paths(field))
}

/// What completing the faces of a request found out.
pub(crate) struct Completed {
    /// The warnings of the inversions.
    pub(crate) warnings: Vec<Warning>,
    /// Whether images of the faces show an uploaded photograph.
    pub(crate) is_photograph: bool,
}

/// Puts a code or a seed in the place of each image and of each face that the request leaves open: the code that an image carries, the
/// one that an inversion finds, or a random seed. What else is wrong with the request is found before the first inversion.
pub(crate) async fn complete<T: HasFaces>(
    input: &mut T,
    api: &Api,
    model: &Model,
) -> Result<Completed, Problem> {
    let (lists, truncation) = input.faces();
    let images = take_images(all(lists), truncation, model)?;
    let mut warnings = Vec::new();
    let is_photograph = images.iter().flatten().any(TakenImage::is_photograph);
    if images.iter().any(|image| is_unknown(image.as_ref())) {
        let any = Latent::file(&editor::any_inverted_code(model)?);
        let (lists, _) = input.faces();
        for (at, _) in all(lists)
            .zip(&images)
            .filter(|(_, image)| is_unknown(image.as_ref()))
        {
            at.face.code.latent = Some(any.clone());
        }
        input.check(model)?;
        let images = images.into_iter().enumerate();
        for (index, image) in images {
            let Some(TakenImage::Unknown(image)) = image else {
                continue;
            };
            let found = image.invert(api, model).await?;
            warnings.extend(found.warning());
            let (lists, _) = input.faces();
            if let Some(at) = all(lists).nth(index) {
                at.face.code.latent = Some(Latent::file(&found.code));
            }
        }
    }
    let (lists, _) = input.faces();
    for at in all(lists) {
        at.face.code.complete()?;
    }
    Ok(Completed {
        warnings,
        is_photograph,
    })
}

/// Whether an image is to be inverted.
fn is_unknown(image: Option<&TakenImage>) -> bool {
    matches!(image, Some(TakenImage::Unknown(_)))
}

/// Takes the images out of `faces`: for each face its image, if it has one. All faces that are mapped get one
/// truncation: the request's, completed by what the images carry.
fn take_images<'a>(
    faces: impl Iterator<Item = FaceAt<'a>>,
    truncation: &mut TruncationInput,
    model: &Model,
) -> Result<Vec<Option<TakenImage>>, Problem> {
    let mut images = Vec::new();
    let mut of_mapped: Option<TruncationInput> = None;
    for FaceAt { field, index, face } in faces {
        let path = format!("{field}[{index}]");
        let mut own = truncation.clone();
        let image = face.take_image(&mut own, model);
        let image = image.map_err(|problem| problem.inside(&path))?;
        let is_mapped = !is_unknown(image.as_ref()) && face.code.latent.as_ref().is_none_or(Latent::is_z);
        if is_mapped {
            let common = of_mapped.get_or_insert_with(|| own.clone());
            if common.choice() != own.choice() {
                let reason = "found an image that was made with another psi or truncation_layers than the faces before it, expected one \
                              truncation for all faces: give psi and truncation_layers";
                return Err(Problem::field(path, reason));
            }
        }
        images.push(image);
    }
    if let Some(common) = of_mapped {
        *truncation = common;
    }
    Ok(images)
}
