"""Layers of (coverage, colour), composited front to back into weights and mixed by one matrix product."""

import torch
from torch import Tensor


class Layers:
    """A stack painted back to front; each layer is one coverage [batch, 1, h, w] and one colour [batch, 3]."""

    def __init__(self) -> None:
        self.coverages: list[Tensor] = []
        self.colours: list[Tensor] = []

    def paint(self, coverage: Tensor, colour: Tensor) -> None:
        """Adds a layer in front of all earlier ones."""
        self.coverages.append(coverage)
        self.colours.append(colour)

    def resolve(self, light: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """Each layer's share of the picture under what lies before it, and the light that passes them all."""
        weights: list[Tensor] = []
        for coverage in reversed(self.coverages):
            weight = coverage if light is None else coverage * light
            light = 1.0 - coverage if light is None else light - weight
            weights.append(weight)
        return weights[::-1], light


def mix(weights: list[Tensor], colours: list[Tensor]) -> Tensor:
    """The picture [batch, 3, h, w]: the colours weighted by their shares."""
    shares = torch.cat(weights, dim=1)
    hues = torch.stack(colours, dim=2)
    return (hues @ shares.flatten(2)).unflatten(2, shares.shape[2:])
