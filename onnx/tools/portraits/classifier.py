"""The attribute classifier of the portraits: the phantom's, for pictures of 64 pixels a side; it learns from renders alone."""

import argparse
import pathlib

import torch

from phantom.classifier import SEED, Trunk, accuracies, draw_factors, side_and_distance, train, truth_of
from phantom.export import export, gap
from phantom.factors import ATTRIBUTES

from .pictures import SIDE, aligned, render

WIDTHS = (3, 32, 64, 96, 128)
"""Channels of the picture and after each halving."""

HELD = 4_000
"""Pictures that it does not learn from; the first half of them have the mapping's own correlations."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where pictures and unfinished weights are kept")
    parser.add_argument("--pictures", type=int, default=30_720)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    drawn = []
    for count, seed in ((given.pictures, 11), (HELD, 5011)):
        factors = aligned(draw_factors(count, seed).numpy())
        pictures = torch.from_numpy(render(factors, f"classifier-{seed}", given.cache))
        drawn.append((pictures, truth_of(torch.from_numpy(factors))))
    (pictures, truth), (held, held_truth) = drawn
    torch.manual_seed(SEED)
    trunk = Trunk(WIDTHS, len(ATTRIBUTES))
    trunk = train(trunk, pictures, truth, given.epochs, given.cache / "classifier.pt", side_and_distance)
    for name, part in (("natural", slice(0, HELD // 2)), ("wide", slice(HELD // 2, HELD))):
        print(name, accuracies(trunk, held[part], held_truth[part]), flush=True)
    trunk = trunk.to(memory_format=torch.contiguous_format)
    path, example = given.folder / "classifier.onnx", torch.randn(3, 3, SIDE, SIDE)
    export(trunk, example, "image", "scores", path)
    print(f"{path.name}: {path.stat().st_size} bytes, differs by {gap(trunk, path, example):.1e}")


if __name__ == "__main__":
    main()
