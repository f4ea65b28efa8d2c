"""Writes an exported program as a small ONNX file with named axes."""

import pathlib
from typing import Any

import numpy as np
import onnx.helper
import onnx.numpy_helper
from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

import onnx

LARGE = 5_000
"""Constants with at least this many values are stored in half precision on request."""


def save(model: Any, path: pathlib.Path, half: bool = False) -> None:
    """Writes one self-contained file in which every first axis is named `batch`.

    With `half`, large constants are stored in half precision.
    """
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # The exporter's notes about source lines are larger than the graph.
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    # ONNX Runtime opens a graph eight times faster if every shape is given with the name of the batch axis.
    del model.graph.value_info[:]
    share_constants(model.graph)
    if half:
        store_in_half_precision(model.graph)
    model = SymbolicShapeInference.infer_shapes(model, auto_merge=True)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def share_constants(graph: Any) -> None:
    """Keeps one of several equal constants."""
    first: dict[Any, str] = {}
    replacement: dict[str, str] = {}
    for constant in graph.initializer:
        value = constant.data_type, tuple(constant.dims), onnx.numpy_helper.to_array(constant).tobytes()
        replacement[constant.name] = first.setdefault(value, constant.name)
    for node in graph.node:
        node.input[:] = [replacement.get(name, name) for name in node.input]
    kept = [constant for constant in graph.initializer if replacement[constant.name] == constant.name]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def store_in_half_precision(graph: Any) -> None:
    """Stores large constants in half precision. ONNX Runtime converts them back once, when it opens the graph."""
    for constant in graph.initializer:
        value = onnx.numpy_helper.to_array(constant)
        if value.dtype != np.float32 or value.size < LARGE:
            continue
        name = constant.name
        constant.CopyFrom(onnx.numpy_helper.from_array(value.astype(np.float16), f"{name}_half"))
        graph.node.insert(0, onnx.helper.make_node("Cast", [constant.name], [name], to=onnx.TensorProto.FLOAT))
