"""Head coordinates, the outline of the head, and the positions of features under yaw and pitch."""

from dataclasses import dataclass

import torch
from torch import Tensor

DEPTH = 0.40
"""The radius, in head units, of the upright cylinder that carries the features."""


@dataclass
class Head:
    """The head coordinates of every pixel, and the signed distance to the outline."""

    u: Tensor
    v: Tensor
    outline: Tensor
    pixel: Tensor
    across: Tensor
    """Horizontal position in half widths of the face, from -1 to 1 between the sides of the outline."""


def head(t: dict[str, Tensor], x: Tensor, y: Tensor, size: int) -> Head:
    """Head coordinates (u to the right, v down, eye line 0) of every pixel, and the signed distance to the outline."""
    inverse = 1.0 / t["scale"]
    cosine, sine = t["roll"].cos() * inverse, t["roll"].sin() * inverse
    dx, dy = x - t["centre_x"], y - t["centre_y"]
    u, v = dx * cosine + dy * sine, dy * cosine - dx * sine
    half = t["half_width"]
    lower = v > 0
    low, up = 1.0 / t["chin"], 1.0 / t["crown"]
    reach = torch.where(lower, low, up)
    below = torch.where(lower, 1.0, 0.0)
    # The chin leads the turn of the head, the crown hardly moves.
    turn = t["yaw"].sin()
    across = (u - turn * 0.055 - turn * 0.09 * v) / half
    down = v * reach
    height = down * down
    square = height.clamp(max=1.6)
    rest = square * (1.0 - square)
    cheek = below * (t["cheek"] - 0.12) + 0.12
    jaw = below * t["jaw"]
    field = across * across + height - rest * (cheek + jaw * square) - 1.0
    steep = 1.0 - cheek * (1.0 - 2.0 * square) - jaw * (2.0 * square - 3.0 * square * square)
    slope_u, slope_v = across / half, down * reach * steep
    outline = field / (2.0 * (slope_u * slope_u + slope_v * slope_v).sqrt() + 0.02)
    return Head(u, v, outline, 2.0 / size * inverse, across)


@dataclass
class Pair:
    """One folded coordinate system for two mirrored features, left and right."""

    x: Tensor
    """Distance outwards from the feature, without foreshortening; positive away from the nose."""
    middle: Tensor
    right: Tensor
    """True to the right of the middle, as the image shows it."""


def pair(t: dict[str, Tensor], u: Tensor, distance: Tensor, radius: float = DEPTH) -> Pair:
    """Folded coordinates of two features at the given distance from the middle of a face in front view."""
    sine = distance / radius
    cosine = (1.0 - sine * sine).sqrt()
    turn_sine, turn_cosine = t["yaw"].sin(), t["yaw"].cos()
    # sin and cos of the features' angles after the turn
    right_x = radius * (sine * turn_cosine + cosine * turn_sine)
    left_x = radius * (cosine * turn_sine - sine * turn_cosine)
    right_scale = (cosine * turn_cosine - sine * turn_sine) / cosine
    left_scale = (cosine * turn_cosine + sine * turn_sine) / cosine
    middle = 0.5 * (right_x + left_x)
    half = 0.5 * (right_x - left_x)
    offset = u - middle
    right = offset > 0
    inverse = torch.where(right, 1.0 / right_scale.clamp(min=0.35), 1.0 / left_scale.clamp(min=0.35))
    return Pair((offset.abs() - half) * inverse, middle, right)


def drop(t: dict[str, Tensor], depth: float) -> Tensor:
    """How far pitch lowers a feature at that depth in front of the head's axis."""
    return t["pitch"] * depth
