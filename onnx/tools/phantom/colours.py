"""The colours of one portrait, from the palettes and the traits."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import palette
from .face import Complexion
from .palette import Palette, Tint, blend

TINTS = ("BLACK", "WHITE", "WARM", "COOL", "BLOOD", "ROSE", "WINE", "GREY", "GOLD")


@dataclass
class Scheme:
    """The colours [batch, 3] of a portrait."""

    skin: Tensor
    skin_shade: Tensor
    skin_deep: Tensor
    skin_light: Tensor
    lock: Tensor
    lock_dark: Tensor
    lock_light: Tensor
    backdrop: Tensor
    cloth: Tensor
    frame: Tensor
    white: Tensor
    gold: Tensor
    complexion: Complexion


class Colours(nn.Module):
    """Converts traits, each [batch, 1], to the colours of portraits."""

    def __init__(self) -> None:
        super().__init__()
        self.skin, self.hair, self.eyes = Palette(palette.SKIN), Palette(palette.HAIR), Palette(palette.EYES)
        self.warm_dye, self.cool_dye = Palette(palette.DYE_WARM), Palette(palette.DYE_COOL)
        self.backdrop, self.cloth = Palette(palette.BACKDROP), Palette(palette.CLOTH)
        self.frame = Palette(palette.FRAME)
        for name in TINTS:
            self.register_buffer(f"tint_{name.lower()}", palette.colours(getattr(Tint, name)))

    def forward(self, t: dict[str, Tensor]) -> Scheme:
        # Adding zeros gives constant colours the batch axis.
        zeros = t["light"] * 0.0
        tint = {name.lower(): getattr(self, f"tint_{name.lower()}") + zeros for name in TINTS}
        skin = self.skin(t["skin_position"])
        skin = (
            skin
            + t["undertone"] * torch.tensor([0.05, -0.25, -0.55]) * 0.35
            - t["old"] * torch.tensor([0.015, 0.012, 0.0])
        )
        skin_shade = skin * torch.tensor([0.80, 0.67, 0.64])
        skin_deep = skin * torch.tensor([0.55, 0.40, 0.38])
        skin_light = blend(skin, tint["warm"], 0.55)
        natural = self.hair(t["hair_position"]) + t["hair_red"] * torch.tensor([0.35, 0.0, -0.22])
        dyed = blend(natural, self.warm_dye(t["dye_position"]), t["dyed"] * 0.9)
        dyed = blend(dyed, self.cool_dye(t["dye_position"]), t["dyed_cool"] * 0.9)
        lock = blend(dyed, tint["grey"], t["greying"])
        lock_dark = lock * torch.tensor([0.72, 0.68, 0.71])
        return Scheme(
            skin=skin,
            skin_shade=skin_shade,
            skin_deep=skin_deep,
            skin_light=skin_light,
            lock=lock,
            lock_dark=lock_dark,
            lock_light=blend(lock, tint["warm"], 0.42),
            backdrop=self.backdrop(t["backdrop_position"]),
            cloth=self.cloth(t["cloth_position"]),
            frame=self.frame(t["frame_position"]),
            white=tint["white"],
            gold=tint["gold"],
            complexion=self.complexion(t, tint, (skin, skin_shade, skin_deep, skin_light), natural, lock_dark),
        )

    def complexion(
        self,
        t: dict[str, Tensor],
        tint: dict[str, Tensor],
        skins: tuple[Tensor, Tensor, Tensor, Tensor],
        natural: Tensor,
        lock_dark: Tensor,
    ) -> Complexion:
        """The colours of the face's features, from those of the skin: plain, shaded, deep and light."""
        skin, shade, deep, light = skins
        pale = skin.mean(dim=1, keepdim=True)
        red = blend(tint["blood"], tint["rose"], (pale * 1.6 - 0.6).clamp(0.0, 1.0))
        lip = blend(blend(skin, shade, 0.5), red, 0.25 + 0.55 * t["lip_red"])
        iris = self.eyes(t["eye_position"])
        return Complexion(
            shade=shade,
            deep=deep,
            glow=light,
            flush=blend(skin, tint["rose"], 0.75) * torch.tensor([1.0, 0.9, 0.92]),
            lip=lip,
            lip_dark=lip * torch.tensor([0.55, 0.42, 0.45]),
            brow=blend(blend(natural, tint["grey"], t["greying"] * 0.75) * 0.72, deep, 0.15),
            beard=blend(natural, tint["grey"], t["greying"]) * torch.tensor([0.86, 0.84, 0.86]),
            iris=iris,
            iris_dark=iris * 0.5,
            black=blend(tint["black"], lock_dark, 0.12),
            white=tint["white"],
            sclera=blend(tint["white"], shade, 0.06),
            wine=tint["wine"],
            tongue=tint["rose"],
        )
