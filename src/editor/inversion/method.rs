//! The inversion methods, and which of them a model supports.

use crate::engine::Engine;

/// How the code of an image is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InversionMethod {
    /// The encoder's code.
    Encoder,
    /// Gradient descent from the mean code, or from several codes.
    Optimize,
    /// Iterative encoding, then gradient descent from its result.
    Refine,
}

impl std::fmt::Display for InversionMethod {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Encoder => "encoder",
            Self::Optimize => "optimize",
            Self::Refine => "refine",
        })
    }
}

impl InversionMethod {
    /// The methods that a model's networks support, the best first.
    pub(crate) fn supported(engine: &Engine) -> &'static [Self] {
        match (engine.has_encoder(), engine.has_gradient()) {
            (true, true) => &[Self::Refine, Self::Encoder, Self::Optimize],
            (true, false) => &[Self::Encoder],
            (false, true) => &[Self::Optimize],
            (false, false) => &[],
        }
    }

    /// The patience of optimizations that name none, in steps. Adam crosses flat parts of the loss, so it needs more.
    /// Measured: see benches/README.md.
    pub(crate) fn patience(self) -> usize {
        match self {
            Self::Optimize => 20,
            Self::Refine | Self::Encoder => 10,
        }
    }

    /// The manifest's tables that a model without any supported method, or without `self`, has to add.
    pub(crate) fn missing(engine: &Engine) -> &'static str {
        match (engine.has_encoder(), engine.has_gradient()) {
            (false, false) => "an [encoder] and a [gradient]",
            (false, true) => "an [encoder]",
            (true, _) => "a [gradient]",
        }
    }
}
