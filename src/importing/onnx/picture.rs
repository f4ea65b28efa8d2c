//! Pictures of any layout, number of channels and range, as RGB `[batch, 3, height, width]` from −1 to 1.

use crate::graph::edits::Editor;
use crate::graph::{Axis, Model, float_value, integer, integers, scalar};

/// How the pictures of a graph lie in memory, and what their values mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Whether the channels are the last axis.
    channels_last: bool,
    /// The values of black and white, if they are not −1 and 1.
    range: Option<[f32; 2]>,
}

impl Picture {
    /// The pictures of an output, if its shape without the batch is that of a picture with 1, 3 or 4 channels. `values` are the
    /// least and the largest value that were seen; without negative ones, black is 0.
    pub(super) fn of(shape: &[usize], is_integer: bool, values: (f32, f32)) -> Option<Self> {
        let is_channels = |length: usize| matches!(length, 1 | 3 | 4);
        let (channels, height, width, channels_last) = match *shape {
            [channels, height, width] if is_channels(channels) => (channels, height, width, false),
            [height, width, channels] if is_channels(channels) => (channels, height, width, true),
            _ => return None,
        };
        let range = match values {
            _ if is_integer => Some([0.0, 255.0]),
            (least, most) if least >= 0.0 && most <= 1.0 => Some([0.0, 1.0]),
            (least, most) if least >= 0.0 && most > 2.0 => Some([0.0, 255.0]),
            _ => None,
        };
        Some(Self {
            channels,
            height,
            width,
            channels_last,
            range,
        })
    }

    /// What [`simplify`](Self::simplify) changes, in words.
    pub(super) fn changes(self) -> Vec<String> {
        let changes = [
            self.channels_last.then(|| "channels last".to_owned()),
            (self.channels == 1).then(|| "one channel".to_owned()),
            (self.channels == 4).then(|| "four channels, the last one left out".to_owned()),
            self.range
                .map(|[black, white]| format!("pictures from {black} to {white}")),
        ];
        changes.into_iter().flatten().collect()
    }

    /// Makes the tensor `output` of a graph its only output, as `image` `[batch, 3, height, width]` from −1 to 1.
    pub(super) fn simplify(self, model: &mut Model, output: &str, batch: Option<usize>) {
        let mut editor = Editor::new(model);
        let mut image = editor.open_output(output, "image");
        if self.channels_last {
            image = editor.node("Transpose", &[&image], vec![integers("perm", &[0, 3, 1, 2])]);
        }
        if self.channels == 1 {
            image = editor.node(
                "Concat",
                &[&image; 3].map(String::as_str),
                vec![integer("axis", 1)],
            );
        }
        if self.channels == 4 {
            let colours = editor.integers(&[0, 1, 2]);
            image = editor.node("Gather", &[&image, &colours], vec![integer("axis", 1)]);
        }
        if let Some([black, white]) = self.range {
            let scale = editor.constant(&scalar(2.0 / (white - black)));
            let shift = editor.constant(&scalar(-1.0 - 2.0 * black / (white - black)));
            image = editor.node("Mul", &[&image, &scale], vec![]);
            image = editor.node("Add", &[&image, &shift], vec![]);
        }
        let lengths = [3, self.height, self.width].map(Axis::Fixed);
        let batch = batch.map_or_else(Axis::batch, Axis::Fixed);
        let axes: Vec<_> = std::iter::once(batch).chain(lengths).collect();
        editor.output(&image, float_value("image", &axes));
        editor.finish_behind();
    }
}
