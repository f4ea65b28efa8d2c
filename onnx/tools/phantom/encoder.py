"""Trains the encoder, image to w, a small convolutional network: it learns from renders, most of them degraded."""

import pathlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from common.arrays import Array
from common.checkpoint import Checkpoint
from common.chunks import ChunkedFiles
from common.command import parser
from common.layers import convolution
from common.onnx_files import write

from .degrade import SIDE, degrade, displace, shift_some
from .factors import DIMENSION, rotation
from .mapping import Mapping, sample_z
from .render_pool import CHUNK, RenderPool

SEED, HELD_OUT_SEED = 21, 5021
IMAGES, HELD_OUT = 131_072, 2048
DEGRADED = 0.6
"""The share of the images that are degraded."""

NATURAL = 0.7
"""The share of the codes that come from the mapping unchanged; the others are farther from the mean."""

EPOCHS, BATCH, RATE = 5, 64, 3e-3


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        *layers, _ = *convolution(width, width, 3, 1), *convolution(width, width, 3, 1)
        self.change = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.change(x))


class Trunk(nn.Module):
    """Factors [batch, 64] of images [batch, 3, 256, 256] in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(3, 32, 8, 4),
            *convolution(32, 64, 4, 2),
            Residual(64),
            *convolution(64, 96, 4, 2),
            Residual(96),
            *convolution(96, 128, 4, 2),
        )
        self.reduce = nn.Sequential(nn.Conv2d(128, 40, 1), nn.ReLU(), nn.Flatten())
        self.factors = nn.Sequential(nn.Linear(40 * 64, 192), nn.ReLU(), nn.Linear(192, DIMENSION))

    def forward(self, image: Tensor) -> Tensor:
        return self.factors(self.reduce(self.features(image)))


class Encoder(nn.Module):
    """w [batch, 64] of images [batch, 3, 256, 256]: the trunk's factors, rotated back into w."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.register_buffer("turn", torch.tensor(rotation(), dtype=torch.float32))

    def forward(self, image: Tensor) -> Tensor:
        return self.trunk(image) @ self.turn


def sample_factors(count: int, seed: int) -> Array:
    """Factors [count, 64]: the mapping's own, and others up to 1.6 times as far from the mean with one factor moved."""
    turn = rotation()
    with torch.no_grad():
        factors = Mapping()(torch.tensor(sample_z(count, seed))).numpy() @ turn.T
    random = np.random.RandomState(seed + 1)
    wide = np.arange(int(count * NATURAL), count)
    factors[wide] *= random.uniform(1.0, 1.6, (len(wide), 1))
    factors[wide, random.randint(0, DIMENSION, len(wide))] += random.uniform(-3.0, 3.0, len(wide))
    shuffled: Array = factors[random.permutation(count)].astype(np.float32)
    return shuffled


def render(count: int, seed: int, degraded: float, cache: pathlib.Path) -> tuple[Array, Array]:
    """Images [count, 3, 256, 256] in bytes, a share of them degraded, and their factors [count, 64].

    They are kept in the cache, and an interrupted run continues after its last chunk.
    """
    paths = [cache / f"encoder-{seed}-{degraded}-{end}" for end in ("images.npy", "factors.npy", "done.txt")]
    factors = sample_factors(count, seed)
    shapes = {paths[0]: (np.uint8, (count, 3, SIDE, SIDE)), paths[1]: (np.float32, (count, DIMENSION))}
    files = ChunkedFiles(paths[2], shapes)
    pixels, labels = files.arrays
    if files.done < count:
        started, starts = time.time(), range(files.done, count, CHUNK)
        with RenderPool(SIDE) as pool:
            for start, chunk in zip(starts, pool.chunks(factors[files.done :]), strict=True):
                random = np.random.RandomState([seed, start])
                moves = np.tile((0.0, 0.0, 1.0), (len(chunk), 1))
                for index in np.flatnonzero(random.rand(len(chunk)) < degraded):
                    chunk[index], *moves[index] = degrade(chunk[index], random)
                part = slice(start, start + len(chunk))
                pixels[part], labels[part] = chunk, displace(factors[part], *moves.T)
                files.finish(start + len(chunk))
        print(f"rendered in {time.time() - started:.0f} s", flush=True)
    return pixels, labels


