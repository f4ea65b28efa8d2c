"""Writes mapping.onnx, synthesis.onnx and w_avg.npy out of the training's averaged weights."""

import argparse
import pathlib

import numpy as np
import torch

from phantom.export import export, gap

from .networks import DIMENSION, LAYERS, Generator

SAMPLES = 200_000
"""Codes whose mean w_avg is."""


def load(cache: pathlib.Path) -> Generator:
    """The generator as the training left it."""
    generator = Generator().eval().requires_grad_(False)
    generator.load_state_dict(torch.load(cache / "portraits.pt", weights_only=True)["average"])
    return generator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where the training keeps its weights")
    given = parser.parse_args()
    torch.set_num_threads(2)
    generator = load(given.cache)
    random = np.random.RandomState(100)
    z = torch.from_numpy(random.randn(SAMPLES, DIMENSION).astype(np.float32))
    with torch.no_grad():
        w = torch.cat([generator.mapping(part) for part in z.split(10_000)])
    np.save(given.folder / "w_avg.npy", w.double().mean(dim=0).numpy().astype("<f4"))
    layered = w[:5, None].repeat(1, LAYERS, 1)
    for name, module, example, source, result in (
        ("mapping", generator.mapping, z[:5], "z", "w"),
        ("synthesis", generator.synthesis, layered, "w", "image"),
    ):
        path = given.folder / f"{name}.onnx"
        export(module, example, source, result, path)
        print(f"{path.name}: {path.stat().st_size} bytes, differs by {gap(module, path, example):.1e}")


if __name__ == "__main__":
    main()
