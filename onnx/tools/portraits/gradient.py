"""Writes the portraits' gradient.onnx: their synthesis under the loss of `tools/gradient.py`, with the classifier's features."""

import argparse
import pathlib

import numpy as np
import torch

from gradient import write
from phantom.gradient import WEIGHT, Features

from . import graphs
from .networks import DIMENSION, LAYERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    given = parser.parse_args()
    torch.set_num_threads(2)
    generator, random = graphs.read(given.folder), np.random.RandomState(1)
    with torch.no_grad():
        w = generator.mapping(torch.from_numpy(random.randn(5, DIMENSION).astype(np.float32)))
    # Layers that differ, so that each one's gradient is tested.
    apart = torch.from_numpy(random.randn(5, LAYERS, DIMENSION).astype(np.float32))
    w = w[:, None] + 0.3 * w.std() * apart
    features = Features(given.folder / "classifier.onnx", shrunk=1)
    write(generator.synthesis, features, w, WEIGHT, given.folder / "gradient.onnx")


if __name__ == "__main__":
    main()
