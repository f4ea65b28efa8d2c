"""Clothes, earrings and eyeglasses."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .canvas import Layers
from .head import Head, drop, pair
from .shapes import circle, coverage, ellipse, ramp, rounded_box


@dataclass
class Bust:
    """Neck, shoulders and clothes."""

    skin: Tensor
    cloth: Tensor
    collar: Tensor
    stripes: Tensor
    fold: Tensor


def bust(t: dict[str, Tensor], x: Tensor, y: Tensor, pixel: float) -> Bust:
    """The body below the head, in image coordinates."""
    middle = t["centre_x"] * 0.6 + t["turn"] * 0.4
    top = t["centre_y"] * 0.5 + 0.585
    bx, by = x - middle, y - top
    head_x = t["centre_x"] + t["yaw"].sin() * 0.03 - t["roll"] * 0.35
    lean = (head_x - middle) * (1.0 - by * 3.0).clamp(0.0, 1.0)
    neck_x = bx - lean
    spread = (by + 0.10).clamp(min=0.0)
    neck = (neck_x.abs() - t["neck"] - 1.2 * spread * spread) * 0.92
    neck = torch.maximum(neck, -0.35 - by)

    a = bx / t["shoulders"]
    b = (by - 0.62) / 0.60
    square = a * a
    field = square * (0.35 + 0.65 * square) + b * b
    slope_a, slope_b = a * (0.35 + 1.3 * square) / t["shoulders"], b / 0.60
    torso = (field - 1.0) / (2.0 * (slope_a * slope_a + slope_b * slope_b).sqrt() + 0.05)
    torso = torch.where(by > 0.62, torso.clamp(max=-0.01), torso)

    ox = bx - t["turn"] * 0.8 - lean * 0.5
    crew = ellipse(ox, by + 0.02, t["neck"] + 0.055, 0.135 + 0.02 * t["v_neck"])
    vee = (ox.abs() * 1.55 + by - 0.33) * 0.54
    opening = crew + (vee - crew) * t["v_neck"]
    cloth = torch.maximum(torch.minimum(torso, torch.maximum(neck, -by)), -opening)
    skin = torch.minimum(neck, torso)
    cover = coverage(cloth, pixel)
    band = coverage((opening - 0.028 - 0.016 * t["collared"]).abs() - 0.020 - 0.018 * t["collared"], pixel)
    stripes = coverage((by * 42.0 + square * 3.0).sin() * 0.02 + 0.002, pixel)
    fold = ramp(bx * t["light"] * -1.6 + by * 0.8, 0.15, 1.1)
    return Bust(coverage(skin, pixel), cover, cover * band, cover * stripes * t["striped"], cover * fold)


def glasses(
    t: dict[str, Tensor], h: Head, paint: Layers, frame: Tensor, white: Tensor, dark: Tensor, face: Tensor
) -> None:
    """Eyeglasses in front of the eyes. The soft threshold of their factor fades them in."""
    on = t["wears_glasses"]
    p = pair(t, h.u, t["eye_distance"] + 0.004, 0.44)
    gx, gy = p.x - 0.004, h.v - drop(t, 0.41) - 0.004
    turned = gx * 0.88 + gy * 0.06
    lens = rounded_box(turned, gy - gx * 0.02, t["lens_x"], t["lens_y"], t["lens_round"] * t["lens_y"])
    inside = coverage(lens, h.pixel)
    paint.paint(inside * (on * 0.10), white)
    glint = coverage((gx * 0.85 + gy * 0.5 + 0.035).abs() - 0.016, h.pixel) * inside
    paint.paint(glint * (on * 0.30), white)
    # The frame's shadow on the face, then rim, bridge and temples as one shape.
    rim = lens.abs() - t["frame"] * (1.0 + t["browline"] * (gy * -14.0).clamp(0.0, 1.2))
    inner = p.x + t["lens_x"]
    bridge_y = gy + 0.022 + 6.0 * (h.u - p.middle) ** 2 * 0.4
    bridge = torch.maximum(bridge_y.abs() - t["frame"] * 0.9, inner + 0.012)
    temple_y = gy + 0.030
    temple = torch.maximum(torch.maximum(temple_y.abs() - t["frame"] * 0.85, t["lens_x"] - p.x), h.outline - 0.004)
    shape = torch.minimum(torch.minimum(rim, bridge), temple)
    paint.paint(coverage(shape - 0.004, 0.03) * face * (on * 0.22), dark)
    paint.paint(coverage(shape, h.pixel) * on, frame)
    sheen = coverage(rim + t["frame"] * 0.6, h.pixel) * ramp(gy, 0.0, -0.08)
    paint.paint(sheen * (on * 0.35), white)


def earring(t: dict[str, Tensor], ear_x: Tensor, ear_y: Tensor, pixel: Tensor) -> Tensor:
    """A round stud below the lobe."""
    return coverage(circle(ear_x, ear_y - t["ear"] * 1.18, t["earring"]), pixel) * t["earring_on"]
