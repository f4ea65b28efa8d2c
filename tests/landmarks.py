"""Writes tests/landmarks.onnx, a landmark graph for the tests: it takes the dark part of a white image as the face.

python tests/landmarks.py
"""

import pathlib

import numpy as np

import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 64
LANDMARKS = np.array([[-0.5, -0.4], [0.5, -0.4], [0.0, 0.1], [-0.4, 0.6], [0.4, 0.6]], dtype=np.float32)
"""The five landmarks relative to the centre of the dark part, in standard deviations of its horizontal extent."""

centres = ((np.arange(SIDE) + 0.5) / SIDE).astype(np.float32)
constants = {
    "one": np.array(1.0, dtype=np.float32),
    "little": np.array(1e-6, dtype=np.float32),
    "colours": np.array([1], dtype=np.int64),
    "area": np.array([1, 2], dtype=np.int64),
    "x": centres[None, None, :],
    "y": centres[None, :, None],
    "points": LANDMARKS[None],
    "pair": np.array([-1, 1, 2], dtype=np.int64),
}
node = helper.make_node
nodes = [
    node("ReduceMean", ["image", "colours"], ["grey"], keepdims=0),
    node("Sub", ["one", "grey"], ["dark"]),
    node("ReduceSum", ["dark", "area"], ["sum"], keepdims=1),
    node("Add", ["sum", "little"], ["whole"]),
    node("Div", ["dark", "whole"], ["share"]),
    node("Mul", ["share", "x"], ["share_x"]),
    node("ReduceSum", ["share_x", "area"], ["mean_x"], keepdims=1),
    node("Mul", ["share", "y"], ["share_y"]),
    node("ReduceSum", ["share_y", "area"], ["mean_y"], keepdims=1),
    node("Sub", ["x", "mean_x"], ["off"]),
    node("Mul", ["off", "off"], ["square"]),
    node("Mul", ["share", "square"], ["share_square"]),
    node("ReduceSum", ["share_square", "area"], ["variance"], keepdims=1),
    node("Sqrt", ["variance"], ["deviation"]),
    node("Concat", ["mean_x", "mean_y"], ["middle"], axis=2),
    node("Reshape", ["middle", "pair"], ["centre"]),
    node("Mul", ["points", "deviation"], ["offsets"]),
    node("Add", ["centre", "offsets"], ["landmarks"]),
]
graph = helper.make_graph(
    nodes,
    "landmarks",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
    [helper.make_tensor_value_info("landmarks", TensorProto.FLOAT, ["batch", 5, 2])],
    [numpy_helper.from_array(value, name) for name, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, pathlib.Path(__file__).with_suffix(".onnx"))
