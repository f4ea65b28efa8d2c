//! Codes: how a face becomes one in the space asked for.

use ndarray::{Array2, ArrayView1, Axis, concatenate};

use crate::editor::{EditorError, FaceSource, Model, TruncationChoice};
use crate::engine::Admission;
use crate::latent::{LatentCode, LatentSpace, Truncation, sample_z};

/// Largest magnitude of a value in a code that a caller gives, and of an amount to move by or to. Sampled codes lie
/// within about ±5, so this catches slips and still leaves room for any honest experiment.
pub(crate) const FARTHEST: f64 = 1000.0;

impl Model {
    /// Fills a request's truncation in from the manifest.
    pub(crate) fn truncation(&self, choice: TruncationChoice) -> Result<Option<Truncation>, EditorError> {
        let Some(mean) = &self.mean else {
            return match choice {
                TruncationChoice {
                    psi: None,
                    layers: None,
                } => Ok(None),
                _ => Err(EditorError::NoTruncation {
                    model: self.name().to_owned(),
                }),
            };
        };
        let psi = choice.psi.unwrap_or(mean.truncation.psi());
        let truncation = Truncation::new(psi, choice.layers.or(mean.truncation.layers()))?;
        // Wrong layers are an error even where nothing is mapped with them.
        let w_avg = LatentCode::from_row(LatentSpace::W, mean.w_avg.clone())?;
        truncation.apply(&w_avg, &mean.w_avg, self.layers())?;
        Ok(Some(truncation))
    }

    /// The codes of faces in `space`; `None` leaves a code in its own and takes a seed to the default space.
    pub(crate) async fn codes(
        &self,
        admission: &mut Admission,
        sources: &[FaceSource],
        space: Option<LatentSpace>,
        choice: TruncationChoice,
    ) -> Result<Vec<LatentCode>, EditorError> {
        let truncation = self.truncation(choice)?;
        let start = |source| self.start(source, space, choice);
        let started: Vec<(LatentCode, LatentSpace)> = sources.iter().map(start).collect::<Result<_, _>>()?;
        let to_map = |(code, wanted): &(LatentCode, LatentSpace)| {
            code.space() == LatentSpace::Z && *wanted != code.space()
        };
        let z: Vec<LatentCode> = started
            .iter()
            .filter(|pair| to_map(pair))
            .map(|(code, _)| code.clone())
            .collect();
        let mut mapped = self.map(admission, &z, truncation).await?.into_iter();
        let finish = |pair: (LatentCode, LatentSpace)| {
            let mapped =
                to_map(&pair).then(|| mapped.next().expect("every z code that asks for it is mapped"));
            let (code, wanted) = (mapped.unwrap_or(pair.0), pair.1);
            if wanted == LatentSpace::WPlus {
                Ok(code.broadcast(self.layers())?)
            } else {
                Ok(code)
            }
        };
        started.into_iter().map(finish).collect()
    }

    /// A source's own code, checked, and the space that it is wanted in.
    fn start(
        &self,
        source: &FaceSource,
        space: Option<LatentSpace>,
        choice: TruncationChoice,
    ) -> Result<(LatentCode, LatentSpace), EditorError> {
        let (code, wanted) = match source {
            FaceSource::Seed(seed) => {
                let z = sample_z(*seed, self.shape().z_dim, self.rescale_z)?;
                (z, space.unwrap_or_else(|| self.default_space()))
            }
            FaceSource::Latent(code) => {
                self.check(code)?;
                if code.space() != LatentSpace::Z && choice != TruncationChoice::default() {
                    return Err(EditorError::TruncatedLater { found: code.space() });
                }
                (code.clone(), space.unwrap_or(code.space()))
            }
        };
        if self.shape().code_shape(wanted).is_none() {
            return Err(self.no_such_space(wanted));
        }
        // The spaces are ordered as codes pass through them: z, w, w+.
        if code.space() > wanted {
            return Err(EditorError::NoWayBack {
                found: code.space(),
                wanted,
            });
        }
        Ok((code, wanted))
    }

    /// Maps z codes to w (or w+, where only the first layers are truncated).
    pub(crate) async fn map(
        &self,
        admission: &mut Admission,
        codes: &[LatentCode],
        truncation: Option<Truncation>,
    ) -> Result<Vec<LatentCode>, EditorError> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = codes.iter().map(|code| code.values().view()).collect();
        let z: Array2<f32> = concatenate(Axis(0), &rows).expect("z codes have one length");
        let mapped = admission.map(z).await?;
        let truncate = |row: ArrayView1<'_, f32>| {
            let w = LatentCode::from_row(LatentSpace::W, row.to_vec())?;
            match (&self.mean, truncation) {
                (Some(mean), Some(truncation)) => truncation.apply(&w, &mean.w_avg, self.layers()),
                _ => Ok(w),
            }
        };
        Ok(mapped.outer_iter().map(truncate).collect::<Result<_, _>>()?)
    }

    /// Refuses a caller's code that does not fit.
    fn check(&self, code: &LatentCode) -> Result<(), EditorError> {
        let space = code.space();
        let expected = self.code_shape(space)?;
        let found = code.values().dim();
        if found != expected {
            return Err(EditorError::CodeShape {
                model: self.name().to_owned(),
                space,
                found,
                expected,
            });
        }
        match code
            .values()
            .iter()
            .find(|value| f64::from(value.abs()) > FARTHEST)
        {
            None => Ok(()),
            Some(&value) => Err(EditorError::OutOfRange {
                what: format!("a value of the {space} code"),
                found: f64::from(value),
                limit: FARTHEST,
            }),
        }
    }
}
