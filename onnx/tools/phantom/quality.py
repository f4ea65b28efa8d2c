"""The quality classifier, which tells spoiled pictures from good ones, and whether a plane parts their codes.

Codes are spoiled by scaling w - w_avg; what the classifier and the planes come to is written to quality.json.
"""

import argparse
import itertools
import json
import pathlib
import time

import numpy as np
import torch
from sklearn.svm import LinearSVC
from torch import Tensor, nn
from torch.nn import functional

from .export import export, gap
from .factors import rotation
from .mapping import Mapping, sample_z
from .studio import Studio

SEED, SAMPLES = 2020, 20_000
SCALED, LEAST, MOST = 0.5, 1.6, 3.0
"""The share of the codes that are spoiled by scaling w - w_avg, and the least and the greatest factor."""

HELD_OUT = 0.3

SIDE, DRAWN = 64, 128
"""The network looks at pictures pooled to this size; those that it learns from are drawn at that one."""

WIDTHS = (3, 16, 24, 32, 48)
"""Channels of the picture and after each halving."""

RATE, BATCH = 3e-3, 64


class Quality(nn.Module):
    """One log-odds [batch, 1] from pictures [batch, 3, side, side] in [-1, 1]: positive for clean ones."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.shrunk = side // SIDE
        blocks: list[nn.Module] = []
        for inward, outward in itertools.pairwise(WIDTHS):
            blocks += [nn.Conv2d(inward, outward, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outward), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.score = nn.Sequential(nn.Conv2d(WIDTHS[-1], 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 16, 1))

    def forward(self, image: Tensor) -> Tensor:
        image = functional.avg_pool2d(image, self.shrunk) if self.shrunk > 1 else image
        return self.score(self.features(image))


def learn(pictures: Tensor, clean: Tensor, side: int, epochs: int) -> Quality:
    """A trained network, from bytes [count, 3, 64, 64] and whether each is clean; it takes pictures of that side."""
    torch.manual_seed(SEED)
    random = torch.Generator().manual_seed(SEED)
    network = Quality(SIDE)
    steps = epochs * (len(pictures) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for epoch in range(epochs):
        began, total = time.time(), 0.0
        order = torch.randperm(len(pictures), generator=random)
        for chosen in order[: len(order) // BATCH * BATCH].split(BATCH):
            image = pictures[chosen].float() / 127.5 - 1.0
            image = image * (1.0 + 0.05 * torch.randn(BATCH, 1, 1, 1, generator=random))
            loss = functional.binary_cross_entropy_with_logits(network(image)[:, 0], clean[chosen].float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * BATCH / len(order):.4f}, {time.time() - began:.0f} s", flush=True)
    network.shrunk = side // SIDE
    return network.eval()


def scores_of(network: Quality, pictures: Tensor) -> Tensor:
    """Log-odds [count] of bytes [count, 3, 64, 64], whatever side the finished network takes."""
    with torch.no_grad():
        return torch.cat([network.score(network.features(part.float() / 127.5 - 1.0))[:, 0] for part in pictures.split(256)])


def write(network: Quality, side: int, folder: pathlib.Path) -> None:
    """quality.onnx, compared with PyTorch."""
    path, example = folder / "quality.onnx", torch.randn(3, 3, side, side)
    export(network, example, "image", "score", path)
    print(f"{path.name}: {path.stat().st_size} bytes, differs by {gap(network, path, example):.1e}")


def spoil(count: int, w_avg: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes in z and in w - w_avg, [count, 64] each, and which of them are spoiled."""
    z = sample_z(count, SEED)
    with torch.no_grad():
        w = Mapping()(torch.tensor(z)).numpy() - w_avg
    random = np.random.RandomState(SEED)
    spoiled = random.rand(count) < SCALED
    factor = np.where(spoiled, random.uniform(LEAST, MOST, count), 1.0)[:, None]
    return z * factor, w * factor, spoiled


def planes(z: np.ndarray, w: np.ndarray, spoiled: np.ndarray) -> dict[str, float]:
    """The held-out accuracy of the best distance and of the best plane in each space."""
    train = int(len(z) * (1 - HELD_OUT))
    length = np.linalg.norm(w, axis=1)
    limit = np.sort(length[:train])[int(train * (1 - spoiled[:train].mean()))]
    found = {"by_distance": round(float(((length > limit) == spoiled)[train:].mean()), 4)}
    for space, codes in (("z", z), ("w", w)):
        machine = LinearSVC(C=1.0, dual=False).fit(codes[:train], spoiled[:train])
        found[space] = round(float(machine.score(codes[train:], spoiled[train:])), 4)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=8)
    given = parser.parse_args()
    torch.set_num_threads(2)
    w_avg = np.load(given.folder / "w_avg.npy").reshape(-1)
    z, w, spoiled = spoil(SAMPLES, w_avg)
    found = {"seed": SEED, "samples": SAMPLES, "least": LEAST, "most": MOST, **planes(z, w, spoiled)}
    factors = ((w[: given.pictures] + w_avg) @ rotation().T).astype(np.float32)
    with Studio(DRAWN) as studio:
        drawn = torch.from_numpy(studio.pictures(factors)).float()
    pictures, clean = functional.avg_pool2d(drawn, DRAWN // SIDE).round().byte(), torch.from_numpy(~spoiled[: given.pictures])
    train = int(given.pictures * (1 - HELD_OUT))
    network = learn(pictures[:train], clean[:train], 256, given.epochs)
    right = (scores_of(network, pictures[train:]) > 0) == clean[train:]
    found.update(pictures=given.pictures, learned=train, held_out=round(right.float().mean().item(), 4))
    write(network, 256, given.folder)
    (given.folder / "quality.json").write_text(json.dumps(found, indent=1) + "\n")
    print(found)


if __name__ == "__main__":
    main()
