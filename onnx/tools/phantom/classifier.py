"""The attribute classifier: a small convolutional network that has only ever seen drawn pictures."""

import argparse
import itertools
import pathlib
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .anatomy import soften
from .export import export, gap
from .factors import ATTRIBUTES, INDEX, TRUTH, rotation
from .mapping import Mapping, sample_z
from .studio import Studio

SIDE = 128
"""The network looks at pictures of this size: larger ones are pooled first, and training pictures are drawn at it."""

WIDTHS = (3, 16, 32, 64, 96, 128)
"""Channels of the picture and after each halving."""

SEED = 7
STEEPNESS = 3.0
"""The score aimed at is this times the true factor, softened as the drawing softens it: ordered far out too."""


class Trunk(nn.Module):
    """Scores [batch, outputs] from pictures [batch, 3, side, side] in [-1, 1], which the widths halve to a side of 4."""

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


class Classifier(nn.Module):
    """Scores [batch, 5] from pictures [batch, 3, 256, 256]: pooled to 128, then the trunk."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, image: Tensor) -> Tensor:
        return self.trunk(functional.avg_pool2d(image, 2))


def truth_of(factors: Tensor) -> Tensor:
    """The five true values [batch, 5] of factors [batch, 64]."""
    return factors[:, [INDEX[TRUTH[name]] for name in ATTRIBUTES]]


def draw_factors(count: int, seed: int) -> Tensor:
    """Half as the mapping correlates them, half independent and wider, so that no attribute has to lean on another."""
    turn = torch.tensor(rotation(), dtype=torch.float32)
    with torch.no_grad():
        natural = Mapping()(torch.tensor(sample_z(count // 2, seed))) @ turn.T
    random = np.random.RandomState(seed + 1)
    wide = random.randn(count - count // 2, len(INDEX)) * random.uniform(0.8, 1.3, (count - count // 2, 1))
    # The five attributes and their neighbours must be known far out, where edits go.
    columns = [INDEX[name] for name in TRUTH.values()]
    wide[:, columns] *= random.uniform(1.0, 2.4, (len(wide), len(columns)))
    return torch.cat([natural, torch.tensor(wide, dtype=torch.float32)])


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


Loss = Callable[[Tensor, Tensor], Tensor]
"""Of scores and what is true, both [batch, outputs]."""


def side_and_distance(scores: Tensor, truth: Tensor) -> Tensor:
    """Which side, and how far: cross-entropy on the sign plus a Huber loss on the distance."""
    side = functional.binary_cross_entropy_with_logits(scores, (truth > 0).float())
    far = functional.smooth_l1_loss(scores / STEEPNESS, soften(truth), beta=0.5)
    return side + far


def train(trunk: Trunk, pictures: Tensor, truth: Tensor, epochs: int, kept: pathlib.Path, loss_of: Loss) -> Trunk:
    """The trained trunk; what each epoch leaves is kept in a file, and a run that was cut short goes on from there."""
    generator = torch.Generator().manual_seed(SEED)
    trunk = trunk.to(memory_format=torch.channels_last)
    batch = 64
    steps = epochs * (len(pictures) // batch)
    optimiser = torch.optim.AdamW(trunk.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    parts = {"trunk": trunk, "optimiser": optimiser, "schedule": schedule}
    done = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        generator.set_state(state["random"])
        done = state["done"]
    for epoch in range(done, epochs):
        order = torch.randperm(len(pictures), generator=generator)
        began, total = time.time(), 0.0
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            image = augment(pictures[chosen].float() / 127.5 - 1.0, generator)
            image = image.contiguous(memory_format=torch.channels_last)
            loss = loss_of(trunk(image), truth[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * batch / len(order):.4f}, {time.time() - began:.0f} s", flush=True)
        state = {name: part.state_dict() for name, part in parts.items()}
        torch.save({**state, "random": generator.get_state(), "done": epoch + 1}, kept)
    return trunk.eval()


def accuracies(trunk: Trunk, pictures: Tensor, truth: Tensor) -> dict[str, float]:
    """The share of pictures on the right side of each threshold."""
    with torch.no_grad():
        scores = torch.cat([trunk(part.float() / 127.5 - 1.0) for part in pictures.split(256)])
    right = ((scores > 0) == (truth > 0)).float().mean(dim=0)
    return dict(zip(ATTRIBUTES, right.tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument(
        "--cache", type=pathlib.Path, required=True, help="where the weights are kept for the later steps"
    )
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(2)
    began = time.time()
    factors, held = draw_factors(given.pictures, seed=11), draw_factors(4000, seed=5011)
    with Studio(SIDE) as studio:
        pictures, held_pictures = (torch.from_numpy(studio.pictures(some.numpy())) for some in (factors, held))
    print(f"drawn in {time.time() - began:.0f} s", flush=True)
    torch.manual_seed(SEED)
    trunk = Trunk(WIDTHS, len(ATTRIBUTES))
    trunk = train(trunk, pictures, truth_of(factors), given.epochs, given.cache / "training.pt", side_and_distance)
    natural = slice(0, 2000)
    print("natural", accuracies(trunk, held_pictures[natural], truth_of(held)[natural]))
    print("wide", accuracies(trunk, held_pictures[2000:], truth_of(held)[2000:]), flush=True)
    trunk = trunk.to(memory_format=torch.contiguous_format)
    classifier = Classifier(trunk).eval()
    example = torch.randn(3, 3, 256, 256)
    export(classifier, example, "image", "scores", given.folder / "classifier.onnx")
    print(f"classifier.onnx differs by {gap(classifier, given.folder / 'classifier.onnx', example):.1e}")


if __name__ == "__main__":
    main()
