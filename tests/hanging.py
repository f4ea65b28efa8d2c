"""Writes two classifiers for the tests, image [batch, 3, 256, 256] -> scores [batch, 1]. Their runs do not end.

hanging.onnx loops while the first value of the image is above -1.5, and can be terminated. stubborn.onnx compares a
million boxes with each other in one node, which takes half an hour and cannot be terminated.

pip install onnx; python tests/hanging.py
"""

import pathlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

import onnx
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
value = helper.make_tensor_value_info
FLOAT = TensorProto.FLOAT
BOXES = 1_000_000


def save(name: str, nodes: list[onnx.NodeProto], constants: dict[str, NDArray[Any]]) -> None:
    """Writes a graph. Its nodes get the first value of each image as `score`, and that of the first one as `first`."""
    constants |= {
        "begin": np.zeros(3, np.int64),
        "end": np.ones(3, np.int64),
        "axes": np.array([1, 2, 3], np.int64),
        "column": np.array([-1, 1], np.int64),
        "zero": np.array(0, np.int64),
    }
    common = [
        node("Slice", ["image", "begin", "end", "axes"], ["values"]),
        node("Reshape", ["values", "column"], ["score"]),
        node("Gather", ["score", "zero"], ["row"]),
        node("Squeeze", ["row"], ["first"]),
    ]
    graph = helper.make_graph(
        common + nodes,
        name,
        [value("image", FLOAT, ["batch", 3, 256, 256])],
        [value("scores", FLOAT, ["batch", 1])],
        [numpy_helper.from_array(np.array(array), constant) for constant, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, pathlib.Path(__file__).with_name(f"{name}.onnx"))


body = helper.make_graph(
    [node("Identity", ["goes_on"], ["goes_on_next"]), node("Identity", ["inside"], ["inside_next"])],
    "body",
    [
        value("step", TensorProto.INT64, []),
        value("goes_on", TensorProto.BOOL, []),
        value("inside", FLOAT, ["batch", 1]),
    ],
    [value("goes_on_next", TensorProto.BOOL, []), value("inside_next", FLOAT, ["batch", 1])],
)
save(
    "hanging",
    [node("Greater", ["first", "least"], ["above"]), node("Loop", ["", "above", "score"], ["scores"], body=body)],
    {"least": np.array(-1.5, np.float32)},
)
save(
    "stubborn",
    [
        # The number of boxes depends on the image. Otherwise the optimizer would compare them when the graph is opened.
        node("Mul", ["first", "nothing"], ["none"]),
        node("Add", ["none", "boxes"], ["count"]),
        node("Range", ["nothing", "count", "one"], ["places"]),
        node("Reshape", ["places", "boxes_shape"], ["low"]),
        node("Add", ["low", "half"], ["high"]),
        node("Concat", ["low", "low", "high", "high"], ["corners"], axis=2),
        node("Reshape", ["places", "scores_shape"], ["ranks"]),
        node("NonMaxSuppression", ["corners", "ranks", "most", "overlap"], ["chosen"]),
        node("ReduceMax", ["chosen"], ["last"], keepdims=0),
        node("Cast", ["last"], ["last_float"], to=FLOAT),
        node("Mul", ["last_float", "nothing"], ["last_none"]),
        node("Add", ["score", "last_none"], ["scores"]),
    ],
    {
        "nothing": np.array(0, np.float32),
        "one": np.array(1, np.float32),
        "half": np.array(0.5, np.float32),
        "boxes": np.array(BOXES, np.float32),
        "boxes_shape": np.array([1, -1, 1], np.int64),
        "scores_shape": np.array([1, 1, -1], np.int64),
        "most": np.array([BOXES], np.int64),
        "overlap": np.array([0.5], np.float32),
    },
)
