//! Which two faces each frame of an interpolation lies between, and where.

use crate::latent::Easing;

/// A frame: between two of the faces, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The share of the way between the two, below 1.
    pub(crate) share: f64,
}

impl Moment {
    /// Where the frame is: 1.25 is a quarter of the way from face 1 to the next.
    #[expect(clippy::cast_precision_loss, reason = "a response has few faces")]
    pub(crate) fn position(self) -> f64 {
        self.from as f64 + self.share
    }

    /// The face that the frame shows as it is.
    pub(crate) fn key(self) -> Option<usize> {
        (self.share == 0.0).then_some(self.from)
    }
}

/// The moments of `frames` frames through `faces` faces, and in a loop back to the first, which is not repeated at the end.
///
/// Each face has a frame of its own, the one that is nearest to its time. Between two faces, `easing` is the speed.
///
/// # Panics
/// If there are fewer than two faces, or fewer frames than faces.
pub(crate) fn timeline(faces: usize, frames: usize, looped: bool, easing: Easing) -> Vec<Moment> {
    assert!(
        (2..=frames).contains(&faces),
        "the request has a frame for each face"
    );
    let (ways, length) = if looped {
        (faces, frames)
    } else {
        (faces - 1, frames - 1)
    };
    // The frame of each face, and of the return to the first: `way` · `length` / `ways`, rounded half up.
    let frame_of = |way: usize| (2 * way * length + ways) / (2 * ways);
    let mut moments = Vec::with_capacity(frames);
    for way in 0..ways {
        let (first, next) = (frame_of(way), frame_of(way + 1));
        for frame in first..next {
            #[expect(clippy::cast_precision_loss, reason = "a response has few frames")]
            let time = (frame - first) as f64 / (next - first) as f64;
            moments.push(Moment {
                from: way,
                to: (way + 1) % faces,
                share: easing.progress(time),
            });
        }
    }
    if !looped {
        let (from, to) = (faces - 1, faces - 1);
        moments.push(Moment { from, to, share: 0.0 });
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(faces: usize, frames: usize, looped: bool) -> Vec<f64> {
        let moments = timeline(faces, frames, looped, Easing::Linear);
        moments.into_iter().map(Moment::position).collect()
    }

    #[test]
    fn every_face_has_its_frame_and_the_frames_are_as_many_as_asked_for() {
        for faces in 2..9 {
            for frames in faces..40 {
                for looped in [false, true] {
                    let moments = timeline(faces, frames, looped, Easing::EaseInOut);
                    assert_eq!(moments.len(), frames);
                    let keys: Vec<usize> = moments.iter().filter_map(|moment| moment.key()).collect();
                    assert_eq!(keys, (0..faces).collect::<Vec<_>>(), "{faces} {frames} {looped}");
                }
            }
        }
    }

    #[test]
    fn a_loop_ends_before_its_first_face() {
        assert_eq!(positions(2, 4, true), [0.0, 0.5, 1.0, 1.5]);
        assert_eq!(timeline(2, 4, true, Easing::Linear)[3].to, 0);
        assert_eq!(positions(2, 5, false), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(positions(3, 3, true), [0.0, 1.0, 2.0]);
    }
}
