"""The training images: the phantom's renders, upright, of one size, aligned by the eyes, at 64 × 64 pixels."""

import pathlib
from dataclasses import dataclass

import numpy as np
import torch

from common.arrays import Array
from common.chunks import ChunkedFiles
from phantom.anatomy import Anatomy
from phantom.factors import INDEX, rotation
from phantom.head import DEPTH
from phantom.mapping import Mapping, sample_z
from phantom.render_pool import CHUNK, RenderPool

SIDE = 64
"""The side of the GAN's images."""

RENDERED, WINDOW = 198, 2 * SIDE
"""Images are rendered at the first side, cropped to the second, and then halved."""

ALIGNED = ("roll", "nearness", "shift_x", "shift_y")
"""Factors that are 0 in every image, as if the faces had been aligned by their eyes."""

BELOW_EYES = 0.06
"""The middle of the window, in head units below the eyes."""

COUNT, SEED = 30_720, 64
"""The number and the seed of the renders that the GAN learns from."""


def aligned(factors: Array) -> Array:
    """Factors [count, 64] of the same faces after alignment."""
    factors = factors.copy()
    factors[:, [INDEX[name] for name in ALIGNED]] = 0.0
    return factors


def factors_of(z: Array) -> Array:
    """The aligned factors [count, 64] of the phantom's codes [count, 64]."""
    with torch.no_grad():
        factors = (Mapping()(torch.from_numpy(z)).numpy() @ rotation().T).astype(np.float32)
    return aligned(factors)


def corners(factors: Array) -> Array:
    """The first row and column [count, 2] of each image's window, which follows the middle between the eyes."""
    with torch.no_grad():
        t = {name: value.flatten().numpy() for name, value in Anatomy()(torch.from_numpy(factors)).items()}
    eyes_x = np.sqrt(DEPTH**2 - t["eye_distance"] ** 2) * np.sin(t["yaw"])
    eyes_y = 0.37 * t["pitch"] + BELOW_EYES
    middle = np.stack([t["centre_y"] + t["scale"] * eyes_y, t["centre_x"] + t["scale"] * eyes_x], axis=1)
    start = np.round((middle + 1.0) * (RENDERED / 2) - WINDOW / 2)
    first: Array = np.clip(start, 0, RENDERED - WINDOW).astype(int)
    return first


def crop(pixels: Array, starts: Array) -> Array:
    """Bytes [count, 3, 198, 198], cropped and halved to bytes [count, 3, 64, 64]."""
    cropped = np.stack([p[:, y : y + WINDOW, x : x + WINDOW] for p, (y, x) in zip(pixels, starts, strict=True)])
    cells = cropped.astype(np.uint16).reshape(*cropped.shape[:2], SIDE, 2, SIDE, 2)
    halved: Array = ((cells.sum(axis=(3, 5)) + 2) // 4).astype(np.uint8)
    return halved


def render(factors: Array, name: str, cache: pathlib.Path) -> Array:
    """Bytes [count, 3, 64, 64] of aligned factors.

    They are kept in the cache under that name, and an interrupted run continues after its last chunk.
    """
    starts = corners(factors)
    path = cache / f"renders-{name}.npy"
    files = ChunkedFiles(path.with_suffix(".txt"), {path: (np.uint8, (len(factors), 3, SIDE, SIDE))})
    (pixels,) = files.arrays
    if files.done < len(factors):
        with RenderPool(RENDERED) as pool:
            first = files.done
            for start, chunk in zip(range(first, len(factors), CHUNK), pool.chunks(factors[first:]), strict=True):
                end = start + len(chunk)
                pixels[start:end] = crop(chunk, starts[start:end])
                files.finish(end)
    return pixels


@dataclass(frozen=True)
class Renders:
    """Renders and the codes behind them."""

    pixels: Array
    """Bytes [count, 3, 64, 64]."""

    z: Array
    """The phantom's codes [count, 64]."""


def training_renders(cache: pathlib.Path) -> Renders:
    """The renders that the GAN learns from."""
    z = sample_z(COUNT, SEED)
    return Renders(render(factors_of(z), str(SEED), cache), z)
