#!/usr/bin/env python3
"""Writes a PGGAN or the first StyleGAN of full size with random weights, under GenForce's names, as safetensors.

    python benches/import/write_progressive.py pggan target/bench/pggan.safetensors
    python benches/import/write_progressive.py stylegan target/bench/stylegan.safetensors

Needs numpy. The channels are those of the published networks for 1024×1024.
"""

import argparse
import json
import pathlib
import struct

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

BLOCKS = 9
WIDTH = 512

random = np.random.RandomState(0)


def channels(block: int) -> int:
    return min(WIDTH, 2**12 >> block)


def normal(*shape: int) -> Array:
    return random.randn(*shape).astype(np.float32)


def outputs_of(prefix: str) -> dict[str, Array]:
    """The convolutions to red, green and blue of all blocks. The last one is used."""
    tensors = {}
    for block in range(BLOCKS):
        tensors[f"{prefix}{block}.weight"] = normal(3, channels(block), 1, 1)
        tensors[f"{prefix}{block}.bias"] = 0.1 * normal(3)
    return tensors


def pggan() -> dict[str, Array]:
    tensors = {"layer0.weight": normal(WIDTH, WIDTH, 4, 4)}
    inputs = WIDTH
    for layer in range(2 * BLOCKS):
        outputs = channels(layer // 2)
        if layer > 0:
            tensors[f"layer{layer}.weight"] = normal(outputs, inputs, 3, 3)
        tensors[f"layer{layer}.bias"] = 0.1 * normal(outputs)
        inputs = outputs
    return tensors | outputs_of("output")


def stylegan() -> dict[str, Array]:
    tensors = {"synthesis.layer0.const": normal(1, WIDTH, 4, 4), "truncation.w_avg": 0.1 * normal(WIDTH)}
    for layer in range(8):
        tensors[f"mapping.dense{layer}.weight"] = 100 * normal(WIDTH, WIDTH)
        tensors[f"mapping.dense{layer}.bias"] = normal(WIDTH)
    inputs = WIDTH
    for layer in range(2 * BLOCKS):
        outputs, height = channels(layer // 2), 4 << layer // 2
        name = f"synthesis.layer{layer}"
        if layer > 0:
            tensors[f"{name}.weight"] = normal(outputs, inputs, 3, 3)
        tensors[f"{name}.bias"] = 0.1 * normal(outputs)
        tensors[f"{name}.apply_noise.weight"] = 0.1 * normal(outputs)
        tensors[f"{name}.apply_noise.noise"] = normal(1, 1, height, height)
        tensors[f"{name}.style.weight"] = normal(2 * outputs, WIDTH)
        tensors[f"{name}.style.bias"] = 0.1 * normal(2 * outputs)
        inputs = outputs
    return tensors | outputs_of("synthesis.output")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture", choices=["pggan", "stylegan"])
    parser.add_argument("file", type=pathlib.Path)
    arguments = parser.parse_args()
    tensors = pggan() if arguments.architecture == "pggan" else stylegan()
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    with arguments.file.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.tobytes())


if __name__ == "__main__":
    main()
