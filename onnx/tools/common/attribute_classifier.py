"""The network of the attribute classifiers, and its training."""

import itertools
import pathlib
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attributes import ATTRIBUTES
from .checkpoint import Checkpoint

SEED = 7

Loss = Callable[[Tensor, Tensor], Tensor]
"""The loss of scores and truths, both [batch, outputs]."""


class Trunk(nn.Module):
    """Scores [batch, outputs] of images [batch, 3, side, side] in [-1, 1].

    `widths` are the channels of the image and after each halving of the side; the halvings must end at a side of 4.
    """

    def __init__(self, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for inward, outward in itertools.pairwise(widths):
            convolution = nn.Conv2d(inward, outward, 3, stride=2, padding=1, bias=False)
            blocks += [convolution, nn.BatchNorm2d(outward), nn.ReLU()]
        blocks += [nn.Conv2d(128, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.reduce = nn.Sequential(nn.Conv2d(128, 32, 1), nn.ReLU(), nn.Flatten())
        self.scores = nn.Sequential(nn.Linear(32 * 16, 128), nn.ReLU(), nn.Linear(128, outputs))

    def forward(self, image: Tensor) -> Tensor:
        return self.scores(self.reduce(self.features(image)))


def augment(image: Tensor, generator: torch.Generator) -> Tensor:
    """Small shifts, brightness, contrast, colour, noise and blur, as another camera or a GAN would add them."""
    count, size = len(image), image.shape[-1]
    shift = torch.randint(-4, 5, (2,), generator=generator).tolist()
    top, left = 4 + shift[0], 4 + shift[1]
    image = functional.pad(image, (4, 4, 4, 4), mode="replicate")[:, :, top : top + size, left : left + size]
    gain = 1.0 + 0.10 * torch.randn(count, 1, 1, 1, generator=generator)
    cast = 0.05 * torch.randn(count, 3, 1, 1, generator=generator)
    image = image * gain + cast
    chance = torch.rand(2, generator=generator)
    if chance[0] < 0.3:
        side = int(torch.randint(size * 7 // 16, size * 7 // 8, (1,), generator=generator))
        small = functional.interpolate(image, (side, side), mode="bilinear", antialias=True)
        image = functional.interpolate(small, (size, size), mode="bilinear")
    if chance[1] < 0.5:
        image = image + 0.04 * torch.randn(image.shape, generator=generator)
    return image


def train(trunk: Trunk, pixels: Tensor, truth: Tensor, epochs: int, path: pathlib.Path, loss_of: Loss) -> Trunk:
    """Trains a network on bytes [count, 3, side, side] and returns it. Continues from the checkpoint at `path`."""
    generator = torch.Generator().manual_seed(SEED)
    trunk = trunk.to(memory_format=torch.channels_last)
    batch = 64
    steps = epochs * (len(pixels) // batch)
    optimizer = torch.optim.AdamW(trunk.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    checkpoint = Checkpoint(path, trunk=trunk, optimizer=optimizer, schedule=schedule)
    done = 0
    if checkpoint.exists():
        state = checkpoint.load()
        generator.set_state(state["random"])
        done = state["done"]
    for epoch in range(done, epochs):
        order = torch.randperm(len(pixels), generator=generator)
        started, total = time.time(), 0.0
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            image = augment(pixels[chosen].float() / 127.5 - 1.0, generator)
            image = image.contiguous(memory_format=torch.channels_last)
            loss = loss_of(trunk(image), truth[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * batch / len(order):.4f}, {time.time() - started:.0f} s", flush=True)
        checkpoint.save(random=generator.get_state(), done=epoch + 1)
    trunk.eval()
    return trunk


def accuracies(trunk: Trunk, pixels: Tensor, truth: Tensor) -> dict[str, float]:
    """The share of images on the right side of each attribute's threshold."""
    with torch.no_grad():
        scores = torch.cat([trunk(part.float() / 127.5 - 1.0) for part in pixels.split(256)])
    right = ((scores > 0) == (truth > 0)).float().mean(dim=0)
    return dict(zip(ATTRIBUTES, right.tolist(), strict=True))


def report(trunk: Trunk, pixels: Tensor, truth: Tensor) -> None:
    """Prints the accuracies on held-out images: half with the mapping's correlations, half with wide factors."""
    half = len(pixels) // 2
    for name, part in (("natural", slice(0, half)), ("wide", slice(half, None))):
        print(name, accuracies(trunk, pixels[part], truth[part]), flush=True)
