"""How far a drawn picture is from the one that was wanted: pixels and edges, and what the classifier sees."""

import pathlib

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

MOUTH = (slice(36, 56), slice(18, 46))
"""Rows and columns of the pictures in which the mouth lies: they are aligned by the eyes."""

EYES = (slice(20, 36), slice(12, 52))
"""Rows and columns of eyes, brows and glasses."""


def edges(image: Tensor) -> Tensor:
    """Differences between neighbours, across and down, in one row for each picture."""
    across, down = image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]
    return torch.cat([across.flatten(1), down.flatten(1)], dim=1)


def likeness(drawn: Tensor, wanted: Tensor) -> Tensor:
    """How far pictures are from those wanted: pixels at three sizes, and edges, which is where small features are."""
    loss = (drawn - wanted).abs().mean() + 2.0 * (edges(drawn) - edges(wanted)).abs().mean()
    for _ in range(2):
        drawn, wanted = functional.avg_pool2d(drawn, 2), functional.avg_pool2d(wanted, 2)
        loss = loss + (drawn - wanted).abs().mean()
    return loss


def contrast(image: Tensor) -> Tensor:
    """The mean strength of edges, across and down, in overlapping squares of 4 x 4 pixels."""
    across = image[..., 1:, 1:] - image[..., 1:, :-1]
    down = image[..., 1:, 1:] - image[..., :-1, 1:]
    return functional.avg_pool2d(torch.cat([across, down], dim=1).abs(), 4, stride=2)


def crispness(drawn: Tensor, wanted: Tensor) -> Tensor:
    """How much contrast pictures lack or have too much of, even where an edge is a little out of its place."""
    return (contrast(drawn) - contrast(wanted)).abs().mean()


def window(image: Tensor, place: tuple[slice, slice]) -> Tensor:
    """What pictures show there."""
    return image[:, :, place[0], place[1]]


class Reader(nn.Module):
    """The finished classifier in PyTorch: its feature maps and its scores, from pictures [batch, 3, 64, 64]."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        graph = onnx.load(path).graph
        weights = {one.name: torch.tensor(numpy_helper.to_array(one).copy()) for one in graph.initializer}
        nodes = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
        # The exporter has folded the normalisation into the weights.
        pairs = [(weights[node.input[1]], weights[node.input[2]]) for node in nodes]
        self.kernels = nn.ParameterList(nn.Parameter(kernel, requires_grad=False) for kernel, _ in pairs)
        self.biases = nn.ParameterList(nn.Parameter(bias, requires_grad=False) for _, bias in pairs)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        maps, x = [], image
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            if kernel.dim() == 2:
                x = functional.linear(x.flatten(1), kernel, bias)
            else:
                # The trunk halves the sides to 4, and keeps them from there on.
                stride = 2 if x.shape[-1] > 4 else 1
                x = functional.conv2d(x, kernel, bias, stride=stride, padding=kernel.shape[-1] // 2)
            if kernel is not self.kernels[-1]:
                x = x.relu()
                maps.append(x)
        return maps, x

    def apart(self, drawn: Tensor, wanted: Tensor) -> Tensor:
        """How differently it sees two pictures: in each feature map as a share of the map's square, and in the scores."""
        with torch.no_grad():
            wanted_maps, wanted_scores = self(wanted)
        maps, scores = self(drawn)
        shares = [(one - other).square().mean() / other.square().mean() for one, other in zip(maps, wanted_maps, strict=True)]
        return sum(shares) / len(shares) + functional.smooth_l1_loss(scores / 3.0, wanted_scores / 3.0)
