"""The encoder, picture to w: a small convolutional network that learns from drawn pictures, most of them worn."""

import argparse
import io
import pathlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor, nn
from torch.nn import functional

from .anatomy import SOFT_LIMIT, TRAITS
from .export import export, gap
from .factors import DIMENSION, INDEX, rotation
from .mapping import Mapping, sample_z
from .studio import CHUNK, Studio

SIDE = 256
"""Of the pictures."""

SEED = 21
PICTURES = 131_072
WORN = 0.6
"""The share of the pictures that are worn."""

NATURAL = 0.7
"""The share of the codes that come from the mapping as they are; the others lie further out."""

EDGE = 16
"""How far a picture's border is repeated outwards before it is moved, in pixels."""

EPOCHS, BATCH, RATE = 5, 64, 3e-3


def draw_factors(count: int, seed: int) -> np.ndarray:
    """Factors [count, 64]: the mapping's own, then codes up to 1.6 times as far from the mean, one factor moved besides."""
    turn = rotation()
    with torch.no_grad():
        factors = Mapping()(torch.tensor(sample_z(count, seed))).numpy() @ turn.T
    random = np.random.RandomState(seed + 1)
    wide = np.arange(int(count * NATURAL), count)
    factors[wide] *= random.uniform(1.0, 1.6, (len(wide), 1))
    factors[wide, random.randint(0, DIMENSION, len(wide))] += random.uniform(-3.0, 3.0, len(wide))
    return factors[random.permutation(count)].astype(np.float32)


def harden(soft: np.ndarray) -> np.ndarray:
    """The factor whose softened value is given: s / sqrt(1 - (s / 3)^2), s held within 2.7."""
    held = np.clip(soft, -0.9 * SOFT_LIMIT, 0.9 * SOFT_LIMIT)
    return held / np.sqrt(1.0 - (held / SOFT_LIMIT) ** 2)


def displace(factors: np.ndarray, across: np.ndarray, down: np.ndarray, zoom: np.ndarray) -> np.ndarray:
    """The factors [count, 64] that draw the same heads moved by shares of the picture and magnified by `zoom`.

    A head's middle is at centre and its size is scale, so centre' = zoom centre + 2 shift and scale' = zoom scale.
    """
    moved = factors.copy()
    for factor, trait, gain, offset in (
        ("shift_x", "centre_x", zoom, 2.0 * across),
        ("shift_y", "centre_y", zoom, 2.0 * down),
        ("nearness", "scale", zoom, 0.0),
    ):
        base, effect = TRAITS[trait][0], TRAITS[trait][1][factor]
        column = INDEX[factor]
        soft = factors[:, column] / np.sqrt(1.0 + (factors[:, column] / SOFT_LIMIT) ** 2)
        moved[:, column] = harden((gain * (base + effect * soft) + offset - base) / effect)
    return moved


