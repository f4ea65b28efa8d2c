//! The latent code that a face source stands for, before mapping.

use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::{EditorError, FaceSource, Model};
use crate::latent::{Label, LatentCode, LatentSpace, sample_z};

/// Largest magnitude of a value in a caller's code, and of an amount to move by or to. Values of sampled codes lie within
/// about ±5, so this refuses mistakes and allows experiments.
pub(crate) const LARGEST_MAGNITUDE: f64 = 1000.0;

/// A face source's own code, and the space that the request wants it in.
pub(crate) struct LatentSource {
    pub(crate) code: LatentCode,
    pub(crate) wanted: LatentSpace,
}

impl LatentSource {
    /// Samples or checks the code of `source`. If `space` is `None`, a caller's code stays in its own space, and a
    /// seed's code goes to the model's default space.
    ///
    /// # Errors
    /// [`EditorError`] if the code, the space or the truncation does not fit the model.
    pub(crate) fn new(
        model: &Model,
        source: &FaceSource,
        space: Option<LatentSpace>,
        truncation: &MappingTruncation,
    ) -> Result<Self, EditorError> {
        let (code, wanted) = match source {
            FaceSource::Seed(seed) => {
                let label = class_of(model, *seed);
                (
                    sampled(model, *seed, label)?,
                    space.unwrap_or_else(|| model.default_space()),
                )
            }
            FaceSource::LabelledSeed(seed, label) => {
                check_label(model, label)?;
                let z = sampled(model, *seed, Some(label.clone()))?;
                (z, space.unwrap_or_else(|| model.default_space()))
            }
            FaceSource::Latent(code) => {
                check(model, code)?;
                if code.space() != LatentSpace::Z && truncation.is_requested() {
                    return Err(EditorError::AlreadyMapped { found: code.space() });
                }
                (code.clone(), space.unwrap_or(code.space()))
            }
        };
        let wanted = check_conversion(model, code.space(), Some(wanted))?;
        Ok(Self { code, wanted })
    }

    /// Whether the code has to pass the mapping.
    pub(crate) fn is_to_map(&self) -> bool {
        self.code.space() == LatentSpace::Z && self.wanted != LatentSpace::Z
    }
}

/// The space that a request wants a code of the space `found` in: `wanted`, or its own.
///
/// # Errors
/// [`EditorError::NoSuchSpace`] if the model has no such space, and [`EditorError::Irreversible`] if nothing leads there.
pub(crate) fn check_conversion(
    model: &Model,
    found: LatentSpace,
    wanted: Option<LatentSpace>,
) -> Result<LatentSpace, EditorError> {
    let wanted = wanted.unwrap_or(found);
    model.code_shape(wanted)?;
    // The spaces are ordered as conversion goes: z, w, w+, s.
    if found > wanted {
        return Err(EditorError::Irreversible { found, wanted });
    }
    Ok(wanted)
}

/// The code of a seed, with its label.
fn sampled(model: &Model, seed: u32, label: Option<Label>) -> Result<LatentCode, EditorError> {
    let z = sample_z(seed, model.shape().z_dim, model.generator().rescale_z)?;
    Ok(z.with_label(label))
}

/// The class of the `index`th face, counted from 0, if the generator is class-conditional: classes take turns.
pub(crate) fn class_of(model: &Model, index: u32) -> Option<Label> {
    let class = usize::try_from(index)
        .ok()?
        .checked_rem(model.engine().classes())?;
    Some(Label::Class(class))
}

/// Checks a label against the model.
fn check_label(model: &Model, label: &Label) -> Result<(), EditorError> {
    let classes = model.engine().classes();
    if classes == 0 {
        let model = model.name().to_owned();
        return Err(EditorError::NoClasses { model });
    }
    label.numbers(classes)?;
    Ok(())
}

/// Checks a caller's code against the model.
fn check(model: &Model, code: &LatentCode) -> Result<(), EditorError> {
    let space = code.space();
    let expected = model.code_shape(space)?;
    let found = code.values().dim();
    if found != expected {
        return Err(EditorError::CodeShape {
            model: model.name().to_owned(),
            space,
            found,
            expected,
        });
    }
    match code.label() {
        Some(label) => check_label(model, label)?,
        None if space == LatentSpace::Z && model.engine().classes() > 0 => {
            return Err(EditorError::NoLabel {
                model: model.name().to_owned(),
                classes: model.engine().classes(),
            });
        }
        None => {}
    }
    let mut values = code.values().iter().map(|&value| f64::from(value));
    match values.find(|value| value.abs() > LARGEST_MAGNITUDE) {
        None => Ok(()),
        Some(found) => Err(EditorError::OutOfRange {
            what: format!("a value of the {space} code"),
            found,
            limit: LARGEST_MAGNITUDE,
        }),
    }
}
