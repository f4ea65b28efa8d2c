"""Writes gradient.onnx: the phantom's renderer under the loss of `../gradient.py`, with the classifier's features."""

import numpy as np
import torch

from common.command import parser
from common.perceptual import WEIGHT, Features
from gradient import write

from .factors import LAYER_COUNT
from .mapping import Mapping, sample_z
from .renderer import Synthesis


def main() -> None:
    folder = parser(__doc__).parse_args().folder
    torch.set_num_threads(2)
    with torch.no_grad():
        w = Mapping()(torch.tensor(sample_z(5, seed=1)))[:, None].repeat(1, LAYER_COUNT, 1)
    # The layers differ, so that the gradient of each one is tested.
    w = w + 0.3 * torch.tensor(np.random.RandomState(1).randn(*w.shape), dtype=torch.float32)
    write(Synthesis(), Features(folder / "classifier.onnx", shrink=2), w, WEIGHT, folder / "gradient.onnx")


if __name__ == "__main__":
    main()
