"""The encoder, picture to w: a small convolutional network that learns from drawn pictures and from worn copies of them."""

import argparse
import io
import pathlib
import time
from dataclasses import dataclass

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

DRAWN = 256
SIDE = 128
"""Pictures are drawn at the first size; the network pools them to the second, and training pictures are kept at it."""

SEED = 21
NATURAL = 0.6
"""The share of the codes that come from the mapping as they are; the others lie further out."""

EDGE = 16
"""How far a picture's border is repeated outwards before it is moved, in pixels of the drawn size."""


@dataclass(frozen=True)
class Cycle:
    """One rise and fall of the learning rate."""

    seed: int
    epochs: int
    rate: float


CYCLES = (Cycle(SEED, 8, 3e-3), Cycle(SEED + 1, 9, 2e-3))


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
    middle = DRAWN / 2
    offsets = (EDGE + middle - (middle + share * DRAWN) / zoom for share in (across, down))
    left, top = offsets
    return padded.transform((DRAWN, DRAWN), Image.Transform.AFFINE, (1 / zoom, 0, left, 0, 1 / zoom, top), Image.BICUBIC)


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
        worn = worn.resize((side, side), Image.Resampling.BILINEAR).resize((DRAWN, DRAWN), Image.Resampling.BICUBIC)
    if random.rand() < 0.8:
        worn = jpeg(worn, random.randint(40, 96))
    return np.asarray(worn).transpose(2, 0, 1), across, down, zoom


def halve(pictures: np.ndarray) -> np.ndarray:
    """Bytes [count, 3, 256, 256] pooled to [count, 3, 128, 128]."""
    wide = pictures.astype(np.uint16)
    rows = wide[:, :, 0::2] + wide[:, :, 1::2]
    return ((rows[..., 0::2] + rows[..., 1::2] + 2) >> 2).astype(np.uint8)


def draw(count: int, seed: int, cache: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [2, count, 3, 128, 128], clean and worn, and their factors [2, count, 64].

    They are kept in the cache chunk by chunk, and a run that was cut short goes on after the last whole chunk.
    """
    path, kept, done = (cache / f"encoder-{seed}{end}" for end in ("-pictures.npy", "-factors.npy", "-drawn.txt"))
    factors = draw_factors(count, seed)
    first = int(done.read_text()) if done.exists() else 0
    mode = "r+" if first else "w+"
    pictures = np.lib.format.open_memmap(path, mode, np.uint8, None if first else (2, count, 3, SIDE, SIDE))
    labels = np.lib.format.open_memmap(kept, mode, np.float32, None if first else (2, count, DIMENSION))
    if first < count:
        began = time.time()
        with Studio(DRAWN) as studio:
            for start, drawn in zip(range(first, count, CHUNK), studio.chunks(factors[first:]), strict=True):
                random = np.random.RandomState([seed, start])
                worn, *moves = zip(*(wear(picture, random) for picture in drawn), strict=True)
                part = slice(start, start + len(drawn))
                pictures[:, part] = halve(drawn), halve(np.stack(worn))
                labels[:, part] = factors[part], displace(factors[part], *map(np.array, moves))
                done.write_text(str(start + len(drawn)))
        print(f"drawn in {time.time() - began:.0f} s", flush=True)
    return pictures, labels


class Trunk(nn.Module):
    """Factors [batch, 64] from pictures [batch, 3, 128, 128] in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *block(3, 32, 8, 4),
            *block(32, 64, 3, 2),
            *block(64, 64, 3, 1),
            *block(64, 96, 3, 2),
            *block(96, 96, 3, 1),
        )
        self.reduce = nn.Sequential(nn.Conv2d(96, 32, 1), nn.ReLU(), nn.Flatten())
        self.factors = nn.Sequential(nn.Linear(32 * 64, 160), nn.ReLU(), nn.Linear(160, DIMENSION))

    def forward(self, image: Tensor) -> Tensor:
        return self.factors(self.reduce(self.features(image)))


