"""Writes mapping.onnx, synthesis.onnx and truth.onnx, and checks them against PyTorch."""

import argparse
import logging
import pathlib

import numpy as np
import onnxruntime
import torch
from torch import nn

from graph import save

from .factors import LAYER_COUNT
from .mapping import Mapping, sample_z
from .renderer import Synthesis, Truth

logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)


def export(
    module: nn.Module, example: torch.Tensor, source: str, result: str, path: pathlib.Path, halved: bool = False
) -> None:
    """One self-contained graph with a symbolic batch axis."""
    program = torch.onnx.export(
        module.eval(),
        (example,),
        input_names=[source],
        output_names=[result],
        opset_version=18,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    save(program.model_proto, path, halved)


def session(path: pathlib.Path, threads: int = 2, rewritten: bool = True) -> onnxruntime.InferenceSession:
    """The graph in ONNX Runtime on the CPU, rewritten by its optimiser first or run as it stands."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that waits by spinning takes the core that the other one needs, where cores are shared.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not rewritten:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def gap(module: nn.Module, path: pathlib.Path, given: torch.Tensor) -> float:
    """The greatest difference between PyTorch and ONNX Runtime."""
    graph = session(path)
    with torch.no_grad():
        expected = module(given).numpy()
    return float(np.abs(graph.run(None, {graph.get_inputs()[0].name: given.numpy()})[0] - expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    folder = parser.parse_args().folder
    torch.set_num_threads(2)
    mapping = Mapping()
    z = torch.tensor(sample_z(5, seed=1))
    w = mapping(z)[:, None].repeat(1, LAYER_COUNT, 1)
    for name, module, given, source, result in (
        ("mapping", mapping, z, "z", "w"),
        ("truth", Truth(), w, "w", "truth"),
        ("synthesis", Synthesis(), w, "w", "image"),
    ):
        path = folder / f"{name}.onnx"
        export(module, given, source, result, path)
        near, far = gap(module, path, given), gap(module, path, 3.0 * given)
        print(
            f"{path.name}: {path.stat().st_size} bytes, differs by {near:.1e}, on codes three times as long {far:.1e}"
        )
    with torch.no_grad():
        parts = [mapping(torch.tensor(sample_z(50_000, seed))).numpy().mean(axis=0) for seed in range(100, 104)]
    np.save(folder / "w_avg.npy", np.mean(parts, axis=0).astype("<f4"))


if __name__ == "__main__":
    main()
