#!/usr/bin/env python3
"""Writes a network of write_progressive.py as PyTorch's exporter writes the programs: one node for each operation.

    python benches/import/plain_progressive.py target/bench/pggan.safetensors target/bench/plain-pggan.onnx

Needs numpy and onnx. Weights have their factors folded in, as constant folding leaves them. Doubling is by nearest
neighbour (by an adding transposed convolution from 128×128 on, in StyleGAN), and normalization is by single operations.
"""

import argparse
import json
import pathlib
import struct

import numpy as np
import numpy.typing as npt

import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[np.float32]


def read(path: pathlib.Path) -> dict[str, Array]:
    """The tensors of a safetensors file with f32 values."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + length]).items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(content[first:last], np.float32).reshape(entry["shape"])
    return tensors


def scaled(weight: Array, gain: float) -> Array:
    return weight * np.float32(gain / np.sqrt(weight[0].size))


class Graph:
    """A graph under construction. Arrays become constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: Array | list[int] | float) -> str:
        name = f"constant{len(self.constants)}"
        array = np.asarray(values, np.int64 if isinstance(values, list) else np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, *inputs: str | Array | list[int] | float, **attributes: object) -> str:
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def finish(self, name: str, shape: list[object], image: str) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [image], ["image"]))
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])]
        outputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 1024, 1024])]
        graph = helper.make_graph(self.nodes, "plain", inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)

    def mean_of_squares(self, x: str, axes: list[int]) -> str:
        mean = self.node("ReduceMean", self.node("Pow", x, 2.0), axes, keepdims=1)
        return self.node("Sqrt", self.node("Add", mean, 1e-8))

    def doubled(self, x: str) -> str:
        scales = np.array([1, 1, 2, 2], np.float32)
        return self.node(
            "Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )

    def conv(self, x: str, weight: Array, *bias: Array, **attributes: object) -> str:
        return self.node("Conv", x, weight, *bias, pads=[weight.shape[2] // 2] * 4, **attributes)


def pggan(tensors: dict[str, Array]) -> onnx.ModelProto:
    graph = Graph()
    x = graph.node("Reshape", graph.node("Div", "z", graph.mean_of_squares("z", [1])), [-1, 512, 1, 1])
    for layer in range(18):
        weight, bias = scaled(tensors[f"layer{layer}.weight"], np.sqrt(2)), tensors[f"layer{layer}.bias"]
        if layer > 0:
            x = graph.node("Div", x, graph.mean_of_squares(x, [1]))
        if layer > 1 and layer % 2 == 0:
            x = graph.doubled(x)
        x = graph.node("Conv", x, weight, bias, pads=[1 if layer > 0 else 3] * 4)
        x = graph.node("LeakyRelu", x, alpha=0.2)
    x = graph.node("Div", x, graph.mean_of_squares(x, [1]))
    x = graph.conv(x, scaled(tensors["output8.weight"], 1), tensors["output8.bias"])
    return graph.finish("z", [512], x)


def epilogue(graph: Graph, tensors: dict[str, Array], x: str, layer: int) -> str:
    name = f"synthesis.layer{layer}"
    noise = tensors[f"{name}.apply_noise.noise"] * tensors[f"{name}.apply_noise.weight"][None, :, None, None]
    x = graph.node("Add", graph.node("Add", x, noise), tensors[f"{name}.bias"][None, :, None, None])
    x = graph.node("LeakyRelu", x, alpha=0.2)
    x = graph.node("Sub", x, graph.node("ReduceMean", x, [2, 3], keepdims=1))
    x = graph.node("Div", x, graph.mean_of_squares(x, [2, 3]))
    code = graph.node("Reshape", graph.node("Slice", "w", [layer], [layer + 1], [1]), [-1, 512])
    weight, bias = scaled(tensors[f"{name}.style.weight"], 1), tensors[f"{name}.style.bias"]
    style = graph.node("Reshape", graph.node("Gemm", code, weight, bias, transB=1), [-1, len(bias), 1, 1])
    channels = len(bias) // 2
    factor = graph.node("Add", graph.node("Slice", style, [0], [channels], [1]), 1.0)
    return graph.node("Add", graph.node("Mul", x, factor), graph.node("Slice", style, [channels], [2 * channels], [1]))


def doubling(graph: Graph, x: str, weight: Array, height: int) -> str:
    if height < 128:
        x = graph.conv(graph.doubled(x), weight)
    else:
        weight = np.pad(weight.transpose(1, 0, 2, 3), [(0, 0), (0, 0), (1, 1), (1, 1)])
        weight = weight[:, :, 1:, 1:] + weight[:, :, :-1, 1:] + weight[:, :, 1:, :-1] + weight[:, :, :-1, :-1]
        x = graph.node("ConvTranspose", x, weight, strides=[2, 2], pads=[1] * 4)
    channels = weight.shape[0 if height < 128 else 1]
    blur = np.tile(np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16, (channels, 1, 1, 1))
    return graph.conv(x, blur, group=channels)


def stylegan(tensors: dict[str, Array]) -> onnx.ModelProto:
    graph = Graph()
    batch = graph.node("Concat", graph.node("Slice", graph.node("Shape", "w"), [0], [1]), [1, 1, 1], axis=0)
    x = epilogue(graph, tensors, graph.node("Expand", tensors["synthesis.layer0.const"], batch), 0)
    for layer in range(1, 18):
        weight = scaled(tensors[f"synthesis.layer{layer}.weight"], np.sqrt(2))
        x = graph.conv(x, weight) if layer % 2 else doubling(graph, x, weight, 4 << layer // 2)
        x = epilogue(graph, tensors, x, layer)
    x = graph.conv(x, scaled(tensors["synthesis.output8.weight"], 1), tensors["synthesis.output8.bias"])
    return graph.finish("w", [18, 512], x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("graph", type=pathlib.Path)
    arguments = parser.parse_args()
    tensors = read(arguments.checkpoint)
    onnx.save(stylegan(tensors) if "synthesis.layer0.const" in tensors else pggan(tensors), arguments.graph)


if __name__ == "__main__":
    main()