def batches(pixels: Array, factors: Array, epoch: int) -> Iterator[tuple[Array, Array]]:
    """An epoch's images, some of them shifted, and factors. The next batch is read while the last one is learned."""
    random = np.random.RandomState([SEED, epoch])
    order = random.permutation(len(pixels))

    def read(start: int) -> tuple[Array, Array]:
        # In the file's order, which is faster to read.
        chosen = np.sort(order[start : start + BATCH])
        return shift_some(pixels[chosen], factors[chosen], random)

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(read, 0)
        for start in range(BATCH, len(pixels) - BATCH + 1, BATCH):
            ready, ahead = ahead, pool.submit(read, start)
            yield ready.result()
        yield ahead.result()


def train(trunk: Trunk, pixels: Array, factors: Array, path: pathlib.Path) -> None:
    """Trains the trunk. Continues from the checkpoint at `path`, which is written after each epoch."""
    count = len(pixels)
    optimizer = torch.optim.AdamW(trunk.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=RATE, total_steps=EPOCHS * (count // BATCH), pct_start=0.15
    )
    checkpoint = Checkpoint(path, trunk=trunk, optimizer=optimizer, schedule=schedule)
    done = checkpoint.load()["done"] if checkpoint.exists() else 0
    for epoch in range(done, EPOCHS):
        started, total = time.time(), 0.0
        for batch, (moved, target) in enumerate(batches(pixels, factors, epoch), start=1):
            image = torch.from_numpy(moved).contiguous(memory_format=torch.channels_last).float() / 127.5 - 1.0
            with torch.autocast("cpu", torch.bfloat16):
                predicted = trunk(image)
            loss = functional.smooth_l1_loss(predicted.float(), torch.from_numpy(target), beta=2.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            if batch % 200 == 0:
                print(f"{batch * BATCH} images, {time.time() - started:.0f} s, loss {total / batch:.4f}", flush=True)
        print(f"epoch {epoch + 1}: loss {total * BATCH / count:.4f}, {time.time() - started:.0f} s", flush=True)
        checkpoint.save(done=epoch + 1)


def cosines(trunk: Trunk, pixels: Array, factors: Array) -> Array:
    """The cosine [count] between predicted and true factors. A rotation changes no cosine, so it holds in w too."""
    with torch.no_grad():
        parts = np.array_split(pixels, max(1, len(pixels) // 128))
        predicted = np.concatenate([trunk(torch.from_numpy(part).float() / 127.5 - 1.0).numpy() for part in parts])
    lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(factors, axis=1)
    cosine: Array = (predicted * factors).sum(axis=1) / lengths
    return cosine


def main() -> None:
    arguments_of = parser(__doc__, cache="rendered images and unfinished weights")
    arguments_of.add_argument("--threads", type=int, default=2, help="1 is faster if other programs use the cores too")
    arguments = arguments_of.parse_args()
    torch.set_num_threads(arguments.threads)
    kinds = {"clean": 0.0, "degraded": 1.0}
    held = {kind: render(HELD_OUT, HELD_OUT_SEED, share, arguments.cache) for kind, share in kinds.items()}
    pixels, factors = render(IMAGES, SEED, DEGRADED, arguments.cache)
    torch.manual_seed(SEED)
    trunk = Trunk().to(memory_format=torch.channels_last)
    train(trunk, pixels, factors, arguments.cache / "encoder.pt")
    trunk.eval()
    for kind, (some, truth) in held.items():
        values = cosines(trunk, some, truth)
        print(f"{kind}: mean cosine {values.mean():.3f}, 5 % below {np.quantile(values, 0.05):.3f}", flush=True)
    encoder = Encoder(trunk.to(memory_format=torch.contiguous_format)).eval()
    write(encoder, torch.randn(3, 3, SIDE, SIDE), ("image", "w"), arguments.folder / "encoder.onnx", half=True)


if __name__ == "__main__":
    main()
