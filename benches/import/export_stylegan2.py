#!/usr/bin/env python3
"""Exports the synthesis network of a rosinality checkpoint with PyTorch's own exporter, without any improvement.

    python benches/import/export_stylegan2.py target/bench/stylegan2.safetensors target/bench/plain.onnx

Needs torch, onnx, onnxscript and numpy. The network is written as the published programs write it: styles multiply the
features, so that the batch stays open, and `upfirdn2d` is the form without a CUDA operator.
"""

import json
import math
import pathlib
import struct
import sys

import numpy as np
import torch
from torch.nn import functional

SLOPE = 0.2
FILTER = torch.tensor([1.0, 3.0, 3.0, 1.0])


def read(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file with f32 values."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    data = content[8 + length :]
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + length]).items():
        first, last = entry["data_offsets"]
        values = np.frombuffer(data[first:last], np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def upfirdn2d(x: torch.Tensor, up: int, before: int, after: int) -> torch.Tensor:
    """Zeros between the pixels, padding, and the filter with a gain of 4."""
    batch, channels, height, width = x.shape
    if up > 1:
        x = x.reshape(batch, channels, height, 1, width, 1)
        x = functional.pad(x, [0, up - 1, 0, 0, 0, up - 1])
        x = x.reshape(batch, channels, height * up, width * up)
    x = functional.pad(x, [before, after, before, after])
    kernel = torch.outer(FILTER, FILTER) / 16
    return functional.conv2d(x, kernel[None, None].repeat(channels, 1, 1, 1), groups=channels)


class Synthesis(torch.nn.Module):
    """w [batch, codes, w_dim] → image."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.blocks = len({name.split(".")[1] for name in tensors if name.startswith("to_rgbs.")})
        for name, values in tensors.items():
            if not name.startswith("style."):
                self.register_buffer(name.replace(".", "_"), values)

    def of(self, name: str) -> torch.Tensor:
        return self.get_buffer(name.replace(".", "_"))

    def modulated(self, x: torch.Tensor, w: torch.Tensor, name: str, *, up: bool, demodulate: bool) -> torch.Tensor:
        weight = self.of(f"{name}.weight")[0]
        weight = weight / math.sqrt(weight[0].numel())
        style = self.of(f"{name}.modulation.weight") / math.sqrt(w.shape[1])
        style = functional.linear(w, style, self.of(f"{name}.modulation.bias"))
        x = x * style[:, :, None, None]
        if up:
            x = functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = upfirdn2d(x, 1, 1, 1)
        else:
            x = functional.conv2d(x, weight, padding=weight.shape[2] // 2)
        if demodulate:
            squares = (weight[None] * style[:, None, :, None, None]).square().sum([2, 3, 4])
            x = x * (squares + 1e-8).rsqrt()[:, :, None, None]
        return x

    def layer(self, x: torch.Tensor, w: torch.Tensor, name: str, noise: int, *, up: bool) -> torch.Tensor:
        x = self.modulated(x, w, f"{name}.conv", up=up, demodulate=True)
        x = x + self.of(f"noises.noise_{noise}") * self.of(f"{name}.noise.weight")
        x = x + self.of(f"{name}.activate.bias")[None, :, None, None]
        return functional.leaky_relu(x, SLOPE) * math.sqrt(2)

    def to_rgb(self, x: torch.Tensor, w: torch.Tensor, name: str) -> torch.Tensor:
        return self.modulated(x, w, f"{name}.conv", up=False, demodulate=False) + self.of(f"{name}.bias")

    def forward(self, w: torch.Tensor) -> torch.Tensor:
        x = self.of("input.input").repeat(w.shape[0], 1, 1, 1)
        x = self.layer(x, w[:, 0], "conv1", 0, up=False)
        image = self.to_rgb(x, w[:, 1], "to_rgb1")
        for index in range(self.blocks):
            first = 2 * index + 1
            x = self.layer(x, w[:, first], f"convs.{2 * index}", first, up=True)
            x = self.layer(x, w[:, first + 1], f"convs.{2 * index + 1}", first + 1, up=False)
            image = upfirdn2d(image, 2, 2, 1) + self.to_rgb(x, w[:, first + 2], f"to_rgbs.{index}")
        return image


def main() -> None:
    tensors = read(pathlib.Path(sys.argv[1]))
    network = Synthesis(tensors).eval()
    codes = torch.randn(2, 2 * network.blocks + 2, tensors["style.1.weight"].shape[0])
    torch.onnx.export(
        network,
        (codes,),
        sys.argv[2],
        input_names=["w"],
        output_names=["image"],
        dynamic_shapes={"w": {0: torch.export.Dim("batch")}},
        dynamo=True,
        external_data=False,
    )


if __name__ == "__main__":
    main()
