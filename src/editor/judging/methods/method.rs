//! The methods that a model has.

use std::sync::Arc;

use ndarray::Array2;

use crate::editor::editing::request::Along;
use crate::editor::judging::held_direction::held_direction;
use crate::editor::judging::methods::faces::CodesBySpace;
use crate::editor::judging::methods::walk::Walk;
use crate::editor::{EditorError, Model};
use crate::latent::{Boundary, Direction, LatentSpace};

/// A method, and how it moves each attribute.
pub(crate) struct Method {
    /// Its name in a report.
    pub(crate) name: String,
    /// The space of the codes that it moves.
    pub(crate) space: LatentSpace,
    /// For each of the model's scored attributes in their order, how it is moved; `None` if the method cannot.
    pub(crate) walks: Vec<Option<MethodWalk>>,
}

/// How a method moves one attribute.
pub(crate) struct MethodWalk {
    /// The direction, if it is not the attribute's own.
    pub(crate) along: Option<String>,
    pub(crate) walk: Walk,
}

impl From<Walk> for MethodWalk {
    fn from(walk: Walk) -> Self {
        Self { along: None, walk }
    }
}

/// Boundaries of scored attributes, as a method of their own.
pub(crate) struct PlaneSet {
    /// What distinguishes them in the name of the method; empty for the model's own.
    pub(crate) name: String,
    /// The boundaries, in any order and of any space.
    pub(crate) boundaries: Vec<Arc<Boundary>>,
}

impl PlaneSet {
    /// The model's own boundaries.
    pub(crate) fn of_model(model: &Model) -> Self {
        Self {
            name: String::new(),
            boundaries: model.boundaries().iter().cloned().collect(),
        }
    }

    /// The boundary of each scored attribute in `space`.
    fn of_attributes(&self, model: &Model, space: LatentSpace) -> Vec<Option<&Arc<Boundary>>> {
        let find = |attribute| {
            let mut boundaries = self.boundaries.iter();
            boundaries.find(|boundary| boundary.attribute() == attribute && boundary.space() == space)
        };
        model.classifiers().attributes().map(find).collect()
    }

    fn title(&self, what: &str) -> String {
        if self.name.is_empty() {
            return what.to_owned();
        }
        format!("{what} ({})", self.name)
    }

    /// The planes in z, w and w+ as methods.
    fn methods(&self, model: &Model, codes: &CodesBySpace) -> Result<Vec<Method>, EditorError> {
        let mut methods = Vec::new();
        for space in [LatentSpace::Z, LatentSpace::W, LatentSpace::WPlus] {
            let deviation_along = |step: &Array2<f64>| codes.deviation_along(space, step);
            methods.extend(self.in_space(model, space, &format!("plane in {space}"), deviation_along)?);
        }
        Ok(methods)
    }

    /// The planes in one space as two methods, called `what`: plain, and with all other attributes held. `deviation_along` knows the
    /// deviation of samples along a direction.
    ///
    /// # Errors
    /// [`EditorError`] if boundaries do not fit each other.
    pub(crate) fn in_space(
        &self,
        model: &Model,
        space: LatentSpace,
        what: &str,
        deviation_along: impl Fn(&Array2<f64>) -> f64,
    ) -> Result<[Method; 2], EditorError> {
        let boundaries = self.of_attributes(model, space);
        let method = |held| {
            let others = if held { ", others held" } else { "" };
            let walks = (0..boundaries.len()).map(|own| plane(&boundaries, own, held, &deviation_along));
            Ok::<_, EditorError>(Method {
                name: self.title(&format!("{what}{others}")),
                space,
                walks: walks.collect::<Result<_, _>>()?,
            })
        };
        Ok([method(false)?, method(true)?])
    }
}

/// The straight line along one of `boundaries`. Where others are `held` and leave nothing of it, there is none.
fn plane(
    boundaries: &[Option<&Arc<Boundary>>],
    own: usize,
    held: bool,
    deviation_along: impl Fn(&Array2<f64>) -> f64,
) -> Result<Option<MethodWalk>, EditorError> {
    let Some(boundary) = boundaries[own] else {
        return Ok(None);
    };
    let others = boundaries.iter().enumerate().filter(|&(other, _)| other != own);
    let others: Vec<&Boundary> = others.filter_map(|(_, one)| Some(&***one.as_ref()?)).collect();
    let direction = match (held, others.is_empty()) {
        (false, _) => Direction::along(boundary),
        // It would be the plain edit again.
        (true, true) => return Ok(None),
        (true, false) => match held_direction(boundary, &others)? {
            Some(direction) => direction,
            None => return Ok(None),
        },
    };
    let walk = Walk::Line {
        unit: deviation_along(direction.step()),
        boundary: Arc::clone(boundary),
        direction,
    };
    Ok(Some(walk.into()))
}

/// The search for a target score with all other attributes held, in the model's default space.
fn target_score(model: &Model) -> Result<Method, EditorError> {
    let space = model.default_space();
    let find = |attribute: &str| model.boundaries().find(attribute, space);
    let boundaries: Vec<&Boundary> = model
        .classifiers()
        .attributes()
        .filter_map(find)
        .map(|one| &**one)
        .collect();
    let walk = |attribute: &str| {
        let Some(own) = find(attribute) else {
            return Ok(None);
        };
        let others: Vec<&Boundary> = boundaries
            .iter()
            .copied()
            .filter(|other| other.attribute() != attribute)
            .collect();
        Ok(held_direction(own, &others)?.map(|_| {
            let held = others.iter().map(|other| other.attribute().to_owned());
            Walk::Search {
                attribute: attribute.to_owned(),
                held: held.collect(),
                along: Along::Normal,
            }
            .into()
        }))
    };
    let walks: Result<_, EditorError> = model.classifiers().attributes().map(walk).collect();
    Ok(Method {
        name: format!("target score in {space}, others held"),
        space,
        walks: walks?,
    })
}

/// The walk along the gradient of the score with all other attributes held, in the model's default space. It needs no boundaries.
fn along_gradient(model: &Model) -> Method {
    let space = model.default_space();
    let walk = |attribute: &str| {
        let others = model
            .classifiers()
            .attributes()
            .filter(|&other| other != attribute);
        let walk = Walk::Search {
            attribute: attribute.to_owned(),
            held: others.map(str::to_owned).collect(),
            along: Along::Gradient,
        };
        Some(walk.into())
    };
    Method {
        name: format!("gradient in {space}, others held"),
        space,
        walks: model.classifiers().attributes().map(walk).collect(),
    }
}

/// The methods that `model` may have besides directions without labels and style channels; some may move no attribute. A further method is one entry here and one way to walk in
/// [`Walk`]. `has_gradient` says whether the scores can be differentiated.
///
/// # Errors
/// [`EditorError`] if boundaries do not fit each other.
pub(crate) fn methods_of(
    model: &Model,
    fitted: &[PlaneSet],
    codes: &CodesBySpace,
    has_gradient: bool,
) -> Result<Vec<Method>, EditorError> {
    let mut methods = PlaneSet::of_model(model).methods(model, codes)?;
    for set in fitted {
        methods.extend(set.methods(model, codes)?);
    }
    methods.push(target_score(model)?);
    if has_gradient {
        methods.push(along_gradient(model));
    }
    Ok(methods)
}
