"""Layers with coverage and colour, composited into weights and mixed by one matrix product."""

import torch
from torch import Tensor


class Layers:
    """Layers, painted from back to front. A layer has a coverage [batch, 1, h, w] and a colour [batch, 3]."""

    def __init__(self) -> None:
        self.coverages: list[Tensor] = []
        self.colours: list[Tensor] = []

    def paint(self, coverage: Tensor, colour: Tensor) -> None:
        """Adds a layer in front of all earlier ones."""
        self.coverages.append(coverage)
        self.colours.append(colour)

    def resolve(self, light: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """The visible share of each layer, and the light that passes all of them.

        `light` is the share that the layers in front of this stack let through; None means all.
        """
        weights: list[Tensor] = []
        for coverage in reversed(self.coverages):
            weight = coverage if light is None else coverage * light
            light = 1.0 - coverage if light is None else light - weight
            weights.append(weight)
        return weights[::-1], light


def mix(weights: list[Tensor], colours: list[Tensor]) -> Tensor:
    """The image [batch, 3, h, w]: the colours weighted by their visible shares."""
    shares = torch.cat(weights, dim=1)
    hues = torch.stack(colours, dim=2)
    return (hues @ shares.flatten(2)).unflatten(2, shares.shape[2:])
