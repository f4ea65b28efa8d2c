//! The walks of an edit along a gradient.

use crate::editor::editing::gradient_walk::result::{Walk, WalkEnd};
use crate::editor::editing::gradient_walk::walk::Walker;
use crate::editor::editing::request::EditRequest;
use crate::editor::editing::score_search::scored_attribute::ScoredAttribute;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, Model};
use crate::latent::{Amount, LatentCode, LatentError, LatentSpace};

/// The edited codes, and the walks to them.
pub(crate) struct GradientEdit {
    pub(crate) codes: Vec<LatentCode>,
    pub(crate) walks: Vec<Walk>,
}

/// Walks from `original` to the code of the only edit in `request`, or to the code of each position of its series.
///
/// # Errors
/// [`EditorError`] if an attribute has no classifier, the classifier cannot give the target score, the layers do not exist, or a network
/// fails.
pub(crate) async fn gradient_edit(
    renderer: &mut Renderer<'_>,
    request: &EditRequest,
    original: &LatentCode,
) -> Result<GradientEdit, EditorError> {
    let attributes = walked_attributes(renderer.model(), request)?;
    check_space(original.space())?;
    let step = &request.steps[0];
    let rows = original.rows(request.layers_of(step))?;
    let mut start = Walker::new(renderer, original, rows, &attributes).await?;
    if let Some(target) = step.score {
        let end = start.walk_score(renderer, target).await?;
        return Ok(GradientEdit {
            codes: vec![start.code().clone()],
            walks: vec![start.result(end, Some(target), None)],
        });
    }
    let lengths: Vec<f64> = match (step.amount, &request.series) {
        (Some(Amount::By(length)), _) => vec![length],
        (_, Some(series)) => series.trajectory.positions(),
        _ => return Err(no_amount(request)),
    };
    let mut codes = vec![original.clone(); lengths.len()];
    let mut walks = Vec::new();
    for side in [1.0, -1.0] {
        // From the face outwards, each side in one walk.
        let mut order: Vec<usize> = (0..lengths.len())
            .filter(|&index| side * lengths[index] > 0.0)
            .collect();
        order.sort_by(|&one, &other| lengths[one].abs().total_cmp(&lengths[other].abs()));
        let Some(&last) = order.last() else {
            continue;
        };
        let mut walker = start.clone();
        let mut end = None;
        for index in order {
            if end.is_none_or(|end: WalkEnd| end.is_reached()) {
                end = Some(walker.walk_length(renderer, lengths[index]).await?);
            }
            codes[index] = walker.code().clone();
        }
        walks.extend(end.map(|end| walker.result(end, None, Some(lengths[last]))));
    }
    if walks.is_empty() {
        walks.push(start.result(WalkEnd::LengthWalked, None, Some(0.0)));
    }
    Ok(GradientEdit { codes, walks })
}

/// Checks that codes of a space can follow a gradient.
///
/// # Errors
/// [`EditorError::UnfitForGradient`] for style space.
pub(crate) fn check_space(space: LatentSpace) -> Result<(), EditorError> {
    if space == LatentSpace::S {
        return Err(EditorError::UnfitForGradient {
            found: "a code in s",
            expected: "one in z, w or w+",
        });
    }
    Ok(())
}

/// The edited attribute of `request`, and then each held one once.
///
/// # Errors
/// [`EditorError`] if the model or an attribute has no classifier, an attribute holds itself, or the classifier cannot give the target score.
pub(crate) fn walked_attributes(
    model: &Model,
    request: &EditRequest,
) -> Result<Vec<ScoredAttribute>, EditorError> {
    model.classifiers().require_any()?;
    let step = &request.steps[0];
    let mut names = vec![step.attribute.as_str()];
    for name in &request.conditions {
        if *name == step.attribute {
            return Err(LatentError::DependentPrimal {
                primal: step.attribute.clone(),
                conditions: request.conditions.clone(),
                retained: 0.0,
                least: f64::MIN_POSITIVE,
            }
            .into());
        }
        if !names[1..].contains(&name.as_str()) {
            names.push(name);
        }
    }
    let scored = names
        .into_iter()
        .map(|name| ScoredAttribute::new(model, name, None));
    let scored = scored.collect::<Result<Vec<_>, _>>()?;
    if step.score.is_some() {
        scored[0].check_target(step.score)?;
    } else if step.amount.is_none() && request.series.is_none() {
        return Err(no_amount(request));
    }
    Ok(scored)
}

fn no_amount(request: &EditRequest) -> EditorError {
    EditorError::NoAmount {
        attribute: request.steps[0].attribute.clone(),
    }
}
