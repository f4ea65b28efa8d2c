"""Losses between images and their targets: pixels and edges, contrast, and the classifier's features."""

import pathlib

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.onnx_files import layer_weights

MOUTH = (slice(36, 56), slice(18, 46))
"""Rows and columns of the mouth; faces are aligned by the eyes."""

EYES = (slice(20, 36), slice(12, 52))
"""Rows and columns of eyes, brows and glasses."""


def edges(image: Tensor) -> Tensor:
    """Differences between neighbouring pixels, across and down, in one row for each image."""
    across, down = image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]
    return torch.cat([across.flatten(1), down.flatten(1)], dim=1)


def image_loss(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute differences of pixels at three sizes, and of edges, where small features show."""
    loss = (image - target).abs().mean() + 2.0 * (edges(image) - edges(target)).abs().mean()
    for _ in range(2):
        image, target = functional.avg_pool2d(image, 2), functional.avg_pool2d(target, 2)
        loss = loss + (image - target).abs().mean()
    return loss


def contrast(image: Tensor) -> Tensor:
    """The mean strength of edges, across and down, in overlapping squares of 4 x 4 pixels."""
    across = image[..., 1:, 1:] - image[..., 1:, :-1]
    down = image[..., 1:, 1:] - image[..., :-1, 1:]
    return functional.avg_pool2d(torch.cat([across, down], dim=1).abs(), 4, stride=2)


def contrast_loss(image: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of contrast. It tolerates edges that are slightly shifted."""
    return (contrast(image) - contrast(target)).abs().mean()


def window(image: Tensor, part: tuple[slice, slice]) -> Tensor:
    """Some rows and columns of images."""
    return image[:, :, part[0], part[1]]


class ClassifierLoss(nn.Module):
    """The finished classifier in PyTorch: compares its feature maps and scores of images [batch, 3, 64, 64]."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        pairs = layer_weights(path, ("Conv", "Gemm"))
        self.kernels = nn.ParameterList(nn.Parameter(kernel, requires_grad=False) for kernel, _ in pairs)
        self.biases = nn.ParameterList(nn.Parameter(bias, requires_grad=False) for _, bias in pairs)

    def features(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """The feature maps and the scores."""
        maps, x = [], image
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            if kernel.dim() == 2:
                x = functional.linear(x.flatten(1), kernel, bias)
            else:
                # The trunk halves the sides down to 4, and keeps them from there on.
                stride = 2 if x.shape[-1] > 4 else 1
                x = functional.conv2d(x, kernel, bias, stride=stride, padding=kernel.shape[-1] // 2)
            if kernel is not self.kernels[-1]:
                x = x.relu()
                maps.append(x)
        return maps, x

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """The loss: the difference of each feature map, as a share of the target's square, and that of the scores."""
        with torch.no_grad():
            target_maps, target_scores = self.features(target)
        maps, scores = self.features(image)
        shares = [
            (one - other).square().mean() / other.square().mean() for one, other in zip(maps, target_maps, strict=True)
        ]
        return sum(shares) / len(shares) + functional.smooth_l1_loss(scores / 3.0, target_scores / 3.0)
