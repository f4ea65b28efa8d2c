"""Hair, behind the head and in front of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .head import Head
from .shapes import coverage, graph, ramp, rounded_box


@dataclass
class Hair:
    """Coverages of the hair, back and front, and of its highlights and shades."""

    back: Tensor
    front: Tensor
    shine: Tensor
    shade: Tensor


def hair(t: dict[str, Tensor], h: Head) -> Hair:
    """The hair of one head."""
    bumps = (h.u * 23.0 + 1.0).sin() * (h.v * 19.0).sin()
    ripple = (h.v * 16.0 + h.u * 5.0).sin()
    texture = (bumps * (t["curl"] * 2.0) + ripple * (t["wave"] * 0.8)) * (h.v * 1.2 + 0.85).clamp(0.25, 1.0)

    # The cap follows the skull at a distance: more above, less at the sides.
    above = ramp(h.v, 0.05, -0.45)
    cap = h.outline - (t["sides"] + (t["top"] - t["sides"]) * above) - texture * 0.7

    # The mane hangs from the crown to its length, wider below.
    back_u = h.u + t["yaw"].sin() * 0.05
    bottom = t["length"] + texture
    middle = (bottom - 0.25) * 0.5
    tall = (bottom + 0.25) * 0.5
    wide = (
        t["half_width"]
        + t["sides"]
        + t["flare"] * (h.v * 2.0).clamp(-0.5, 1.6)
        + texture * 0.8
        - 0.05 * (1.0 - t["long_haired"])
    )
    mane = rounded_box(back_u, h.v - middle, wide, tall, 0.12)
    nape = torch.maximum(cap, h.v - 0.08 - 0.1 * t["long_haired"])
    behind = torch.minimum(nape, mane)

    # The hairline: an arch that peaks at the parting, or a fringe; it falls to the temples and, in long hair,
    # into locks beside the face.
    q = h.across.clamp(-1.25, 1.25)
    parted = q - t["part"]
    arch = (parted * parted + 0.012).sqrt()
    square = q * q
    fourth = square * square
    eighth = fourth * fourth
    # Strands run out from the crown and then straight down.
    fan = parted / (h.v + 0.78).clamp(0.24, 0.80)
    broad = (fan * 5.3 + ripple * 0.5 + 0.6).sin()
    strands = broad * (0.55 + 0.45 * (fan * 12.7 + broad * 1.4).sin())
    rise = t["recede"] + t["curtain"]
    fall = 0.20 + 0.5 * t["locks"]
    line = t["hairline"] + t["sweep"] * q + rise * arch + fall * eighth - strands * t["fringed"] * 0.010
    slope = (t["sweep"] + rise * parted / arch + 8.0 * fall * fourth * square * q) / t["half_width"]
    before = graph(h.v - line, slope)
    lowest = h.v - t["length"].clamp(min=0.03) - texture
    front = torch.maximum(torch.maximum(torch.minimum(cap, mane), before), lowest)

    # A soft band of light round the crown on the lit side, light and dark strands, and shade where hair meets face.
    band_y = h.v + 0.40 - 0.16 * square
    band = (1.0 - (band_y * 9.0) ** 2).clamp(min=0.0) * (1.0 + t["light"] * 0.9 * q).clamp(0.1, 1.8)
    grown = ramp(h.v, -0.62, -0.30)
    shine = (band * 0.34 + (strands - 0.1).clamp(min=0.0) * 0.16 * grown) * (1.0 - 0.35 * square).clamp(min=0.0)
    shade = (
        (-strands - 0.1).clamp(min=0.0) * 0.20 * grown + ramp(before, -0.09, 0.0) * 0.30 + ramp(cap, -0.05, 0.0) * 0.22
    )
    cover = coverage(front, h.pixel)
    return Hair(coverage(behind, h.pixel), cover, cover * shine, cover * shade.clamp(max=0.8))
