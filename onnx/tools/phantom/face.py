"""The features of the face: eyes, brows, nose, mouth, marks of age, and beard."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .canvas import Layers
from .head import DEPTH, Head, drop, pair
from .shapes import circle, coverage, ellipse, glow, ramp


@dataclass
class Complexion:
    """The colours [batch, 3] of the features."""

    shade: Tensor
    deep: Tensor
    glow: Tensor
    flush: Tensor
    lip: Tensor
    lip_dark: Tensor
    brow: Tensor
    beard: Tensor
    iris: Tensor
    iris_dark: Tensor
    black: Tensor
    white: Tensor
    sclera: Tensor
    wine: Tensor
    tongue: Tensor


def cheeks(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion, face: Tensor) -> None:
    """Blush and freckles on the cheeks."""
    p = pair(t, h.u, torch.full_like(t["yaw"], 0.195))
    y = h.v - drop(t, 0.36) - 0.155
    spot = glow(p.x, y, 0.17, 0.15) * face
    paint.paint(spot * t["blush"], c.flush)
    # Freckles are the crests of two crossed waves, so no random dots are needed.
    crests = ((h.u * 97.0 + h.v * 41.0).sin() * (h.v * 103.0 - h.u * 37.0).sin() - 0.62) * 3.0
    spread = glow(h.across * 0.3, y + 0.03, 0.30, 0.13)
    paint.paint(crests.clamp(0.0, 1.0) * spread * face * (t["freckled"] * 0.55), c.deep)


def eyes(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion) -> None:
    """Whites, irises, lids, lashes and brows of both eyes."""
    p = pair(t, h.u, t["eye_distance"])
    x = p.x
    y = h.v - drop(t, 0.37) + x * t["eye_tilt"]
    half = t["eye_half"]
    hump = 1.0 - (x / half) ** 2
    # The lids' curves flatten outside the corners.
    lid = hump.clamp(min=-0.35)
    upper = -y - t["upper_lid"] * lid
    lower = y - t["lower_lid"] * lid

    # Soft socket shade above, and the bag below that grows with age.
    paint.paint(glow(x + 0.01, y + 0.055, half * 1.35, 0.075) * 0.22, c.shade)
    bag = y - t["lower_lid"] * lid * 1.1 - 0.026
    paint.paint(glow(x, bag, half * 0.95, 0.016) * t["bags"], c.deep)

    opening = coverage(torch.maximum(torch.maximum(upper, lower), x.abs() - half), h.pixel)
    paint.paint(opening, c.sclera)
    paint.paint(opening * ramp(upper, -0.030, 0.004) * 0.35, c.shade)
    gaze = torch.where(p.right, t["gaze"], -t["gaze"])
    ix, iy = x - gaze, y + 0.008 - drop(t, 0.02)
    distance = (ix * ix + iy * iy).sqrt()
    paint.paint(opening * coverage(distance - t["iris"], h.pixel), c.iris_dark)
    paint.paint(opening * coverage(distance - t["iris"] * 0.84, h.pixel * 1.6), c.iris)
    paint.paint(opening * coverage(distance - t["iris"] * 0.44, h.pixel), c.black)
    side = torch.where(p.right, 1.0, -1.0)
    spark = circle(ix - side * (t["light"] * 0.010), iy + 0.015, 0.0105)
    paint.paint(opening * coverage(spark, h.pixel), c.white)

    # Upper lashes: a stroke that thickens outwards and may end in a wing; a crease above, a faint lower lid.
    out = (x / half).clamp(-1.2, 1.6)
    beyond = (x - half * 0.72).clamp(min=0.0)
    stroke = (upper - beyond * t["wing"]).abs() - t["lash"] * (
        0.85 + 0.35 * out - 1.0 * (out - 1.0).clamp(min=0.0) * 1.6
    )
    stroke = torch.maximum(stroke, x.abs() - half * (1.03 + 0.40 * t["wing"] * ramp(out, 0.0, 1.0)))
    paint.paint(coverage(stroke, h.pixel), c.black)
    crease = (upper - 0.022).abs() - 0.0035
    crease = torch.maximum(crease, x.abs() - half * 0.9)
    paint.paint(coverage(crease, h.pixel * 1.3) * t["crease"], c.deep)
    under = torch.maximum((lower - 0.002).abs() - 0.003, (x - 0.01).abs() - half * 0.8)
    paint.paint(coverage(under, h.pixel * 1.2) * 0.45, c.deep)

    # Crow's feet: three rays beyond the outer corner.
    cx, cy = x - half * 1.22, y + 0.004
    rays = ((cy / (cx.clamp(min=0.0) + 0.035)) * 7.5).cos()
    window = glow(cx - 0.035, cy, 0.045, 0.045)
    paint.paint(((rays - 0.72) * 5.0).clamp(0.0, 1.0) * window * t["crows"] * 1.5, c.deep)

    # Brows: an arched stroke, full near the nose and tapered outwards.
    bx = x + 0.004
    r = bx / (half * 1.18)
    arch = t["brow_height"] + t["brow_arch"] * (0.30 * r + 0.50 - 0.80 * r * r)
    by = h.v - drop(t, 0.38) + arch + bx * t["eye_tilt"] * 0.6
    taper = t["brow_weight"] * (1.05 - 0.40 * r - 0.50 * r * r)
    brow = torch.maximum(by.abs() - taper, bx.abs() - half * 1.2)
    paint.paint(coverage(brow, h.pixel * 1.8) * 0.92, c.brow)


def nose(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion) -> None:
    """A shaded side, a lit ridge and tip, nostrils and wings."""
    turn = t["yaw"].sin()
    end = t["nose_end"] + drop(t, 0.52)
    root = drop(t, 0.38) - 0.06
    s = (h.v - root) / (end - root)
    ridge = turn * (DEPTH + 0.01 + 0.07 * s.clamp(0.0, 1.0))
    nx = h.u - ridge
    ny = h.v - end
    half = t["nose_half"]
    # The side away from the light, and from the turn.
    away = -(t["light"] * 1.2 + turn * 2.2)
    flank = away / (1.0 + away * away).sqrt()
    length = (s * (1.05 - s) * 4.0).clamp(min=0.0)
    width = half * (0.35 + 0.75 * s.clamp(0.0, 1.1))
    band = (1.0 - ((nx - flank * width * 0.75) / (width * 0.75)) ** 2).clamp(min=0.0)
    paint.paint(band * length.clamp(max=1.0) * (flank * flank) * t["nose_bridge"], c.shade)
    paint.paint(glow(nx, ny - 0.012, half * 1.35, 0.042) * 0.50, c.shade)
    paint.paint(glow(nx, ny + 0.035, half * 0.62, 0.040) * 0.30, c.glow)
    paint.paint(glow(nx + flank * 0.010, (s - 0.45) * 0.2, 0.030, 0.09) * 0.20, c.glow)
    fx = (nx + turn * 0.010).abs()
    nostril = ellipse(fx - half * 0.45, ny + 0.004 - (fx - half * 0.45) * 0.35, half * 0.24, 0.0085)
    paint.paint(coverage(nostril, h.pixel * 1.3) * 0.72, c.deep)
    wing = torch.maximum((circle(fx - half * 0.52, ny + 0.016, half * 0.46)).abs() - 0.0035, half * 0.80 - fx)
    paint.paint(coverage(wing, h.pixel * 1.4) * 0.50, c.deep)


def mouth(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion) -> None:
    """Lips, and teeth where the smile opens them; the folds beside."""
    turn = t["yaw"].sin()
    mx = turn * (DEPTH + 0.015)
    my = t["mouth_y"] + drop(t, 0.47)
    half = t["mouth_half"] * (1.0 - 0.30 * turn * turn)
    q = (h.u - mx) / half
    # The far half is foreshortened.
    q = q * (1.0 + 0.45 * turn * q.clamp(-1.2, 1.2))
    square = q * q
    hump = 1.0 - square
    inside = hump.clamp(min=0.0)
    bend = t["smile"] * (square.clamp(max=1.6) - 0.55) * 1.15
    y = h.v - my + bend
    open_mouth = (t["laughing"] * 0.040 + t["gap"] * 0.7 + t["laughing"] * t["gap"]).clamp(max=0.075)
    gap = open_mouth * inside
    bow = 1.0 - 0.35 * (1.0 - (square * 7.0).clamp(max=1.0))
    upper_edge = -(t["upper_lip"] * hump * bow) - gap * 0.20
    lower_edge = t["lower_lip"] * hump + gap * 0.80
    lips = torch.maximum(torch.maximum(upper_edge - y, y - lower_edge), (q.abs() - 1.0) * half)
    # Shade under the lower lip.
    paint.paint(glow(q * 0.7, (y - t["lower_lip"] - open_mouth * 0.8 - 0.020), 0.55, 0.028) * 0.40, c.shade)
    paint.paint(coverage(lips, h.pixel) * (0.35 + 0.6 * t["lip_red"]), c.lip)
    paint.paint(coverage(torch.maximum(lips, y), h.pixel) * 0.22, c.lip_dark)
    shine = glow(q - t["light"] * 0.15, (y - gap * 0.8 - t["lower_lip"] * 0.45), 0.42, 0.011)
    paint.paint(shine * (0.15 + 0.4 * t["lip_red"]), c.white)
    cavity = torch.maximum(-gap * 0.20 - y, y - gap * 0.80)
    hole = coverage(torch.maximum(cavity, (q.abs() - 0.97) * half), h.pixel) * (open_mouth * 200.0 - 0.6).clamp(
        0.0, 1.0
    )
    paint.paint(hole, c.wine)
    paint.paint(hole * glow(q, y - open_mouth * 0.9, 0.6, 0.030) * 0.9, c.tongue)
    teeth = coverage(y - (gap * 0.34 + 0.002), h.pixel) * hole * coverage((q.abs() - 0.90) * half, h.pixel)
    paint.paint(teeth, c.sclera)
    # The line between closed lips, with corners.
    line = torch.maximum(y.abs() - 0.0042 - 0.002 * square, (q.abs() - 1.06) * half)
    shut = 1.0 - (open_mouth * 120.0 - 0.4).clamp(0.0, 1.0)
    paint.paint(coverage(line, h.pixel) * (0.25 + 0.55 * shut) * (1.0 - hole), c.lip_dark)
    corner = glow(q.abs() - 1.05, y, 0.10, 0.016)
    paint.paint(corner * 0.45, c.deep)

    # Nasolabial folds, from the wings of the nose past the corners.
    top = t["nose_end"] + drop(t, 0.50) - 0.03
    fy = (h.v - top) / (my + 0.03 - top)
    fx = (h.u - mx).abs()
    reach = t["nose_half"] * 1.25 + (half * 1.22 - t["nose_half"] * 1.25) * (fy * (1.6 - 0.6 * fy))
    crease = (fx - reach).abs() - 0.004
    span = (fy * (1.0 - fy) * 4.0).clamp(min=0.0)
    paint.paint(coverage(crease, 0.016) * span * t["folds"], c.deep)


def forehead(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion) -> None:
    """Three lines across the forehead."""
    turn = t["yaw"].sin()
    y = h.v - drop(t, 0.36) + 0.245
    x = h.u - turn * DEPTH
    waves = ((y - x * x * 0.25) * 130.0).cos()
    window = glow(x, y, 0.24, 0.075)
    paint.paint(((waves - 0.55) * 3.0).clamp(0.0, 1.0) * window * (t["forehead_lines"] * 1.1), c.deep)


def beard(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion, face: Tensor) -> None:
    """Stubble on every male chin and a full beard on some, from the nose around the mouth to the ears."""
    turn = t["yaw"].sin()
    y = h.v - drop(t, 0.44)
    q = h.across - turn * 0.55 * (1.0 - h.across * h.across).clamp(min=0.0)
    square = q * q
    line = t["nose_end"] + 0.035 + square * (0.42 - 0.62 * square)
    bare = ellipse(h.u - turn * (DEPTH + 0.015), y - t["mouth_y"] - 0.006, t["mouth_half"] * 1.06, 0.044)
    region = torch.maximum(line - y, 0.010 - bare)
    paint.paint(coverage(region, 0.07) * face * (t["male"] * t["stubble"]), c.beard)
    full = coverage(region - 0.004, h.pixel * 2.5) * face
    paint.paint(full * (t["male"] * t["bearded"] * 0.93), c.beard)


def spot(t: dict[str, Tensor], h: Head, paint: Layers, c: Complexion) -> None:
    """A beauty spot beside the mouth."""
    x = h.u - t["yaw"].sin() * DEPTH - 0.135
    y = h.v - drop(t, 0.4) - 0.235
    paint.paint(coverage(circle(x, y, 0.0095), h.pixel * 1.5) * (t["spotted"] * 0.85), c.deep)
