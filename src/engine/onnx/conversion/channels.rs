//! The channels of a network's input: their order, range, mean and standard deviation.

use ndarray::{Array4, Axis, CowArray, Ix4, Zip};

use crate::catalog::{ChannelValues, Channels, InputEntry};

/// The weights of red, green and blue in gray, as ITU-R BT.601 defines them. Pillow and `OpenCV` use them too.
const GRAY: [f32; 3] = [0.299, 0.587, 0.114];

/// The channels of a network's input, each a weighted sum of the generator's red, green and blue, plus a constant.
pub(crate) struct ChannelConversion {
    channels: Vec<Channel>,
}

#[derive(PartialEq)]
struct Channel {
    /// Indices of the generator's channels, and their weights.
    sources: Vec<(usize, f32)>,
    shift: f32,
}

impl ChannelConversion {
    /// The conversion from values `[black, white]` to what the manifest describes. What comes in is a sum of `summed` values.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
    pub(crate) fn new(entry: &InputEntry, [black, white]: [f32; 2], summed: usize) -> Self {
        let [input_black, input_white] = entry.range();
        let scale = (input_white - input_black) / (white - black);
        let shift = input_black - black * scale;
        let mean = entry.mean.unwrap_or(ChannelValues::All(0.0));
        let std = entry.std.unwrap_or(ChannelValues::All(1.0));
        let channel = |index: usize, weights: &[(usize, f32)]| {
            let (mean, std) = (mean.of(index), std.of(index));
            let scaled = |&(source, weight): &(usize, f32)| (source, weight * scale / std / summed as f32);
            Channel {
                sources: weights.iter().map(scaled).collect(),
                shift: (shift - mean) / std,
            }
        };
        let one = |(index, source): (usize, usize)| channel(index, &[(source, 1.0)]);
        let channels = match entry.channels {
            Channels::Rgb => [0, 1, 2].into_iter().enumerate().map(one).collect(),
            Channels::Bgr => [2, 1, 0].into_iter().enumerate().map(one).collect(),
            Channels::Gray => vec![channel(0, &GRAY.into_iter().enumerate().collect::<Vec<_>>())],
        };
        Self { channels }
    }

    /// The weights of red, green and blue in each channel, and what is added. The images hold means, not sums of `summed` values.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
    pub(crate) fn weights(&self, summed: usize) -> Vec<([f32; 3], f32)> {
        let weights = |channel: &Channel| {
            let mut weights = [0.0; 3];
            for &(source, weight) in &channel.sources {
                weights[source] = weight * summed as f32;
            }
            (weights, channel.shift)
        };
        self.channels.iter().map(weights).collect()
    }

    /// Converts images. Without a copy if nothing changes.
    pub(crate) fn apply<'a>(&self, images: CowArray<'a, f32, Ix4>) -> CowArray<'a, f32, Ix4> {
        let mut channels = self.channels.iter().enumerate();
        if channels.clone().all(|(index, channel)| channel.is(index)) {
            return images;
        }
        if channels.all(|(index, channel)| matches!(channel.sources[..], [(source, _)] if source == index)) {
            let mut images = images.into_owned();
            for (channel, mut values) in self.channels.iter().zip(images.axis_iter_mut(Axis(1))) {
                let ((_, scale), shift) = (channel.sources[0], channel.shift);
                values.mapv_inplace(|value| value * scale + shift);
            }
            return images.into();
        }
        let (batch, _, height, width) = images.dim();
        let mut converted = Array4::zeros((batch, self.channels.len(), height, width));
        for (channel, mut values) in self.channels.iter().zip(converted.axis_iter_mut(Axis(1))) {
            values.fill(channel.shift);
            for &(source, weight) in &channel.sources {
                let source = images.index_axis(Axis(1), source);
                Zip::from(&mut values)
                    .and(&source)
                    .for_each(|value, source| *value += weight * source);
            }
        }
        converted.into()
    }
}

impl Channel {
    /// Whether the channel is the generator's channel `index`, unchanged.
    fn is(&self, index: usize) -> bool {
        *self
            == Self {
                sources: vec![(index, 1.0)],
                shift: 0.0,
            }
    }
}
