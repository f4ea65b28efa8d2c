//! The plan of an inversion: its method, space and patience, checked against the model.

use crate::catalog::hexadecimal;
use crate::editor::inversion::encoding::encoder_space;
use crate::editor::inversion::method::InversionMethod;
use crate::editor::inversion::request::{InversionOptions, InvertRequest};
use crate::editor::{EditorError, Model};
use crate::latent::LatentSpace;

/// The method, the space and the patience of one inversion, checked against the model.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) method: InversionMethod,
    pub(crate) space: LatentSpace,
    pub(crate) patience: usize,
}

impl Plan {
    /// # Errors
    /// [`EditorError`] if the model lacks a graph that the method needs, or the space does not fit.
    pub(crate) fn new(model: &Model, options: &InversionOptions) -> Result<Self, EditorError> {
        let supported = InversionMethod::supported(model.engine());
        let wanted = options.method.or(supported.first().copied());
        let Some(found) = wanted.filter(|method| supported.contains(method)) else {
            return Err(EditorError::CannotInvert {
                model: model.name().to_owned(),
                asked: options.method,
                missing: InversionMethod::missing(model.engine()),
            });
        };
        let space = check_space(model, found, options.space)?;
        Ok(Self {
            method: found,
            space,
            patience: options.patience.unwrap_or(found.patience()),
        })
    }

    /// The key of `request` in the cache: everything on which its code depends. `None` if the method is
    /// [`InversionMethod::Encoder`], which takes no longer than the rest of the request.
    pub(crate) fn key(self, model: &Model, request: &InvertRequest) -> Option<String> {
        let Self {
            method,
            space,
            patience,
        } = self;
        if method == InversionMethod::Encoder {
            return None;
        }
        let InversionOptions { steps, starts, .. } = request.options;
        let (model, image) = (model.files_digest(), hexadecimal(&request.image_digest));
        let framing = request.framing;
        Some(format!(
            "{model} {method} {space} {steps} {patience} {starts} {image} {framing:?}"
        ))
    }
}

/// The space of the codes that inversions find by the model's best method.
///
/// # Errors
/// [`EditorError::CannotInvert`] if the model lacks the graphs for it.
pub fn inverted_space(model: &Model) -> Result<LatentSpace, EditorError> {
    Ok(Plan::new(model, &InversionOptions::default())?.space)
}

/// The space of the code to find: the requested one, or the one that the method starts in.
fn check_space(
    model: &Model,
    method: InversionMethod,
    requested: Option<LatentSpace>,
) -> Result<LatentSpace, EditorError> {
    let start = if method == InversionMethod::Optimize {
        model.mean_code().space()
    } else {
        encoder_space(model)
    };
    let space = requested.unwrap_or(start);
    model.code_shape(space)?;
    // An encoder may give z codes although synthesis takes w. Gradient descent cannot start from those.
    let earliest = if method == InversionMethod::Encoder {
        start
    } else {
        start.max(model.shape().synthesis_space())
    };
    if space < earliest || start < earliest {
        return Err(EditorError::Irreversible {
            found: earliest,
            wanted: space.min(start),
        });
    }
    Ok(space)
}
