"""The palettes: rows of colours that a factor interpolates along."""

import torch
from torch import Tensor, nn

SKIN = "#4f2f24 #6f4432 #8f5b41 #b27d5a #cf9c77 #e6bb98 #f3d3b8 #f9e2cf"
HAIR = "#1e1a1f #2b2021 #452c24 #63402c #8a5634 #b07c46 #d3a866 #ecd199"
DYE_WARM = "#b8452f #d4574f #e0728f"
DYE_COOL = "#2f7f86 #4b67b0 #7d5bb0"
EYES = "#33201a #4e3020 #6b4526 #7c7140 #5d7d5a #4f7d93 #5b8fbd #8a9fb0"
BACKDROP = "#e9b9a0 #f0cf9c #e7dcae #b9d3b0 #9fd0c6 #9cc3dc #a9b3e0 #cdb4dc #e8b6c4"
CLOTH = "#2f3e56 #33695f #7a9a6a #d9a441 #d8743f #b6434a #8c4a70 #5a5f94 #e8e2d6"
FRAME = "#1f1d22 #46281e #6a3d22 #8c6526 #84263a #2a4668 #2f5c50 #4a4752"


def colours(text: str) -> Tensor:
    """The hex colours of a row as [count, 3] in 0..1."""
    return torch.tensor([[int(word[i : i + 2], 16) / 255 for i in (1, 3, 5)] for word in text.split()])


class Palette(nn.Module):
    """Interpolates along a row of colours; position runs from 0 (first) to 1 (last)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        row = colours(text)
        self.register_buffer("row", row)
        self.register_buffer("knots", torch.arange(len(row), dtype=torch.float32)[None])

    def forward(self, position: Tensor) -> Tensor:
        """Position [batch, 1] -> colour [batch, 3]."""
        scaled = position.clamp(0.0, 1.0) * (self.row.shape[0] - 1.0)
        return (1.0 - (scaled - self.knots).abs()).clamp(min=0.0) @ self.row


def blend(first: Tensor, second: Tensor, share: Tensor | float) -> Tensor:
    """The colour at a share of the way from the first to the second."""
    return first + (second - first) * share


class Tint:
    """Named constant colours."""

    BLACK, WHITE = "#17131a", "#fffdf8"
    WARM, COOL = "#fff1d8", "#2a2350"
    BLOOD, ROSE, WINE = "#a83a34", "#d9605c", "#6e1f2a"
    GREY = "#c9c6c4"
    GOLD = "#e7bd5a"
