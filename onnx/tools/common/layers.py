"""Layers that both encoders are made of."""

from torch import nn


def convolution(inward: int, outward: int, size: int, stride: int) -> tuple[nn.Module, ...]:
    """A convolution, batch normalization and the rectifier."""
    layer = nn.Conv2d(inward, outward, size, stride=stride, padding=(size - stride + 1) // 2, bias=False)
    return layer, nn.BatchNorm2d(outward), nn.ReLU()