def transform(picture: np.ndarray, across: float, down: float, zoom: float) -> Image.Image:
    """Bytes [3, 256, 256] moved by shares of the picture and magnified about its middle, the border repeated outwards."""
    padded = Image.fromarray(np.pad(picture.transpose(1, 2, 0), ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="edge"))
    middle = SIDE / 2
    offsets = (EDGE + middle - (middle + share * SIDE) / zoom for share in (across, down))
    left, top = offsets
    return padded.transform((SIDE, SIDE), Image.Transform.AFFINE, (1 / zoom, 0, left, 0, 1 / zoom, top), Image.BICUBIC)


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """The picture after JPEG of a quality."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def wear(picture: np.ndarray, random: np.random.RandomState) -> tuple[np.ndarray, float, float, float]:
    """A copy [3, 256, 256] as it would come back from elsewhere, and how it was moved: across, down, zoom."""
    reach = 0.04 if random.rand() < 0.3 else 0.012
    across, down = random.uniform(-reach, reach, 2)
    zoom = 1.0 + random.uniform(-0.03, 0.03)
    worn = transform(picture, across, down, zoom)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast):
        worn = enhancer(worn).enhance(random.uniform(0.94, 1.06))
    if random.rand() < 0.5:
        side = random.randint(80, 224)
        worn = worn.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    if random.rand() < 0.8:
        worn = jpeg(worn, random.randint(40, 96))
    return np.asarray(worn).transpose(2, 0, 1), across, down, zoom


def draw(count: int, seed: int, worn: float, cache: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [count, 3, 256, 256], a share of them worn, and their factors [count, 64].

    They are kept in the cache chunk by chunk, and a run that was cut short goes on after the last whole chunk.
    """
    path, kept, done = (cache / f"encoder-{seed}-{worn}-{end}" for end in ("pictures.npy", "factors.npy", "drawn.txt"))
    factors = draw_factors(count, seed)
    first = int(done.read_text()) if done.exists() else 0
    mode = "r+" if first else "w+"
    pictures = np.lib.format.open_memmap(path, mode, np.uint8, None if first else (count, 3, SIDE, SIDE))
    labels = np.lib.format.open_memmap(kept, mode, np.float32, None if first else (count, DIMENSION))
    if first < count:
        began = time.time()
        with Studio(SIDE) as studio:
            for start, drawn in zip(range(first, count, CHUNK), studio.chunks(factors[first:]), strict=True):
                random = np.random.RandomState([seed, start])
                moves = np.tile((0.0, 0.0, 1.0), (len(drawn), 1))
                for place in np.flatnonzero(random.rand(len(drawn)) < worn):
                    drawn[place], *moves[place] = wear(drawn[place], random)
                part = slice(start, start + len(drawn))
                pictures[part], labels[part] = drawn, displace(factors[part], *moves.T)
                done.write_text(str(start + len(drawn)))
        print(f"drawn in {time.time() - began:.0f} s", flush=True)
    return pictures, labels


class Residual(nn.Module):
    """Two convolutions that add to what they are given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        *first, _ = *block(width, width, 3, 1), *block(width, width, 3, 1)
        self.change = nn.Sequential(*first)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.change(x))


class Trunk(nn.Module):
    """Factors [batch, 64] from pictures [batch, 3, 256, 256] in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *block(3, 32, 8, 4),
            *block(32, 64, 4, 2),
            Residual(64),
            *block(64, 96, 4, 2),
            Residual(96),
            *block(96, 128, 4, 2),
        )
        self.reduce = nn.Sequential(nn.Conv2d(128, 40, 1), nn.ReLU(), nn.Flatten())
        self.factors = nn.Sequential(nn.Linear(40 * 64, 192), nn.ReLU(), nn.Linear(192, DIMENSION))

    def forward(self, image: Tensor) -> Tensor:
        return self.factors(self.reduce(self.features(image)))


