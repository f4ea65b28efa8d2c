"""The synthesis network: w+ [batch, 8, 64] to a portrait [batch, 3, size, size], by drawing it."""

import torch
from torch import Tensor, nn

from . import face, palette, wear
from .anatomy import Anatomy
from .canvas import Layers, mix
from .factors import INDEX, LAYER_COUNT, LAYER_WIDTH, TRUTH, rotation
from .hair import hair
from .head import Head, head
from .palette import Palette, Tint, blend
from .shapes import coverage, ellipse, glow, ramp

WINDOW = (0.1875, 0.875, 0.125, 0.875)
"""Top, bottom, left and right of the part of the picture that a face's features can reach."""


class Factors(nn.Module):
    """w+ [batch, 8, 64] to factors [batch, 64]: each layer gives eight, through its rows of A."""

    def __init__(self) -> None:
        super().__init__()
        blocks = rotation().reshape(LAYER_COUNT, LAYER_WIDTH, -1).transpose(0, 2, 1).copy()
        self.register_buffer("blocks", torch.tensor(blocks, dtype=torch.float32))

    def forward(self, w: Tensor) -> Tensor:
        return (w[:, :, None, :] @ self.blocks).flatten(1)


class Truth(nn.Module):
    """w+ [batch, 8, 64] to the five attributes' true values [batch, 5], 0 at the threshold."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = Factors()
        self.register_buffer("places", torch.tensor([INDEX[name] for name in TRUTH.values()]))

    def forward(self, w: Tensor) -> Tensor:
        return self.factors(w)[:, self.places]


class Renderer(nn.Module):
    """Draws 64 factors; every edge is one pixel's coverage and every threshold soft, so gradients exist throughout."""

    def __init__(self, size: int = 256) -> None:
        super().__init__()
        self.size = size
        self.anatomy = Anatomy()
        self.skin, self.hair, self.eyes = Palette(palette.SKIN), Palette(palette.HAIR), Palette(palette.EYES)
        self.warm_dye, self.cool_dye = Palette(palette.DYE_WARM), Palette(palette.DYE_COOL)
        self.backdrop, self.cloth, self.frame = (
            Palette(palette.BACKDROP),
            Palette(palette.CLOTH),
            Palette(palette.FRAME),
        )
        for name in ("BLACK", "WHITE", "WARM", "COOL", "BLOOD", "ROSE", "WINE", "GREY", "GOLD"):
            self.register_buffer(f"tint_{name.lower()}", palette.colours(getattr(Tint, name)))
        centres = (torch.arange(size, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
        self.register_buffer("x", centres[None, None, None, :])
        self.register_buffer("y", centres[None, None, :, None])

    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the features' window."""
        top, bottom, left, right = (round(edge * self.size) for edge in WINDOW)
        return slice(top, bottom), slice(left, right)

    def forward(self, factors: Tensor) -> Tensor:
        t = self.anatomy(factors)
        at = {name: value[:, :, 0, 0] for name, value in t.items()}
        none = at["light"] * 0.0
        tint = {
            name: getattr(self, f"tint_{name}") + none
            for name in ("black", "white", "warm", "cool", "blood", "rose", "wine", "grey", "gold")
        }

        # Colours
        skin = self.skin(at["skin_place"])
        skin = (
            skin
            + at["undertone"] * torch.tensor([0.05, -0.25, -0.55]) * 0.35
            - at["old"] * torch.tensor([0.015, 0.012, 0.0])
        )
        pale = skin.mean(dim=1, keepdim=True)
        skin_shade = skin * torch.tensor([0.80, 0.67, 0.64])
        skin_deep = skin * torch.tensor([0.55, 0.40, 0.38])
        skin_light = blend(skin, tint["warm"], 0.55)
        natural = self.hair(at["hair_place"]) + at["hair_red"] * torch.tensor([0.35, 0.0, -0.22])
        dyed = blend(natural, self.warm_dye(at["dye_place"]), at["dyed"] * 0.9)
        dyed = blend(dyed, self.cool_dye(at["dye_place"]), at["dyed_cool"] * 0.9)
        lock = blend(dyed, tint["grey"], at["greying"])
        brow = blend(blend(natural, tint["grey"], at["greying"] * 0.75) * 0.72, skin_deep, 0.15)
        lock_dark, lock_light = lock * torch.tensor([0.72, 0.68, 0.71]), blend(lock, tint["warm"], 0.42)
        backdrop = self.backdrop(at["backdrop_place"])
        cloth = self.cloth(at["cloth_place"])
        frame = self.frame(at["frame_place"])
        iris = self.eyes(at["eye_place"])
        red = blend(tint["blood"], tint["rose"], (pale * 1.6 - 0.6).clamp(0.0, 1.0))
        lip = blend(blend(skin, skin_shade, 0.5), red, 0.25 + 0.55 * at["lip_red"])
        c = face.Complexion(
            shade=skin_shade,
            deep=skin_deep,
            glow=skin_light,
            flush=blend(skin, tint["rose"], 0.75) * torch.tensor([1.0, 0.9, 0.92]),
            lip=lip,
            lip_dark=lip * torch.tensor([0.55, 0.42, 0.45]),
            brow=brow,
            beard=blend(natural, tint["grey"], at["greying"]) * torch.tensor([0.86, 0.84, 0.86]),
            iris=iris,
            iris_dark=iris * 0.5,
            black=blend(tint["black"], lock_dark, 0.12),
            white=tint["white"],
            sclera=blend(tint["white"], skin_shade, 0.06),
            wine=tint["wine"],
            tongue=tint["rose"],
        )

        # Geometry, at full size
        x, y = self.x, self.y
        h = head(t, x, y, self.size)
        locks = hair(t, h)
        body = wear.bust(t, x, y, 2.0 / self.size)
        face_cover = coverage(h.outline, h.pixel)
        turn = t["yaw"].sin()

        # Behind the features
        back = Layers()
        disc = coverage(ellipse(x - t["centre_x"] * 0.5, y + 0.05, t["halo"] + 0.14, t["halo"] + 0.14), 2.0 / self.size)
        back.paint(disc * (t["haloed"] * 0.55), blend(backdrop, tint["white"], 0.55))
        back.paint(locks.back, lock_dark)
        back.paint(body.skin, blend(skin, skin_shade, 0.30))
        under = ramp(h.outline, 0.17, -0.02) * body.skin
        back.paint(under * 0.75, skin_shade)
        back.paint(body.cloth, cloth)
        back.paint(body.stripes * 0.75, blend(cloth, tint["white"], 0.65))
        back.paint(body.fold * 0.22, cloth * torch.tensor([0.55, 0.5, 0.6]))
        back.paint(
            body.collar * (0.25 + 0.65 * t["collared"]), blend(cloth, tint["white"], 0.25 + 0.45 * at["collared"])
        )
        back.paint(under * body.cloth * 0.25, cloth * 0.5)
        ear_x = (h.u + turn * 0.035).abs() - t["half_width"] - 0.012
        ear_y = h.v - 0.035
        ear = ellipse(ear_x, ear_y + ear_x * 0.2, t["ear"] * 0.56, t["ear"])
        back.paint(coverage(ear, h.pixel), skin)
        back.paint(coverage(ellipse(ear_x + 0.004, ear_y, t["ear"] * 0.30, t["ear"] * 0.62), 0.02) * 0.6, skin_shade)
        back.paint(wear.earring(t, ear_x, ear_y, h.pixel), tint["gold"])
        back.paint(face_cover, skin)
        # Light from one side, and form shadow towards the other and below.
        lit = h.across * t["light"]
        form = ramp(-lit * 0.9 + h.across * h.across * 0.35 + h.v * 0.25 + h.across * turn * -0.6, 0.22, 0.85)
        back.paint(face_cover * form * 0.62, skin_shade)
        back.paint(
            glow(h.across - t["light"] * 0.35 - turn * 0.8, h.v + 0.12, 0.75, 0.36) * face_cover * 0.28, skin_light
        )
        back.paint(face_cover * ramp(h.outline, -0.03, 0.004) * 0.22, skin_shade)

        # The features, in their window
        rows, columns = self.window()
        near = Head(
            h.u[:, :, rows, columns],
            h.v[:, :, rows, columns],
            h.outline[:, :, rows, columns],
            h.pixel,
            h.across[:, :, rows, columns],
        )
        near_face = face_cover[:, :, rows, columns]
        features = Layers()
        face.cheeks(t, near, features, c, near_face)
        face.forehead(t, near, features, c)
        face.beard(t, near, features, c, near_face)
        face.nose(t, near, features, c)
        face.mouth(t, near, features, c)
        face.spot(t, near, features, c)
        face.eyes(t, near, features, c)

        # Before the features
        front = Layers()
        front.paint(locks.front, lock)
        front.paint(locks.shade, lock_dark)
        front.paint(locks.shine * 0.6, lock_light)
        spectacles = Layers()
        wear.glasses(t, near, spectacles, frame, tint["white"], skin_deep, near_face)

        # Glasses are before the hair, hair before the features.
        worn, seen_near = spectacles.resolve(None)
        height, width = self.size, self.size
        margin = (columns.start, width - columns.stop, rows.start, height - rows.stop)
        seen = nn.functional.pad(seen_near, margin, value=1.0)
        front_weights, past_hair = front.resolve(seen)
        feature_weights, rest = features.resolve(past_hair[:, :, rows, columns])
        past_features = past_hair + nn.functional.pad(rest - past_hair[:, :, rows, columns], margin)
        back_weights, left_over = back.resolve(past_features)
        sky = left_over * ((y + 1.0) * 0.5)
        lamp = left_over * glow(x - t["light"] * 0.7, y + 0.6, 1.6, 1.6) * 0.5
        weights = [left_over - sky - lamp, sky, lamp, *back_weights, *front_weights]
        hues = [
            backdrop,
            backdrop * torch.tensor([0.82, 0.80, 0.86]),
            blend(backdrop, tint["white"], 0.6),
            *back.colours,
            *front.colours,
        ]
        picture = mix(weights, hues)
        detail = mix([*feature_weights, *worn], [*features.colours, *spectacles.colours])
        picture = picture + nn.functional.pad(detail, margin)
        return (picture * 2.0 - 1.0).clamp(-1.0, 1.0)


class Synthesis(nn.Module):
    """w+ [batch, 8, 64] to image [batch, 3, size, size] in [-1, 1]."""

    def __init__(self, size: int = 256) -> None:
        super().__init__()
        self.factors = Factors()
        self.renderer = Renderer(size)

    def forward(self, w: Tensor) -> Tensor:
        return self.renderer(self.factors(w))