def block(inward: int, outward: int, size: int, stride: int) -> tuple[nn.Module, ...]:
    """A convolution, normalised and rectified."""
    convolution = nn.Conv2d(inward, outward, size, stride=stride, padding=(size - stride + 1) // 2, bias=False)
    return convolution, nn.BatchNorm2d(outward), nn.ReLU()


class Encoder(nn.Module):
    """w [batch, 64] from pictures [batch, 3, 256, 256]: pooled to 128, the trunk, and the factors turned back into w."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.register_buffer("turn", torch.tensor(rotation(), dtype=torch.float32))

    def forward(self, image: Tensor) -> Tensor:
        return self.trunk(functional.avg_pool2d(image, DRAWN // SIDE)) @ self.turn


def nudge(pictures: np.ndarray, factors: np.ndarray, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Half of the pictures [count, 3, 128, 128] moved by up to two pixels, their factors moved along."""
    count, reach = len(pictures), 2
    moves = random.randint(-reach, reach + 1, (count, 2)) * (random.rand(count, 1) < 0.5)
    index = np.clip(np.arange(SIDE) - moves[..., None], 0, SIDE - 1)
    moved = pictures[np.arange(count)[:, None, None], :, index[:, 1, :, None], index[:, 0, None, :]]
    across, down = moves.T / SIDE
    return moved.transpose(0, 3, 1, 2), displace(factors, across, down, np.ones(count))


def train(trunk: Trunk, pictures: np.ndarray, factors: np.ndarray, cycle: Cycle, kept: pathlib.Path) -> None:
    """One cycle. What each epoch leaves is kept in a file, and a run that was cut short goes on from there."""
    batch, count = 64, pictures.shape[1]
    optimiser = torch.optim.AdamW(trunk.parameters(), lr=cycle.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=cycle.rate, total_steps=cycle.epochs * (count // batch), pct_start=0.15
    )
    parts = {"trunk": trunk, "optimiser": optimiser, "schedule": schedule}
    done = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        done = state["done"]
    for epoch in range(done, cycle.epochs):
        random = np.random.RandomState([cycle.seed, epoch])
        order = random.permutation(count)
        began, total = time.time(), 0.0
        for start in range(0, count - batch + 1, batch):
            chosen, worn = order[start : start + batch], (random.rand(batch) < 0.6).astype(int)
            moved, wanted = nudge(pictures[worn, chosen], factors[worn, chosen], random)
            image = torch.from_numpy(np.ascontiguousarray(moved)).float() / 127.5 - 1.0
            image = image.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                found = trunk(image)
            loss = functional.smooth_l1_loss(found.float(), torch.from_numpy(wanted), beta=1.0)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            if start // batch % 200 == 199:
                print(f"{start + batch} pictures, {time.time() - began:.0f} s", flush=True)
        print(f"epoch {epoch + 1}: loss {total * batch / count:.4f}, {time.time() - began:.0f} s", flush=True)
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
    parser.add_argument("--pictures", type=int, default=48_128)
    parser.add_argument("--threads", type=int, default=2, help="1 is faster where others use the cores too")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    held_pictures, held_factors = draw(2048, 5021, given.cache)
    pictures, factors = draw(given.pictures, SEED, given.cache)
    torch.manual_seed(SEED)
    trunk = Trunk().to(memory_format=torch.channels_last)
    for place, cycle in enumerate(CYCLES, start=1):
        train(trunk, pictures, factors, cycle, given.cache / f"encoder-{place}.pt")
    trunk.eval()
    for place, kind in enumerate(("clean", "worn")):
        found = cosines(trunk, held_pictures[place], held_factors[place])
        print(f"{kind}: mean cosine {found.mean():.3f}, 5 % below {np.quantile(found, 0.05):.3f}", flush=True)
    encoder = Encoder(trunk.to(memory_format=torch.contiguous_format)).eval()
    path, example = given.folder / "encoder.onnx", torch.randn(3, 3, DRAWN, DRAWN)
    export(encoder, example, "image", "w", path)
    print(f"{path.name}: {path.stat().st_size} bytes, differs by {gap(encoder, path, example):.1e}")


if __name__ == "__main__":
    main()