def block(inward: int, outward: int, size: int, stride: int) -> tuple[nn.Module, ...]:
    """A convolution, normalised and rectified."""
    convolution = nn.Conv2d(inward, outward, size, stride=stride, padding=(size - stride + 1) // 2, bias=False)
    return convolution, nn.BatchNorm2d(outward), nn.ReLU()


class Encoder(nn.Module):
    """w [batch, 64] from pictures [batch, 3, 256, 256]: the trunk, and the factors turned back into w."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.register_buffer("turn", torch.tensor(rotation(), dtype=torch.float32))

    def forward(self, image: Tensor) -> Tensor:
        return self.trunk(image) @ self.turn


def nudge(pictures: np.ndarray, factors: np.ndarray, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Half of the pictures [count, 3, 256, 256] moved by up to four pixels, their factors moved along."""
    count, reach = len(pictures), 4
    moves = random.randint(-reach, reach + 1, (count, 2)) * (random.rand(count, 1) < 0.5)
    moved = np.empty_like(pictures)
    for made, given, (across, down) in zip(moved, pictures, moves, strict=True):
        padded = np.pad(given, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
        made[:] = padded[:, reach - down : reach - down + SIDE, reach - across : reach - across + SIDE]
    across, down = moves.T / SIDE
    return moved, displace(factors, across, down, np.ones(count))


def batches(pictures: np.ndarray, factors: np.ndarray, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """An epoch's pictures, nudged, and factors; the next ones are read while the last ones are learned from."""
    random = np.random.RandomState([SEED, epoch])
    order = random.permutation(len(pictures))

    def read(start: int) -> tuple[np.ndarray, np.ndarray]:
        # In the file's order, which is quicker to read.
        chosen = np.sort(order[start : start + BATCH])
        return nudge(pictures[chosen], factors[chosen], random)

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(read, 0)
        for start in range(BATCH, len(pictures) - BATCH + 1, BATCH):
            read_before, ahead = ahead, pool.submit(read, start)
            yield read_before.result()
        yield ahead.result()


def train(trunk: Trunk, pictures: np.ndarray, factors: np.ndarray, kept: pathlib.Path) -> None:
    """What each epoch leaves is kept in a file, and a run that was cut short goes on from there."""
    count = len(pictures)
    optimiser = torch.optim.AdamW(trunk.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=RATE, total_steps=EPOCHS * (count // BATCH), pct_start=0.15
    )
    parts = {"trunk": trunk, "optimiser": optimiser, "schedule": schedule}
    done = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        done = state["done"]
    for epoch in range(done, EPOCHS):
        began, total = time.time(), 0.0
        for batch, (moved, wanted) in enumerate(batches(pictures, factors, epoch), start=1):
            image = torch.from_numpy(moved).contiguous(memory_format=torch.channels_last).float() / 127.5 - 1.0
            with torch.autocast("cpu", torch.bfloat16):
                found = trunk(image)
            loss = functional.smooth_l1_loss(found.float(), torch.from_numpy(wanted), beta=2.0)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            if batch % 200 == 0:
                print(f"{batch * BATCH} pictures, {time.time() - began:.0f} s, loss {total / batch:.4f}", flush=True)
        print(f"epoch {epoch + 1}: loss {total * BATCH / count:.4f}, {time.time() - began:.0f} s", flush=True)
        torch.save({**{name: part.state_dict() for name, part in parts.items()}, "done": epoch + 1}, kept)


def cosines(trunk: Trunk, pictures: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The cosine [count] between the factors found and the true ones; a rotation changes no cosine, so it is w's."""
    with torch.no_grad():
        parts = np.array_split(pictures, max(1, len(pictures) // 128))
        found = np.concatenate([trunk(torch.from_numpy(part).float() / 127.5 - 1.0).numpy() for part in parts])
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(factors, axis=1)
    return (found * factors).sum(axis=1) / lengths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where pictures and unfinished weights are kept")
    parser.add_argument("--threads", type=int, default=2, help="1 is faster where others use the cores too")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    held = {kind: draw(2048, 5021, worn, given.cache) for kind, worn in (("clean", 0.0), ("worn", 1.0))}
    pictures, factors = draw(PICTURES, SEED, WORN, given.cache)
    torch.manual_seed(SEED)
    trunk = Trunk().to(memory_format=torch.channels_last)
    train(trunk, pictures, factors, given.cache / "encoder.pt")
    trunk.eval()
    for kind, (shown, wanted) in held.items():
        found = cosines(trunk, shown, wanted)
        print(f"{kind}: mean cosine {found.mean():.3f}, 5 % below {np.quantile(found, 0.05):.3f}", flush=True)
    encoder = Encoder(trunk.to(memory_format=torch.contiguous_format)).eval()
    path, example = given.folder / "encoder.onnx", torch.randn(3, 3, SIDE, SIDE)
    export(encoder, example, "image", "w", path, halved=True)
    print(f"{path.name}: {path.stat().st_size} bytes, differs by {gap(encoder, path, example):.1e}")


if __name__ == "__main__":
    main()
