#!/usr/bin/env python3
"""Exports a PGGAN of write_progressive.py with PyTorch's own exporter, without any improvement.

    python benches/import/export_pggan.py target/bench/pggan.safetensors target/bench/plain-pggan.onnx

Needs torch, onnx, onnxscript and numpy. The network is written as the published programs write it: features are
normalized before each convolution, and weights are scaled at run time.
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


def read(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file with f32 values."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + length]).items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(content[first:last], np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def normalized(x: torch.Tensor) -> torch.Tensor:
    """Each pixel's features, with a mean square of 1."""
    return x / torch.sqrt(x.square().mean(1, keepdim=True) + 1e-8)


class Generator(torch.nn.Module):
    """z [batch, 512] → image."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.layers = sum(name.startswith("layer") and name.endswith(".weight") for name in tensors)
        for name, values in tensors.items():
            self.register_buffer(name.replace(".", "_"), values)

    def conv(self, x: torch.Tensor, name: str, gain: float, padding: int) -> torch.Tensor:
        weight = self.get_buffer(f"{name}_weight")
        scale = gain / math.sqrt(weight[0].numel())
        return functional.conv2d(x, weight * scale, self.get_buffer(f"{name}_bias"), padding=padding)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = normalized(z)[:, :, None, None]
        for layer in range(self.layers):
            if layer > 0:
                x = normalized(x)
            if layer > 1 and layer % 2 == 0:
                x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.conv(x, f"layer{layer}", math.sqrt(2), 1 if layer > 0 else 3)
            x = functional.leaky_relu(x, SLOPE)
        return self.conv(normalized(x), f"output{self.layers // 2 - 1}", 1, 0)


def main() -> None:
    tensors = read(pathlib.Path(sys.argv[1]))
    torch.onnx.export(
        Generator(tensors).eval(),
        (torch.randn(2, tensors["layer0.weight"].shape[1]),),
        sys.argv[2],
        input_names=["z"],
        output_names=["image"],
        dynamic_shapes={"z": {0: torch.export.Dim("batch")}},
        dynamo=True,
        external_data=False,
    )


if __name__ == "__main__":
    main()
