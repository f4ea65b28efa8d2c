//! A channel of a style, and what it changes.

/// A channel of a layer's style, with the changes of scores that it causes.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleChannel {
    /// The layer, counted from 0 in the order of the synthesis graph.
    pub layer: usize,
    /// The channel of the layer, counted from 0.
    pub channel: usize,
    /// How far each score changes if the channel moves by a standard deviation of its samples, in standard deviations of the score. The
    /// attribute of the boundary comes first.
    pub effects: Vec<(String, f64)>,
}
