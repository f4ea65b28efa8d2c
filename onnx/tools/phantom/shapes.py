"""Signed distances to shapes, negative inside, and the coverage of pixels that makes their edges one pixel wide."""

import torch
from torch import Tensor


def coverage(distance: Tensor, width: Tensor | float) -> Tensor:
    """1 inside, 0 outside, a linear ramp of the given width (one pixel for a crisp edge) across the border."""
    return (0.5 - distance / width).clamp(0.0, 1.0)


def ramp(value: Tensor, start: Tensor | float, end: Tensor | float) -> Tensor:
    """Smoothstep: 0 at start, 1 at end."""
    t = ((value - start) / (end - start)).clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def glow(x: Tensor, y: Tensor, radius_x: Tensor | float, radius_y: Tensor | float) -> Tensor:
    """A soft round spot: 1 at the centre, 0 from the radius on."""
    a, b = x / radius_x, y / radius_y
    inside = (1.0 - a * a - b * b).clamp(min=0.0)
    return inside * inside


def circle(x: Tensor, y: Tensor, radius: Tensor | float) -> Tensor:
    """Distance to a circle about the origin."""
    return (x * x + y * y).sqrt() - radius


def ellipse(x: Tensor, y: Tensor, radius_x: Tensor | float, radius_y: Tensor | float) -> Tensor:
    """First-order distance to an ellipse about the origin."""
    a, b = x / radius_x, y / radius_y
    norm = (a * a + b * b).sqrt()
    a, b = a / radius_x, b / radius_y
    return norm * (norm - 1.0) / ((a * a + b * b).sqrt() + 1e-4)


def rounded_box(x: Tensor, y: Tensor, half_x: Tensor | float, half_y: Tensor | float, radius: Tensor | float) -> Tensor:
    """Distance to a box with rounded corners about the origin."""
    a, b = x.abs() - (half_x - radius), y.abs() - (half_y - radius)
    p, q = a.clamp(min=0.0), b.clamp(min=0.0)
    return (p * p + q * q).sqrt() + torch.maximum(a, b).clamp(max=0.0) - radius


def graph(height: Tensor, slope: Tensor) -> Tensor:
    """Distance to a curve y = f(x), from y - f(x) and f'(x)."""
    return height / (1.0 + slope * slope).sqrt()
