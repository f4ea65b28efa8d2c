"""Writes gradient.onnx: the portraits' synthesis under the loss of `../gradient.py`, with the classifier's features."""

import numpy as np
import torch

from common.command import parser
from common.perceptual import WEIGHT, Features
from gradient import write

from .networks import DIMENSION, LAYERS
from .weights import read


def main() -> None:
    folder = parser(__doc__).parse_args().folder
    torch.set_num_threads(2)
    generator, random = read(folder), np.random.RandomState(1)
    with torch.no_grad():
        w = generator.mapping(torch.from_numpy(random.randn(5, DIMENSION).astype(np.float32)))
    # The layers differ, so that the gradient of each one is tested.
    offsets = torch.from_numpy(random.randn(5, LAYERS, DIMENSION).astype(np.float32))
    w = w[:, None] + 0.3 * w.std() * offsets
    write(generator.synthesis, Features(folder / "classifier.onnx", shrink=1), w, WEIGHT, folder / "gradient.onnx")


if __name__ == "__main__":
    main()
