//! Nearer to a picture than one look brings the encoder, without a gradient.

use std::time::Instant;

use ndarray::Zip;

use crate::editor::inversion::invert::off_the_async_threads;
use crate::editor::inversion::optimization::Start;
use crate::editor::{EditorError, Model};
use crate::engine::{Admission, Images};
use crate::latent::LatentCode;

/// Looks at what the last code draws.
const LOOKS: usize = 12;
/// The share of what is still amiss, by the encoder, that a look sets right.
const GAIN: f32 = 0.7;
/// Looks without a nearer picture after which there is no further one.
const PATIENCE: usize = 4;

impl Model {
    /// A code whose picture the encoder takes for the target.
    ///
    /// What an encoder misses or mistakes in the target it misses in a picture like it too, so the difference of its two
    /// answers says how the codes differ: a share of it is added to the code, and that drawn and looked at again. Each look costs a synthesis and
    /// an encoder's run, much less than a step down the loss. The start is the code that drew nearest, the encoder's own answer if
    /// none came nearer; that answer is the anchor.
    pub(crate) async fn approached(
        &self,
        admission: &mut Admission,
        target: &Images,
        until: Option<Instant>,
    ) -> Result<Start, EditorError> {
        let wanted = self.encoded(admission, target.clone()).await?;
        let (mut code, mut nearest) = (wanted.clone(), (f64::INFINITY, wanted.clone()));
        let mut since = 0;
        for look in 1..=LOOKS {
            let (drawn, apart) = self.drawn(admission, &code, target).await?;
            if apart < nearest.0 {
                (nearest, since) = ((apart, code.clone()), 0);
            } else {
                since += 1;
            }
            if look == LOOKS || since == PATIENCE || until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            let seen = self.encoded(admission, drawn).await?;
            let amiss = wanted.values().to_owned() - seen.values();
            code = LatentCode::new(code.space(), code.values().to_owned() + GAIN * amiss)?;
        }
        Ok(Start {
            code: nearest.1,
            anchor: wanted,
        })
    }

    /// What a code draws, `[1, 3, height, width]`, blacks and whites held as in a picture, and how far that is from the target.
    async fn drawn(
        &self,
        admission: &mut Admission,
        code: &LatentCode,
        target: &Images,
    ) -> Result<(Images, f64), EditorError> {
        let input = self
            .synthesis_input(admission, std::slice::from_ref(code), None)
            .await?;
        let (images, target) = (admission.synthesize(input).await?, target.clone());
        let (black, white) = (self.image_range.black(), self.image_range.white());
        off_the_async_threads(move || {
            let drawn = images.mapv(|value| value.clamp(black, white)).into_shared();
            let apart = square_distance(&drawn, &target);
            Ok((drawn, apart))
        })
        .await
    }
}

fn square_distance(one: &Images, other: &Images) -> f64 {
    Zip::from(one)
        .and(other)
        .fold(0.0, |sum, &a, &b| sum + f64::from((a - b) * (a - b)))
}
