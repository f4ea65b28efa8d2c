"""The synthesis network: it renders w+ [batch, 8, 64] as a portrait [batch, 3, size, size]."""

import torch
from torch import Tensor, nn

from . import face, wear
from .anatomy import Anatomy
from .canvas import Layers, mix
from .colours import Colours, Scheme
from .factors import INDEX, LAYER_COUNT, LAYER_WIDTH, TRUTH, rotation
from .hair import Hair, hair
from .head import Head, head
from .palette import blend
from .shapes import coverage, ellipse, glow, ramp

WINDOW = (0.1875, 0.875, 0.125, 0.875)
"""Top, bottom, left and right of the part of the image that the features of a face can reach."""


class Factors(nn.Module):
    """Converts w+ [batch, 8, 64] to factors [batch, 64]: each layer gives eight, by its rows of the rotation."""

    def __init__(self) -> None:
        super().__init__()
        blocks = rotation().reshape(LAYER_COUNT, LAYER_WIDTH, -1).transpose(0, 2, 1).copy()
        self.register_buffer("blocks", torch.tensor(blocks, dtype=torch.float32))

    def forward(self, w: Tensor) -> Tensor:
        return (w[:, :, None, :] @ self.blocks).flatten(1)


class Truth(nn.Module):
    """Converts w+ [batch, 8, 64] to the true values [batch, 5] of the five attributes, 0 at the threshold."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = Factors()
        self.register_buffer("columns", torch.tensor([INDEX[name] for name in TRUTH.values()]))

    def forward(self, w: Tensor) -> Tensor:
        return self.factors(w)[:, self.columns]


class Renderer(nn.Module):
    """Renders factors [batch, 64].

    Edges are one pixel of partial coverage and thresholds are soft, so the image is differentiable everywhere.
    """

    def __init__(self, size: int = 256) -> None:
        super().__init__()
        self.size = size
        self.anatomy = Anatomy()
        self.colours = Colours()
        centres = (torch.arange(size, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
        self.register_buffer("x", centres[None, None, None, :])
        self.register_buffer("y", centres[None, None, :, None])
        top, bottom, left, right = (round(edge * size) for edge in WINDOW)
        self.rows, self.columns = slice(top, bottom), slice(left, right)
        self.margin = (left, size - right, top, size - bottom)

    def forward(self, factors: Tensor) -> Tensor:
        t = self.anatomy(factors)
        colours: Scheme = self.colours({name: value[:, :, 0, 0] for name, value in t.items()})
        h = head(t, self.x, self.y, self.size)
        locks = hair(t, h)
        face_cover = coverage(h.outline, h.pixel)
        back = self.back(t, h, locks, colours, face_cover)
        near, near_face = self.near(h), face_cover[:, :, self.rows, self.columns]
        features = self.features(t, near, colours, near_face)
        front = Layers()
        front.paint(locks.front, colours.lock)
        front.paint(locks.shade, colours.lock_dark)
        front.paint(locks.shine * 0.6, colours.lock_light)
        spectacles = Layers()
        wear.glasses(t, near, spectacles, colours.frame, colours.white, colours.skin_deep, near_face)
        return self.composite(t, colours.backdrop, colours.white, (back, features, front, spectacles))

    def near(self, h: Head) -> Head:
        """The head in the window of the features."""
        u, v, outline, across = (part[:, :, self.rows, self.columns] for part in (h.u, h.v, h.outline, h.across))
        return Head(u, v, outline, h.pixel, across)

    def back(self, t: dict[str, Tensor], h: Head, locks: Hair, colours: Scheme, face_cover: Tensor) -> Layers:
        """The layers behind the features: halo, back hair, body, ears, and the face with its light and shade."""
        x, y = self.x, self.y
        body = wear.bust(t, x, y, 2.0 / self.size)
        turn = t["yaw"].sin()
        back = Layers()
        disc = coverage(ellipse(x - t["centre_x"] * 0.5, y + 0.05, t["halo"] + 0.14, t["halo"] + 0.14), 2.0 / self.size)
        back.paint(disc * (t["haloed"] * 0.55), blend(colours.backdrop, colours.white, 0.55))
        back.paint(locks.back, colours.lock_dark)
        back.paint(body.skin, blend(colours.skin, colours.skin_shade, 0.30))
        under = ramp(h.outline, 0.17, -0.02) * body.skin
        back.paint(under * 0.75, colours.skin_shade)
        back.paint(body.cloth, colours.cloth)
        back.paint(body.stripes * 0.75, blend(colours.cloth, colours.white, 0.65))
        back.paint(body.fold * 0.22, colours.cloth * torch.tensor([0.55, 0.5, 0.6]))
        back.paint(
            body.collar * (0.25 + 0.65 * t["collared"]),
            blend(colours.cloth, colours.white, 0.25 + 0.45 * t["collared"][:, :, 0, 0]),
        )
        back.paint(under * body.cloth * 0.25, colours.cloth * 0.5)
        ear_x = (h.u + turn * 0.035).abs() - t["half_width"] - 0.012
        ear_y = h.v - 0.035
        ear = ellipse(ear_x, ear_y + ear_x * 0.2, t["ear"] * 0.56, t["ear"])
        back.paint(coverage(ear, h.pixel), colours.skin)
        inner_ear = ellipse(ear_x + 0.004, ear_y, t["ear"] * 0.30, t["ear"] * 0.62)
        back.paint(coverage(inner_ear, 0.02) * 0.6, colours.skin_shade)
        back.paint(wear.earring(t, ear_x, ear_y, h.pixel), colours.gold)
        back.paint(face_cover, colours.skin)
        # Light comes from one side; form shadow lies on the other side and below.
        lit = h.across * t["light"]
        form = ramp(-lit * 0.9 + h.across * h.across * 0.35 + h.v * 0.25 + h.across * turn * -0.6, 0.22, 0.85)
        back.paint(face_cover * form * 0.62, colours.skin_shade)
        shine = glow(h.across - t["light"] * 0.35 - turn * 0.8, h.v + 0.12, 0.75, 0.36)
        back.paint(shine * face_cover * 0.28, colours.skin_light)
        back.paint(face_cover * ramp(h.outline, -0.03, 0.004) * 0.22, colours.skin_shade)
        return back

    def features(self, t: dict[str, Tensor], near: Head, colours: Scheme, near_face: Tensor) -> Layers:
        """The layers of the features, in their window."""
        c = colours.complexion
        features = Layers()
        face.cheeks(t, near, features, c, near_face)
        face.forehead(t, near, features, c)
        face.beard(t, near, features, c, near_face)
        face.nose(t, near, features, c)
        face.mouth(t, near, features, c)
        face.spot(t, near, features, c)
        face.eyes(t, near, features, c)
        return features

    def composite(
        self, t: dict[str, Tensor], backdrop: Tensor, white: Tensor, layers: tuple[Layers, Layers, Layers, Layers]
    ) -> Tensor:
        """Composites the layers and the backdrop. From front to back: eyeglasses, front hair, features, the rest."""
        back, features, front, spectacles = layers
        rows, columns = self.rows, self.columns
        spectacle_weights, past_spectacles = spectacles.resolve(None)
        front_weights, past_hair = front.resolve(nn.functional.pad(past_spectacles, self.margin, value=1.0))
        feature_weights, rest = features.resolve(past_hair[:, :, rows, columns])
        past_features = past_hair + nn.functional.pad(rest - past_hair[:, :, rows, columns], self.margin)
        back_weights, left_over = back.resolve(past_features)
        sky = left_over * ((self.y + 1.0) * 0.5)
        lamp = left_over * glow(self.x - t["light"] * 0.7, self.y + 0.6, 1.6, 1.6) * 0.5
        weights = [left_over - sky - lamp, sky, lamp, *back_weights, *front_weights]
        hues = [
            backdrop,
            backdrop * torch.tensor([0.82, 0.80, 0.86]),
            blend(backdrop, white, 0.6),
            *back.colours,
            *front.colours,
        ]
        image = mix(weights, hues)
        detail = mix([*feature_weights, *spectacle_weights], [*features.colours, *spectacles.colours])
        image = image + nn.functional.pad(detail, self.margin)
        return (image * 2.0 - 1.0).clamp(-1.0, 1.0)


class Synthesis(nn.Module):
    """Converts w+ [batch, 8, 64] to images [batch, 3, size, size] in [-1, 1]."""

    def __init__(self, size: int = 256) -> None:
        super().__init__()
        self.factors = Factors()
        self.renderer = Renderer(size)

    def forward(self, w: Tensor) -> Tensor:
        return self.renderer(self.factors(w))
