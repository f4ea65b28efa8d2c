#!/usr/bin/env python3
"""Writes a model folder with a 1024×1024 generator that has PGGAN's architecture and random weights.

    python benches/models/pggan.py target/bench/pggan

Needs numpy and onnx. The graph maps z [batch, 512] to image [batch, 3, 1024, 1024] and has 23 million parameters,
about 90 MB. Its images show nothing, but cost as much as PGGAN's.
"""

import pathlib
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = [512, 512, 512, 512, 256, 128, 64, 32, 16]  # at 4, 8, … 1024 pixels a side
MANIFEST = """name = "pggan-random"
description = "PGGAN's architecture at 1024 pixels with random weights: for benches, its images show nothing."
license = "MIT OR Apache-2.0"

[generator]
synthesis = "synthesis.onnx"    # z [batch, 512] -> image [batch, 3, 1024, 1024]
rescale_z = true
image_range = [-1.0, 1.0]
"""


class Graph:
    """A graph under construction: its nodes and weights, and the name of the last value."""

    def __init__(self) -> None:
        self.random = np.random.RandomState(0)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.last = "z"

    def constant(self, array: npt.NDArray[Any]) -> str:
        """The name of a new constant."""
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def then(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> None:
        """Appends a node that takes the last value and further inputs."""
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.last, *inputs], [output], **attributes))
        self.last = output

    def pixel_norm(self) -> None:
        """Divides by the root mean square over channels: x / sqrt(mean of x² over the channels + 1e-8)."""
        before = self.last
        self.then("Mul", before)
        self.then("ReduceMean", self.constant(np.array([1])), keepdims=1)
        self.then("Add", self.constant(np.array(1e-8, np.float32)))
        self.then("Sqrt")
        bottom, self.last = self.last, before
        self.then("Div", bottom)

    def convolution(self, inputs: int, outputs: int, side: int, pad: int, gain: float = 2.0) -> None:
        """A convolution with weights scaled by the fan-in, so that values keep their size."""
        scale = np.sqrt(gain / (inputs * side * side))
        weight = (self.random.randn(outputs, inputs, side, side) * scale).astype(np.float32)
        bias = self.constant(np.zeros(outputs, np.float32))
        self.then("Conv", self.constant(weight), bias, pads=[pad] * 4)

    def activate(self) -> None:
        """The leaky rectifier and the pixel norm."""
        self.then("LeakyRelu", alpha=0.2)
        self.pixel_norm()


def build() -> onnx.ModelProto:
    """The generator."""
    graph = Graph()
    graph.pixel_norm()
    graph.then("Reshape", graph.constant(np.array([0, 512, 1, 1])))
    graph.convolution(512, 512, 4, 3)
    graph.activate()
    graph.convolution(512, 512, 3, 1)
    graph.activate()
    twice = graph.constant(np.array([1, 1, 2, 2], np.float32))
    nothing = graph.constant(np.array([], np.float32))
    for inputs, outputs in pairwise(CHANNELS):
        graph.then(
            "Resize",
            nothing,
            twice,
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
        graph.convolution(inputs, outputs, 3, 1)
        graph.activate()
        graph.convolution(outputs, outputs, 3, 1)
        graph.activate()
    graph.convolution(CHANNELS[-1], 3, 1, 0, gain=0.1)
    graph.then("Tanh", output="image")
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 1024, 1024])
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 512])
    opset = [helper.make_opsetid("", 18)]
    body = helper.make_graph(graph.nodes, "pggan", [z], [image], graph.weights)
    model = helper.make_model(body, opset_imports=opset, ir_version=9)
    onnx.checker.check_model(model)
    print(sum(int(np.prod(weight.dims)) for weight in graph.weights), "parameters")
    return model


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "synthesis.onnx").write_bytes(build().SerializeToString())
    (folder / "manifest.toml").write_text(MANIFEST)


if __name__ == "__main__":
    main()
