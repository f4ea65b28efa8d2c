"""Writes mapping.onnx, synthesis.onnx, truth.onnx and w_avg.npy, and compares the graphs with PyTorch."""

import numpy as np
import torch

from common.command import parser
from common.onnx_files import difference, export

from .factors import LAYER_COUNT
from .mapping import Mapping, sample_z
from .renderer import Synthesis, Truth


def main() -> None:
    folder = parser(__doc__).parse_args().folder
    torch.set_num_threads(2)
    mapping = Mapping()
    z = torch.tensor(sample_z(5, seed=1))
    w = mapping(z)[:, None].repeat(1, LAYER_COUNT, 1)
    for name, module, example, tensors in (
        ("mapping", mapping, z, ("z", "w")),
        ("truth", Truth(), w, ("w", "truth")),
        ("synthesis", Synthesis(), w, ("w", "image")),
    ):
        path = folder / f"{name}.onnx"
        export(module, example, tensors, path)
        near, far = difference(module, path, example), difference(module, path, 3.0 * example)
        print(
            f"{path.name}: {path.stat().st_size} bytes, differs by {near:.1e}, on codes three times as long {far:.1e}"
        )
    with torch.no_grad():
        parts = [mapping(torch.tensor(sample_z(50_000, seed))).numpy().mean(axis=0) for seed in range(100, 104)]
    np.save(folder / "w_avg.npy", np.mean(parts, axis=0).astype("<f4"))


if __name__ == "__main__":
    main()
