"""Writes PyTorch modules as ONNX files, opens such files, and compares both."""

import logging
import pathlib
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

import onnx
from onnx import numpy_helper

from .graph import save

logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)


def export(
    module: nn.Module, example: Tensor, tensors: tuple[str, str], path: pathlib.Path, half: bool = False
) -> None:
    """Writes a graph with one input and one output, named by `tensors`, and an open batch axis.

    With `half`, large weights are stored in half precision.
    """
    program = torch.onnx.export(
        module.eval(),
        (example,),
        input_names=[tensors[0]],
        output_names=[tensors[1]],
        opset_version=18,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    save(program.model_proto, path, half)


def write(module: nn.Module, example: Tensor, tensors: tuple[str, str], path: pathlib.Path, half: bool = False) -> None:
    """Exports a module, and prints the size of the file and its greatest difference from PyTorch."""
    export(module, example, tensors, path, half)
    print(f"{path.name}: {path.stat().st_size} bytes, differs by {difference(module, path, example):.1e}", flush=True)


def open_session(path: pathlib.Path, threads: int = 2, optimized: bool = True) -> Any:
    """An ONNX Runtime session on the CPU. `optimized` is whether ONNX Runtime rewrites the graph first."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # On shared cores, a thread that spins while it waits keeps the other one off its core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def difference(module: nn.Module, path: pathlib.Path, example: Tensor) -> float:
    """The greatest difference between PyTorch's and ONNX Runtime's output."""
    session = open_session(path)
    with torch.no_grad():
        expected = module(example).numpy()
    return float(np.abs(session.run(None, {session.get_inputs()[0].name: example.numpy()})[0] - expected).max())


def weights_of(graph: Any) -> dict[str, Tensor]:
    """The constants of a graph by name."""
    return {one.name: torch.tensor(numpy_helper.to_array(one).copy()) for one in graph.initializer}


def layer_weights(path: pathlib.Path, operators: tuple[str, ...]) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of the layers with these operators, in order. They include the folded normalization."""
    graph = onnx.load(path).graph
    constants = weights_of(graph)
    nodes = [node for node in graph.node if node.op_type in operators]
    return [(constants[node.input[1]], constants[node.input[2]]) for node in nodes]
