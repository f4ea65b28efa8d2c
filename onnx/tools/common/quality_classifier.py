"""The network of the quality classifiers, which tells spoiled images from clean ones, and its training."""

import itertools
import pathlib
import time

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import onnx_files

SEED = 2020
HELD_OUT = 0.3
"""The share of the images that is kept for the test."""

SIDE = 64
"""The network shrinks images to this side."""

WIDTHS = (3, 16, 24, 32, 48)
"""Channels of the image and after each halving of the side."""

RATE, BATCH = 3e-3, 64


class Quality(nn.Module):
    """One log-odds [batch, 1] of images [batch, 3, side, side] in [-1, 1]: positive for clean ones."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.shrink = side // SIDE
        blocks: list[nn.Module] = []
        for inward, outward in itertools.pairwise(WIDTHS):
            convolution = nn.Conv2d(inward, outward, 3, stride=2, padding=1, bias=False)
            blocks += [convolution, nn.BatchNorm2d(outward), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.score = nn.Sequential(nn.Conv2d(WIDTHS[-1], 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 16, 1))

    def forward(self, image: Tensor) -> Tensor:
        image = functional.avg_pool2d(image, self.shrink) if self.shrink > 1 else image
        return self.score(self.features(image))


def train(pixels: Tensor, clean: Tensor, side: int, epochs: int) -> Quality:
    """A network trained on bytes [count, 3, 64, 64] and whether each is clean. It takes images of the given side."""
    torch.manual_seed(SEED)
    random = torch.Generator().manual_seed(SEED)
    network = Quality(SIDE)
    steps = epochs * (len(pixels) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        order = torch.randperm(len(pixels), generator=random)
        for chosen in order[: len(order) // BATCH * BATCH].split(BATCH):
            image = pixels[chosen].float() / 127.5 - 1.0
            image = image * (1.0 + 0.05 * torch.randn(BATCH, 1, 1, 1, generator=random))
            loss = functional.binary_cross_entropy_with_logits(network(image)[:, 0], clean[chosen].float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * BATCH / len(order):.4f}, {time.time() - started:.0f} s", flush=True)
    network.shrink = side // SIDE
    network.eval()
    return network


def scores_of(network: Quality, pixels: Tensor) -> Tensor:
    """Log-odds [count] of bytes [count, 3, 64, 64], whatever side the finished network takes."""
    with torch.no_grad():
        parts = [network.score(network.features(part.float() / 127.5 - 1.0))[:, 0] for part in pixels.split(256)]
    return torch.cat(parts)


def write(network: Quality, side: int, folder: pathlib.Path) -> None:
    """Writes quality.onnx."""
    onnx_files.write(network, torch.randn(3, 3, side, side), ("image", "score"), folder / "quality.onnx")
