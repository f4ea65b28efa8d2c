"""Writes endless.onnx: a graph x [batch, 1] -> y [batch, 1] that never ends if the first value of x is above 0.

Needs `pip install onnx`. The tests use the file to see a run terminated; they do not need this script.
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

VALUE = TensorProto.FLOAT

body = helper.make_graph(
    [
        helper.make_node("Identity", ["value"], ["next"]),
        helper.make_node("Identity", ["goes_on"], ["goes_on_next"]),
    ],
    "body",
    [
        helper.make_tensor_value_info("step", TensorProto.INT64, []),
        helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("value", VALUE, ["batch", 1]),
    ],
    [
        helper.make_tensor_value_info("goes_on_next", TensorProto.BOOL, []),
        helper.make_tensor_value_info("next", VALUE, ["batch", 1]),
    ],
)
graph = helper.make_graph(
    [
        helper.make_node("Slice", ["x", "starts", "ends"], ["first"]),
        helper.make_node("Squeeze", ["first"], ["scalar"]),
        helper.make_node("Greater", ["scalar", "zero"], ["above"]),
        # Without a number of steps, the loop ends by its condition alone.
        helper.make_node("Loop", ["", "above", "x"], ["y"], body=body),
    ],
    "endless",
    [helper.make_tensor_value_info("x", VALUE, ["batch", 1])],
    [helper.make_tensor_value_info("y", VALUE, ["batch", 1])],
    [
        helper.make_tensor("starts", TensorProto.INT64, [2], [0, 0]),
        helper.make_tensor("ends", TensorProto.INT64, [2], [1, 1]),
        helper.make_tensor("zero", VALUE, [], [0.0]),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
Path(__file__).with_suffix(".onnx").write_bytes(model.SerializeToString())
