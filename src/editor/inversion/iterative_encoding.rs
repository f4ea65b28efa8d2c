//! Iterative encoding: the encoder's code, improved by encoding its own reconstructions.

use std::time::Instant;

use ndarray::Zip;

use crate::editor::EditorError;
use crate::editor::blocking::run_blocking;
use crate::editor::inversion::encoding::encode;
use crate::editor::inversion::start_code::StartCode;
use crate::editor::rendering::renderer::Renderer;
use crate::engine::Images;
use crate::latent::LatentCode;

/// Most reconstructions that are synthesized and compared with the target.
pub(crate) const MOST_ROUNDS: usize = 12;
/// The share of the remaining error, as the encoder sees it, that one round corrects.
const GAIN: f32 = 0.7;
/// Rounds without a better reconstruction after which the iteration ends.
const MOST_ROUNDS_WITHOUT_GAIN: usize = 4;

/// Finds a code with a reconstruction that the encoder encodes like `target`, `[1, 3, height, width]`.
///
/// An encoder makes about the same mistakes on an image and on its reconstruction. So the difference between its two codes
/// tells how the code has to change. Each round adds a share of that difference, and costs one synthesis and one run of the
/// encoder, which is much less than a step of gradient descent. The result starts at the code with the smallest square
/// error of its reconstruction; its anchor is the encoder's own code of the target.
///
/// # Errors
/// [`EditorError`] if a network fails, or a code is not finite.
pub(crate) async fn iterative_encoding(
    renderer: &mut Renderer<'_>,
    target: &Images,
    deadline: Option<Instant>,
) -> Result<StartCode, EditorError> {
    let model = renderer.model();
    let anchor = encode(model, &mut renderer.admission, target.clone()).await?;
    let (mut code, mut best) = (anchor.clone(), (f64::INFINITY, anchor.clone()));
    let mut rounds_without_gain = 0;
    for round in 1..=MOST_ROUNDS {
        let (reconstruction, error) = reconstruct(renderer, &code, target).await?;
        if error < best.0 {
            (best, rounds_without_gain) = ((error, code.clone()), 0);
        } else {
            rounds_without_gain += 1;
        }
        let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if round == MOST_ROUNDS || rounds_without_gain == MOST_ROUNDS_WITHOUT_GAIN || is_late {
            break;
        }
        let encoded = encode(model, &mut renderer.admission, reconstruction).await?;
        let difference = anchor.values() - encoded.values();
        let improved = LatentCode::new(code.space(), code.values() + &(GAIN * difference));
        code = improved.map_err(EditorError::computed("iterative encoding"))?;
    }
    Ok(StartCode { code: best.1, anchor })
}

/// The image of a code, `[1, 3, height, width]`, limited to the range of pixels, and its square error to the target.
async fn reconstruct(
    renderer: &mut Renderer<'_>,
    code: &LatentCode,
    target: &Images,
) -> Result<(Images, f64), EditorError> {
    let images = renderer.synthesize(std::slice::from_ref(code)).await?;
    let range = renderer.model().generator().image_range;
    let (black, white, target) = (range.black(), range.white(), target.clone());
    let compare = move || {
        let reconstruction = images.mapv(|value| value.clamp(black, white)).into_shared();
        let error = square_error(&reconstruction, &target);
        (reconstruction, error)
    };
    Ok(run_blocking(compare).await)
}

fn square_error(one: &Images, other: &Images) -> f64 {
    let pairs = Zip::from(one).and(other);
    pairs.fold(0.0, |sum, &a, &b| sum + f64::from((a - b) * (a - b)))
}
