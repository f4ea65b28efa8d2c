//! What is known of a generator's codes and images: the range of its values, its mean code, and where its samples are.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::catalog::{Manifest, ProvenanceEntry};
use crate::editor::LoadError;
use crate::engine::GeneratorShape;
use crate::imaging::ImageRange;
use crate::latent::{CodeMoments, LatentCode, LatentSpace, Truncation};

/// What is known of the generator's codes and images.
#[derive(Clone)]
pub(crate) struct GeneratorSettings {
    /// The image values of black and white.
    pub(crate) image_range: ImageRange,
    /// Whether a sampled z code is scaled to the length √dim.
    pub(crate) rescale_z: bool,
    /// What kind of media its images are.
    pub(crate) provenance: ProvenanceEntry,
    /// The mean w code and the default truncation; `None` if the model cannot truncate.
    pub(crate) mean: Option<Mean>,
    /// The moments of sampled w codes, once they are needed.
    pub(crate) sample_moments: Arc<OnceCell<Arc<CodeMoments>>>,
    /// The styles of sampled faces, once they are needed.
    pub(crate) sample_styles: Arc<OnceCell<Arc<Vec<LatentCode>>>>,
}

/// The mean w code, and the truncation for requests that do not name one.
#[derive(Clone)]
pub(crate) struct Mean {
    pub(crate) w_avg: Arc<[f32]>,
    pub(crate) truncation: Truncation,
}

/// Checks the image range, the truncation and the mean code, which comes with its file.
pub(crate) fn generator_settings(
    file: &str,
    manifest: &Manifest,
    w_avg: Option<(String, Vec<f32>)>,
    shape: &GeneratorShape,
) -> Result<GeneratorSettings, LoadError> {
    let [black, white] = manifest.generator.image_range;
    let image_range = ImageRange::new(black, white).ok_or_else(|| LoadError::Entry {
        file: file.to_owned(),
        key: "generator.image_range",
        reason: format!("found [{black}, {white}], expected black below white, both finite"),
    })?;
    let mean = match (&manifest.truncation, w_avg) {
        (Some(entry), Some((mean_file, w_avg))) => {
            let wrong = LoadError::entry(file, "truncation");
            let truncation = Truncation::new(entry.psi, entry.layers).map_err(wrong)?;
            let (found, expected) = (w_avg.len(), shape.w_dim);
            if found != expected {
                return Err(LoadError::RowLength {
                    file: mean_file,
                    found,
                    expected,
                });
            }
            let wrong = LoadError::entry(file, "truncation");
            let probe = LatentCode::from_row(LatentSpace::W, w_avg.clone());
            probe
                .and_then(|w| truncation.apply(&w, &w_avg, shape.synthesis_rows()))
                .map_err(wrong)?;
            let w_avg = w_avg.into();
            Some(Mean { w_avg, truncation })
        }
        _ => None,
    };
    Ok(GeneratorSettings {
        image_range,
        rescale_z: manifest.generator.rescale_z,
        provenance: manifest.provenance,
        mean,
        sample_moments: Arc::default(),
        sample_styles: Arc::default(),
    })
}
