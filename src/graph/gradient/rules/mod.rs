//! The rules of derivatives, one for each operator.
//!
//! | to find the rule of | look in |
//! | --- | --- |
//! | functions of one element: activations, roots, exponentials | `functions` |
//! | sums, products, the greater and the lesser, choices | `arithmetic` |
//! | sums and means over axes, softmax | `reductions` |
//! | normalization | `normalization` |
//! | other shapes and orders of axes | `axes` |
//! | slices, joined and added parts | `parts` |
//! | convolutions | `convolution` |
//! | pooling | `pooling` |
//! | products of matrices | `products` |
//! | resizing | `resizing` |

mod arithmetic;
mod axes;
mod convolution;
mod functions;
mod normalization;
mod parts;
mod pooling;
mod products;
mod reductions;
mod resizing;

use crate::graph::gradient::step::Rule;

/// The rule of an operator.
pub(crate) fn find(operator: &str) -> Option<Rule> {
    functions::find(operator)
        .or_else(|| arithmetic::find(operator))
        .or_else(|| reductions::find(operator))
        .or_else(|| normalization::find(operator))
        .or_else(|| axes::find(operator))
        .or_else(|| parts::find(operator))
        .or_else(|| convolution::find(operator))
        .or_else(|| pooling::find(operator))
        .or_else(|| products::find(operator))
        .or_else(|| resizing::find(operator))
}

/// Whether the derivative of an operator is 0 wherever it exists.
pub(crate) fn is_flat(operator: &str) -> bool {
    matches!(operator, "Ceil" | "Floor" | "Round" | "Sign")
}
