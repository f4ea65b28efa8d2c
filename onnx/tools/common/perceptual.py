"""Feature maps of a finished classifier, for the perceptual part of the gradient graph's loss."""

import pathlib

from torch import Tensor, nn
from torch.nn import functional

from .onnx_files import layer_weights

WEIGHT = 0.05
"""Weight of the perceptual loss; the pixel loss has 1."""

DEPTH = 3
"""How many of the classifier's convolutions count: in the phantom, 16, 32 and 64 channels at sides 64, 32 and 16."""


class Features(nn.Module):
    """The first feature maps of a finished classifier, of images that it shrinks by a whole factor."""

    def __init__(self, path: pathlib.Path, shrink: int) -> None:
        super().__init__()
        self.shrink = shrink
        for index, (kernel, bias) in enumerate(layer_weights(path, ("Conv",))[:DEPTH]):
            self.register_buffer(f"kernel{index}", kernel)
            self.register_buffer(f"bias{index}", bias)

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [functional.avg_pool2d(image, self.shrink) if self.shrink > 1 else image]
        for index in range(DEPTH):
            kernel, bias = getattr(self, f"kernel{index}"), getattr(self, f"bias{index}")
            maps.append(functional.conv2d(maps[-1], kernel, bias, stride=2, padding=1).relu())
        return maps[1:]
