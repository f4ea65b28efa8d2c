"""Reads a generator's weights, from the training's checkpoint or back from its finished graphs."""

import pathlib

import torch

import onnx
from common.onnx_files import weights_of

from .networks import WIDTHS, Generator

CHECKPOINT = "portraits.pt"
"""The file of the training's checkpoint in the cache."""


def load(cache: pathlib.Path) -> Generator:
    """The generator with the averaged weights of the training."""
    generator = Generator()
    generator.eval().requires_grad_(False)
    generator.load_state_dict(torch.load(cache / CHECKPOINT, weights_only=True)["average"])
    return generator


def read(folder: pathlib.Path) -> Generator:
    """The generator of a folder's mapping.onnx and synthesis.onnx."""
    weights = {
        f"{name}.{key}": value
        for name in ("mapping", "synthesis")
        for key, value in weights_of(onnx.load(folder / f"{name}.onnx").graph).items()
    }
    # Constants that are no parameters have lost their names: each layer's noise, in order, and the start.
    maps = [
        value for value in weights.values() if value.dim() == 4 and value.shape[1] == 1 and value.shape[2] in WIDTHS
    ]
    start = [value for value in weights.values() if value.shape == (1, WIDTHS[4], 4, 4)]
    generator = Generator()
    generator.eval().requires_grad_(False)
    state = generator.state_dict()
    noises = [name for name in state if name.endswith(".noise")]
    weights.update(zip(noises, maps, strict=True))
    position_map = weights["synthesis.layers.0.place"]
    (weights["synthesis.start"],) = (value for value in start if value is not position_map)
    generator.load_state_dict({name: weights[name] for name in state})
    return generator
