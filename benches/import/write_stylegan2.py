#!/usr/bin/env python3
"""Writes a checkpoint of StyleGAN2 1024×1024 (configuration F) with random weights.

    python benches/import/write_stylegan2.py target/bench/stylegan2.safetensors

Needs numpy. The file is a state dict with the names of rosinality's program, 30 million parameters. Its images show
nothing, but cost as much as those of a trained network.
"""

import json
import pathlib
import struct
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

CHANNELS = [512, 512, 512, 512, 512, 256, 128, 64, 32]  # at 4, 8, … 1024 pixels a side
W_DIM = 512

Array = npt.NDArray[np.float32]


def modulation(random: np.random.RandomState, name: str, channels: int) -> Iterator[tuple[str, Array]]:
    yield f"{name}.modulation.weight", random.randn(channels, W_DIM).astype(np.float32)
    yield f"{name}.modulation.bias", np.ones(channels, np.float32)


def layer(random: np.random.RandomState, name: str, inputs: int, outputs: int) -> Iterator[tuple[str, Array]]:
    yield f"{name}.conv.weight", random.randn(1, outputs, inputs, 3, 3).astype(np.float32)
    yield from modulation(random, f"{name}.conv", inputs)
    yield f"{name}.noise.weight", np.full(1, 0.1, np.float32)
    yield f"{name}.activate.bias", random.randn(outputs).astype(np.float32) * np.float32(0.1)


def to_rgb(random: np.random.RandomState, name: str, inputs: int) -> Iterator[tuple[str, Array]]:
    yield f"{name}.conv.weight", random.randn(1, 3, inputs, 1, 1).astype(np.float32) * np.float32(0.3)
    yield from modulation(random, f"{name}.conv", inputs)
    yield f"{name}.bias", np.zeros((1, 3, 1, 1), np.float32)


def tensors() -> Iterator[tuple[str, Array]]:
    random = np.random.RandomState(0)
    for index in range(1, 9):
        yield f"style.{index}.weight", random.randn(W_DIM, W_DIM).astype(np.float32) * np.float32(100)
        yield f"style.{index}.bias", np.zeros(W_DIM, np.float32)
    yield "input.input", random.randn(1, CHANNELS[0], 4, 4).astype(np.float32)
    yield from layer(random, "conv1", CHANNELS[0], CHANNELS[0])
    yield from to_rgb(random, "to_rgb1", CHANNELS[0])
    yield "noises.noise_0", random.randn(1, 1, 4, 4).astype(np.float32)
    for index in range(len(CHANNELS) - 1):
        inputs, outputs = CHANNELS[index : index + 2]
        yield from layer(random, f"convs.{2 * index}", inputs, outputs)
        yield from layer(random, f"convs.{2 * index + 1}", outputs, outputs)
        yield from to_rgb(random, f"to_rgbs.{index}", outputs)
        size = 8 << index
        for noise in (2 * index + 1, 2 * index + 2):
            yield f"noises.noise_{noise}", random.randn(1, 1, size, size).astype(np.float32)


def main() -> None:
    path = pathlib.Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    named = dict(tensors())
    header, offset = {}, 0
    for name, values in named.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in named.values():
            file.write(values.tobytes())


if __name__ == "__main__":
    main()
