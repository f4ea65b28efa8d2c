#!/usr/bin/env python3
"""Writes a checkpoint of StyleGAN3-T or e4e at its full size with random weights.

    python benches/import/write_networks.py stylegan3 target/bench/stylegan3.safetensors --resolution 1024
    python benches/import/write_networks.py e4e target/bench/e4e.safetensors

Needs numpy. The file is a state dict with the original names. The images and codes of these networks show nothing, but
cost as much as those of a trained network.
"""

import argparse
import json
import pathlib
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

W_DIM = 512
MARGIN = 10

Array = npt.NDArray[np.float32]
Named = Iterator[tuple[str, Array]]


def normal(random: np.random.RandomState, *shape: int, scale: float = 1.0) -> Array:
    return (random.randn(*shape) * scale).astype(np.float32)


def filter_of(factor: int) -> Array:
    """A low-pass filter of 6 taps for each unit of its factor."""
    taps = 6 * factor
    times = (np.arange(taps) - (taps - 1) / 2) / factor
    values = np.sinc(times) * np.kaiser(taps, 5)
    result: Array = (values / values.sum()).astype(np.float32)
    return result


def stylegan3(random: np.random.RandomState, resolution: int) -> Named:
    layers, critical, first_cutoff, first_stopband = 14, 2, 2.0, 2**2.1
    exponents = np.minimum(np.arange(layers + 1) / (layers - critical), 1)
    cutoffs = first_cutoff * (resolution / 2 / first_cutoff) ** exponents
    stopbands = first_stopband * (resolution / 2 * 2**0.3 / first_stopband) ** exponents
    rates = 2 ** np.ceil(np.log2(np.minimum(2 * stopbands, resolution))).astype(int)
    sizes = rates + 2 * MARGIN
    sizes[-2:] = resolution
    channels = np.rint(np.minimum(16384 / cutoffs, 512)).astype(int)
    channels[-1] = 3
    for index in range(2):
        yield f"mapping.fc{index}.weight", normal(random, W_DIM, W_DIM, scale=100)
        yield f"mapping.fc{index}.bias", np.zeros(W_DIM, np.float32)
    yield "mapping.w_avg", np.zeros(W_DIM, np.float32)
    count = channels[0]
    yield "synthesis.input.weight", normal(random, count, count)
    yield "synthesis.input.transform", np.eye(3, dtype=np.float32)
    yield "synthesis.input.freqs", normal(random, count, 2)
    yield "synthesis.input.phases", normal(random, count)
    yield "synthesis.input.affine.weight", np.zeros((4, W_DIM), np.float32)
    yield "synthesis.input.affine.bias", np.array([1, 0, 0, 0], np.float32)
    for index in range(layers + 1):
        before = max(index - 1, 0)
        name = f"synthesis.L{index}_{sizes[index]}_{channels[index]}"
        side = 1 if index == layers else 3
        yield f"{name}.weight", normal(random, channels[index], channels[before], side, side)
        yield f"{name}.bias", np.zeros(channels[index], np.float32)
        yield f"{name}.magnitude_ema", np.ones((), np.float32)
        yield f"{name}.affine.weight", normal(random, channels[before], W_DIM)
        yield f"{name}.affine.bias", np.ones(channels[before], np.float32)
        if index < layers:
            highest = 2 * max(rates[before], rates[index])
            yield f"{name}.up_filter", filter_of(highest // rates[before])
            yield f"{name}.down_filter", filter_of(highest // rates[index])


def batch_norm(name: str, channels: int) -> Named:
    yield f"{name}.weight", np.ones(channels, np.float32)
    yield f"{name}.bias", np.zeros(channels, np.float32)
    yield f"{name}.running_mean", np.zeros(channels, np.float32)
    yield f"{name}.running_var", np.ones(channels, np.float32)


def kernel(random: np.random.RandomState, outputs: int, inputs: int, side: int = 3) -> Array:
    return normal(random, outputs, inputs, side, side, scale=(inputs * side * side) ** -0.5)


def e4e(random: np.random.RandomState, resolution: int) -> Named:
    yield "encoder.input_layer.0.weight", kernel(random, 64, 3)
    yield from batch_norm("encoder.input_layer.1", 64)
    yield "encoder.input_layer.2.weight", np.full(64, 0.25, np.float32)
    channels, block = 64, 0
    for depth, count in [(64, 3), (128, 4), (256, 14), (512, 3)]:
        for _ in range(count):
            name = f"encoder.body.{block}"
            if channels != depth:
                yield f"{name}.shortcut_layer.0.weight", kernel(random, depth, channels, 1)
                yield from batch_norm(f"{name}.shortcut_layer.1", depth)
            yield from batch_norm(f"{name}.res_layer.0", channels)
            yield f"{name}.res_layer.1.weight", kernel(random, depth, channels)
            yield f"{name}.res_layer.2.weight", np.full(depth, 0.25, np.float32)
            yield f"{name}.res_layer.3.weight", kernel(random, depth, depth)
            yield from batch_norm(f"{name}.res_layer.4", depth)
            yield f"{name}.res_layer.5.fc1.weight", kernel(random, depth // 16, depth, 1)
            yield f"{name}.res_layer.5.fc2.weight", kernel(random, depth, depth // 16, 1)
            channels, block = depth, block + 1
    for index in range(2 * resolution.bit_length() - 4):
        name = f"encoder.styles.{index}"
        for level in range(4 if index < 3 else 5 if index < 7 else 6):
            yield f"{name}.convs.{2 * level}.weight", kernel(random, 512, 512)
            yield f"{name}.convs.{2 * level}.bias", np.zeros(512, np.float32)
        yield f"{name}.linear.weight", normal(random, W_DIM, 512)
        yield f"{name}.linear.bias", np.zeros(W_DIM, np.float32)
    for number, inputs in [(1, 256), (2, 128)]:
        yield f"encoder.latlayer{number}.weight", kernel(random, 512, inputs, 1)
        yield f"encoder.latlayer{number}.bias", np.zeros(512, np.float32)


def write(path: pathlib.Path, named: dict[str, Array]) -> None:
    header, offset = {}, 0
    for name, values in named.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in named.values():
            file.write(values.tobytes())


def main() -> None:
    networks = {"stylegan3": stylegan3, "e4e": e4e}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=networks)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--resolution", type=int, default=1024, help="of the generator")
    arguments = parser.parse_args()
    tensors = networks[arguments.network](np.random.RandomState(0), arguments.resolution)
    write(arguments.file, dict(tensors))


if __name__ == "__main__":
    main()
