//! How a method moves one attribute of a face.

use std::sync::Arc;

use crate::catalog::OutputKind;
use crate::editor::editing::edit_path::plan_edits;
use crate::editor::editing::gradient_walk::gradient_edit::gradient_edit;
use crate::editor::editing::request::{Along, EditRequest, EditStep};
use crate::editor::editing::score_search::search::ScoreSearch;
use crate::editor::judging::accuracy::share;
use crate::editor::judging::methods::faces::MovedAttribute;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, FaceSource, Model, TruncationChoice};
use crate::latent::{Amount, Boundary, Direction, Edit, LatentCode, Unit, apply};

/// Stations of a straight line after the face itself.
const STATIONS: usize = 8;
/// How far the last station is, in standard deviations of the samples' distances.
const REACH: f64 = 4.0;
/// The changes that a search aims at, in standard deviations of the target. Each is a little beyond one of the levels that are
/// compared, because a search may end a little before its target.
const SEARCHED: [f64; 2] = [1.15, 2.15];
/// Images that a search synthesizes at most, about.
const SEARCH_IMAGES: usize = 80;
/// The images of one walk along a line.
pub(crate) const LINE_IMAGES: usize = STATIONS;
/// The searches for one face.
pub(crate) const SEARCHES: usize = SEARCHED.len();
/// The images that the searches for one face are counted as.
pub(crate) const SEARCH_WALK_IMAGES: usize = SEARCHES * SEARCH_IMAGES;
/// How near to 0 and 1 a target probability may be.
const LEAST_PROBABILITY: f64 = 1e-4;

/// How a method moves one attribute.
#[derive(Clone)]
pub(crate) enum Walk {
    /// Along a straight line.
    Line {
        boundary: Arc<Boundary>,
        direction: Direction,
        /// The length of a unit: the deviation of the samples along the direction, negative if the target falls along it.
        unit: f64,
    },
    /// To a target score, with other attributes held.
    Search {
        attribute: String,
        held: Vec<String>,
        along: Along,
    },
}

impl Walk {
    /// Whether each face takes a search with many images.
    pub(crate) fn is_search(&self) -> bool {
        matches!(self, Self::Search { .. })
    }

    /// How many images the walk of a face is counted as.
    pub(crate) fn images(&self) -> usize {
        match self {
            Self::Line { .. } => LINE_IMAGES,
            Self::Search { .. } => SEARCH_WALK_IMAGES,
        }
    }

    /// The codes of a face on its way, without its own.
    ///
    /// # Errors
    /// [`EditorError`] if a code leaves the range of single precision, or a network fails.
    pub(crate) async fn stations(
        &self,
        model: &Model,
        face: &LatentCode,
        target: &MovedAttribute,
    ) -> Result<Vec<LatentCode>, EditorError> {
        match self {
            Self::Line { .. } => {
                let part = |station: usize| REACH * share(station, STATIONS);
                let stations = (1..=STATIONS).map(|station| self.on_line(face, target.sign * part(station)));
                stations.collect()
            }
            Self::Search {
                attribute,
                held,
                along,
            } => {
                let mut codes = Vec::new();
                for change in SEARCHED {
                    codes.push(searched(model, face, target, (attribute, held, *along), change).await?);
                }
                Ok(codes)
            }
        }
    }

    /// The face moved by `units` along the line.
    ///
    /// # Errors
    /// [`EditorError`] if a code leaves the range of single precision.
    pub(crate) fn on_line(&self, face: &LatentCode, units: f64) -> Result<LatentCode, EditorError> {
        let Self::Line {
            boundary,
            direction,
            unit,
        } = self
        else {
            return Ok(face.clone());
        };
        let amount = Amount::By(units * unit);
        let edit = Edit::new(Arc::clone(boundary), direction.clone(), amount)?;
        Ok(apply(face, &[edit], None)?)
    }
}

/// The face with a target score that is `change` deviations from its own.
async fn searched(
    model: &Model,
    face: &LatentCode,
    target: &MovedAttribute,
    (attribute, held, along): (&str, &[String], Along),
    change: f64,
) -> Result<LatentCode, EditorError> {
    let linear = target.before + target.sign * change * target.deviation;
    let score = match target.kind {
        OutputKind::Value => linear,
        OutputKind::Logit | OutputKind::Probability => {
            let probability = 1.0 / (1.0 + (-linear).exp());
            probability.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
        }
    };
    let request = EditRequest {
        source: FaceSource::Latent(face.clone()),
        space: Some(face.space()),
        truncation: TruncationChoice::default(),
        steps: vec![EditStep {
            attribute: attribute.to_owned(),
            amount: None,
            score: Some(score),
            layers: None,
        }],
        along,
        unit: Unit::default(),
        conditions: held.to_vec(),
        layers: None,
        series: None,
        with_comparison: false,
    };
    let mut renderer = Renderer::background(model);
    if along == Along::Gradient {
        let mut edit = gradient_edit(&mut renderer, &request, face).await?;
        return Ok(edit.codes.swap_remove(0));
    }
    let edits = plan_edits(model, &request, face.space()).await?;
    let search = ScoreSearch::new(&mut renderer, &request, &edits, face)?;
    Ok(search.run().await?.0)
}
