"""Reads a generator's weights back out of its finished graphs."""

import pathlib

import onnx
import torch
from onnx import numpy_helper

from .networks import WIDTHS, Generator


def read(folder: pathlib.Path) -> Generator:
    """The generator whose mapping.onnx and synthesis.onnx lie in a folder."""
    parts = {name: onnx.load(folder / f"{name}.onnx").graph for name in ("mapping", "synthesis")}
    weights = {
        f"{name}.{one.name}": torch.tensor(numpy_helper.to_array(one).copy())
        for name, graph in parts.items()
        for one in graph.initializer
    }
    # What is no parameter has lost its name: the noise of each layer, in order, and the start.
    maps = [value for value in weights.values() if value.dim() == 4 and value.shape[1] == 1 and value.shape[2] in WIDTHS]
    start = [value for value in weights.values() if value.shape == (1, WIDTHS[4], 4, 4)]
    generator = Generator().eval().requires_grad_(False)
    state = generator.state_dict()
    noises = [name for name in state if name.endswith(".noise")]
    weights.update(zip(noises, maps, strict=True))
    weights.update({"synthesis.start": value for value in start if value is not weights["synthesis.layers.0.place"]})
    generator.load_state_dict({name: weights[name] for name in state})
    return generator
