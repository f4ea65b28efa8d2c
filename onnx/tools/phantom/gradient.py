"""Writes gradient.onnx: the phantom's renderer under the loss of `tools/gradient.py`, with the classifier's features."""

import argparse
import pathlib

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from gradient import write

from .factors import LAYER_COUNT
from .mapping import Mapping, sample_z
from .renderer import Synthesis

WEIGHT = 0.05
"""Of the perceptual loss; the pixel loss has 1."""

DEPTH = 3
"""How many of the classifier's convolutions count: 16, 32 and 64 channels at sides of 64, 32 and 16."""


class Features(nn.Module):
    """The first feature maps of a finished classifier, from pictures that it shrinks so many times."""

    def __init__(self, path: pathlib.Path, shrunk: int) -> None:
        super().__init__()
        self.shrunk = shrunk
        model = onnx.load(path)
        weights = {one.name: torch.tensor(numpy_helper.to_array(one).copy()) for one in model.graph.initializer}
        convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
        for place, node in enumerate(convolutions[:DEPTH]):
            # The exporter has folded the normalisation into the weights.
            self.register_buffer(f"kernel{place}", weights[node.input[1]])
            self.register_buffer(f"bias{place}", weights[node.input[2]])

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [functional.avg_pool2d(image, self.shrunk) if self.shrunk > 1 else image]
        for place in range(DEPTH):
            kernel, bias = getattr(self, f"kernel{place}"), getattr(self, f"bias{place}")
            maps.append(functional.conv2d(maps[-1], kernel, bias, stride=2, padding=1).relu())
        return maps[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    folder = parser.parse_args().folder
    torch.set_num_threads(2)
    with torch.no_grad():
        w = Mapping()(torch.tensor(sample_z(5, seed=1)))[:, None].repeat(1, LAYER_COUNT, 1)
    # Layers that differ, so that each one's gradient is tested.
    w = w + 0.3 * torch.tensor(np.random.RandomState(1).randn(*w.shape), dtype=torch.float32)
    write(Synthesis(), Features(folder / "classifier.onnx", shrunk=2), w, WEIGHT, folder / "gradient.onnx")


if __name__ == "__main__":
    main()
