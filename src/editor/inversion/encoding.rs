//! The encoder's code of an image.

use ndarray::{Axis, aview1};

use crate::editor::{EditorError, Model};
use crate::engine::{Admission, Images};
use crate::latent::{LatentCode, LatentSpace};

/// The space of the encoder's codes. Without an encoder, the space of the mean code.
pub(crate) fn encoder_space(model: &Model) -> LatentSpace {
    let entry = model.inversion().encoder.as_ref();
    entry.map_or_else(|| model.mean_code().space(), |entry| entry.space)
}

/// The encoder's code of one image `[1, 3, height, width]`. If the encoder gives differences from the mean w code, the
/// mean is added.
///
/// # Errors
/// [`EditorError`] if the encoder fails, or the code is not finite.
pub(crate) async fn encode(
    model: &Model,
    admission: &mut Admission,
    image: Images,
) -> Result<LatentCode, EditorError> {
    let mut values = admission.encode(image).await?.index_axis_move(Axis(0), 0);
    let leaves_out_mean =
        |entry: &&crate::catalog::EncoderEntry| !entry.adds_w_avg && entry.space != LatentSpace::Z;
    let entry = model.inversion().encoder.as_ref().filter(leaves_out_mean);
    if let (Some(_), Some(mean)) = (entry, &model.generator().mean) {
        for mut row in values.outer_iter_mut() {
            row += &aview1(&mean.w_avg);
        }
    }
    let code = LatentCode::new(encoder_space(model), values);
    code.map_err(EditorError::computed("the encoder"))
}
