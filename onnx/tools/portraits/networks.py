"""The networks of the GAN: mapping, synthesis and discriminator, like StyleGAN2's and much smaller."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

DIMENSION = 256
"""Length of a z code, and of each layer of a w+ code."""

WIDTHS = {4: 128, 8: 128, 16: 128, 32: 96, 64: 48}
"""Channels of the feature maps at each size."""

LAYERS = 2 * len(WIDTHS) - 1
"""Layers of a w+ code: one for each convolution."""

SLOPE = 0.2


def mixed() -> torch.autocast:
    """Computes in bfloat16 on processors that have it. Others emulate it, four times as slowly as float32."""
    return torch.autocast("cpu", torch.bfloat16, enabled="AVX512" in torch.backends.cpu.get_cpu_capability())


def activate(x: Tensor) -> Tensor:
    """The leaky rectifier, scaled so that standard normal values keep about their variance."""
    return functional.leaky_relu(x, SLOPE) * 2.0**0.5


class Dense(nn.Module):
    """A fully connected layer. Its weights start as standard normals and are scaled when they are used."""

    def __init__(self, inward: int, outward: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward) / rate)
        self.bias = nn.Parameter(torch.full((outward,), bias))
        self.scale = rate / inward**0.5

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.scale, self.bias)


class Mapping(nn.Module):
    """Converts z [batch, 256] to w [batch, 256]."""

    def __init__(self, depth: int = 3) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Dense(DIMENSION, DIMENSION, rate=0.1) for _ in range(depth))

    def forward(self, z: Tensor) -> Tensor:
        w = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            w = activate(layer(w))
        return w


class Styled(nn.Module):
    """A convolution with input channels scaled by a layer of w+.

    Constant noise and `place`, a learned map of positions, are added to its output. The shipped graphs contain the
    parameters under these names.
    """

    def __init__(self, inward: int, outward: int, side: int, grows: bool) -> None:
        super().__init__()
        self.grows = grows
        self.style = Dense(DIMENSION, inward, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outward, inward, 3, 3))
        self.scale = 1.0 / (inward * 9) ** 0.5
        self.bias = nn.Parameter(torch.zeros(1, outward, 1, 1))
        self.place = nn.Parameter(torch.zeros(1, outward, min(side, 16), min(side, 16)))
        self.register_buffer("noise", torch.randn(1, 1, side, side))
        self.loudness = nn.Parameter(torch.zeros(1, outward, 1, 1))
        self.side = side

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.style(w)
        weight = self.weight * self.scale
        # Activations are scaled, not weights, so that images with different styles run as one batch.
        demodulation = torch.rsqrt(style.square() @ weight.square().sum(dim=(2, 3)).T + 1e-8)
        x = x * style[:, :, None, None]
        if self.grows:
            x = functional.interpolate(x, scale_factor=2, mode="bilinear")
        x = functional.conv2d(x, weight, padding=1) * demodulation[:, :, None, None]
        place = self.place
        if place.shape[-1] < self.side:
            place = functional.interpolate(place, size=(self.side, self.side), mode="bilinear")
        # Repeated, so that the exporter does not store the product with `loudness`, which would double the file.
        noise = self.noise.repeat(w.shape[0], 1, 1, 1)
        return activate(x + self.bias + place + noise * self.loudness)


class Synthesis(nn.Module):
    """Converts w+ [batch, 9, 256] to images [batch, 3, side, side] near [-1, 1]; each size adds to the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, WIDTHS[4], 4, 4))
        self.layers, self.colours = nn.ModuleList(), nn.ModuleList()
        inward = WIDTHS[4]
        for side, width in WIDTHS.items():
            if side > 4:
                self.layers.append(Styled(inward, width, side, grows=True))
            self.layers.append(Styled(width, width, side, grows=False))
            self.colours.append(nn.Conv2d(width, 3, 1))
            inward = width

    def forward(self, w: Tensor, side: int = max(WIDTHS)) -> Tensor:
        x = self.start.repeat(w.shape[0], 1, 1, 1)
        image, layer = None, 0
        for index, size in enumerate(WIDTHS):
            for _ in range(1 if size == 4 else 2):
                x = self.layers[layer](x, w[:, layer])
                layer += 1
            colour = self.colours[index](x)
            if image is not None:
                colour = functional.interpolate(image, scale_factor=2, mode="bilinear") + colour
            image = colour
            if size == side:
                break
        return image


class Generator(nn.Module):
    """Converts z [batch, 256] to images."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping, self.synthesis = Mapping(), Synthesis()

    def forward(self, z: Tensor, side: int = max(WIDTHS)) -> Tensor:
        return self.synthesis(self.mapping(z)[:, None].expand(-1, LAYERS, -1), side)


class Convolution(nn.Module):
    """A convolution. Its weights start as standard normals and are scaled at use, so all layers learn evenly."""

    def __init__(self, inward: int, outward: int, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward, side, side))
        self.bias = nn.Parameter(torch.zeros(outward))
        self.scale, self.padding = 1.0 / (inward * side**2) ** 0.5, side // 2

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class Residual(nn.Module):
    """Two convolutions beside a shortcut; they halve the sides of the image."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(inward, inward, 3), Convolution(inward, outward, 3)
        self.shortcut = Convolution(inward, outward, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = activate(self.second(activate(self.first(x))))
        return (functional.avg_pool2d(y, 2) + self.shortcut(functional.avg_pool2d(x, 2))) * 0.5**0.5


MAGNIFIED = (slice(28, 60), slice(16, 48))
"""Rows and columns around the mouth, which the discriminator also sees at twice the size."""


class Discriminator(nn.Module):
    """Converts images [batch, 3, 64, 64] to one value each, positive for renders. Half as wide as the generator."""

    def __init__(self) -> None:
        super().__init__()
        widths = [WIDTHS[side] // 2 for side in sorted(WIDTHS, reverse=True)]
        self.colours = Convolution(6, widths[0], 1)
        self.blocks = nn.ModuleList(Residual(inward, outward) for inward, outward in itertools.pairwise(widths))
        self.last = Convolution(widths[-1] + 1, 128, 3)
        self.dense, self.value = Dense(128 * 16, 128), Dense(128, 1)

    def forward(self, image: Tensor) -> Tensor:
        close = functional.interpolate(image[:, :, MAGNIFIED[0], MAGNIFIED[1]], scale_factor=2, mode="bilinear")
        x = activate(self.colours(torch.cat([image, close], dim=1)))
        for block in self.blocks:
            x = block(x)
        # How much the images of a group of four differ: this reveals a generator that always synthesizes the same.
        groups = x.float().reshape(4, -1, *x.shape[1:])
        spread = (groups.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        spread = spread.repeat(4)[:, None, None, None].expand(-1, 1, 4, 4).to(x.dtype)
        x = activate(self.last(torch.cat([x, spread], dim=1)))
        return self.value(activate(self.dense(x.flatten(1))))
