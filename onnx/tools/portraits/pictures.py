"""The pictures that the GAN learns from: the phantom's, upright, of one size, the eyes in one place, at 64 × 64."""

import pathlib
from dataclasses import dataclass

import numpy as np
import torch

from phantom.anatomy import Anatomy
from phantom.factors import INDEX, rotation
from phantom.head import DEPTH
from phantom.mapping import Mapping, sample_z
from phantom.studio import CHUNK, Studio

SIDE = 64
"""The GAN's pictures have this many pixels a side."""

DRAWN, WINDOW = 198, 2 * SIDE
"""A picture is drawn so large, and this much of it cut out; two by two of its pixels become one."""

ALIGNED = ("roll", "nearness", "shift_x", "shift_y")
"""Factors that are 0 in every picture, as though faces had been aligned by their eyes."""

BELOW_EYES = 0.06
"""The window's middle, in head units below the eyes."""


def factors_of(z: np.ndarray) -> np.ndarray:
    """The aligned factors [count, 64] of the phantom's codes [count, 64]."""
    with torch.no_grad():
        factors = (Mapping()(torch.from_numpy(z)).numpy() @ rotation().T).astype(np.float32)
    return aligned(factors)


def aligned(factors: np.ndarray) -> np.ndarray:
    """The same factors [count, 64], but of faces in one place."""
    factors = factors.copy()
    factors[:, [INDEX[name] for name in ALIGNED]] = 0.0
    return factors


def corners(factors: np.ndarray) -> np.ndarray:
    """Row and column [count, 2] where each picture's window begins: it follows the middle between the eyes."""
    with torch.no_grad():
        t = {name: value.flatten().numpy() for name, value in Anatomy()(torch.from_numpy(factors)).items()}
    eyes_x = np.sqrt(DEPTH**2 - t["eye_distance"] ** 2) * np.sin(t["yaw"])
    eyes_y = 0.37 * t["pitch"] + BELOW_EYES
    middle = np.stack([t["centre_y"] + t["scale"] * eyes_y, t["centre_x"] + t["scale"] * eyes_x], axis=1)
    start = np.round((middle + 1.0) * (DRAWN / 2) - WINDOW / 2)
    return np.clip(start, 0, DRAWN - WINDOW).astype(int)


def crop(pictures: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Bytes [count, 3, 198, 198] as bytes [count, 3, 64, 64]."""
    cut = np.stack([p[:, y : y + WINDOW, x : x + WINDOW] for p, (y, x) in zip(pictures, starts, strict=True)])
    cells = cut.astype(np.uint16).reshape(*cut.shape[:2], SIDE, 2, SIDE, 2)
    return ((cells.sum(axis=(3, 5)) + 2) // 4).astype(np.uint8)


@dataclass(frozen=True)
class Pictures:
    """Pictures, and what they were drawn from."""

    pixels: np.ndarray
    """Bytes [count, 3, 64, 64]."""

    z: np.ndarray
    """The phantom's codes [count, 64]."""


def render(factors: np.ndarray, name: str, cache: pathlib.Path) -> np.ndarray:
    """Bytes [count, 3, 64, 64] of aligned factors. They are kept in the cache under that name, and a run that was cut short
    goes on after its last chunk."""
    starts = corners(factors)
    path, done = cache / f"pictures-{name}.npy", cache / f"pictures-{name}.txt"
    first = int(done.read_text()) if done.exists() else 0
    shape = (len(factors), 3, SIDE, SIDE)
    pixels = np.lib.format.open_memmap(path, "r+" if first else "w+", np.uint8, None if first else shape)
    if first < len(factors):
        with Studio(DRAWN) as studio:
            for start, drawn in zip(range(first, len(factors), CHUNK), studio.chunks(factors[first:]), strict=True):
                end = start + len(drawn)
                pixels[start:end] = crop(drawn, starts[start:end])
                done.write_text(str(end))
    return pixels


def draw(count: int, seed: int, cache: pathlib.Path) -> Pictures:
    """Pictures of a seed's codes."""
    z = sample_z(count, seed)
    return Pictures(render(factors_of(z), str(seed), cache), z)
