"""Degrades images as other programs do, and adjusts their factors to the shift and the zoom."""

import io

import numpy as np
from PIL import Image, ImageEnhance

from common.arrays import Array

from .anatomy import SOFT_LIMIT, TRAITS
from .factors import INDEX

SIDE = 256
"""The side of the images."""

EDGE = 16
"""How far the border of an image is repeated outwards before the image is moved, in pixels."""

REACH = 4
"""The greatest shift of `shift_some`, in pixels."""


def harden(soft: Array) -> Array:
    """The factor of a softened value: s / sqrt(1 - (s / 3)^2), with s clipped to 2.7 in magnitude."""
    clipped = np.clip(soft, -0.9 * SOFT_LIMIT, 0.9 * SOFT_LIMIT)
    factor: Array = clipped / np.sqrt(1.0 - (clipped / SOFT_LIMIT) ** 2)
    return factor


def displace(factors: Array, across: Array, down: Array, zoom: Array) -> Array:
    """The factors [count, 64] of the same heads, shifted by shares of the image and magnified by `zoom`.

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


def transform(pixels: Array, across: float, down: float, zoom: float) -> Image.Image:
    """Bytes [3, 256, 256], shifted by shares of the image and magnified about its middle. The border is repeated."""
    padded = Image.fromarray(np.pad(pixels.transpose(1, 2, 0), ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="edge"))
    middle = SIDE / 2
    left, top = (EDGE + middle - (middle + share * SIDE) / zoom for share in (across, down))
    matrix = (1 / zoom, 0, left, 0, 1 / zoom, top)
    return padded.transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def through_jpeg(image: Image.Image, quality: int) -> Image.Image:
    """The image after JPEG compression."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def degrade(pixels: Array, random: np.random.RandomState) -> tuple[Array, float, float, float]:
    """A degraded copy of bytes [3, 256, 256], and how it was moved: across, down, zoom."""
    reach = 0.04 if random.rand() < 0.3 else 0.012
    across, down = random.uniform(-reach, reach, 2)
    zoom = 1.0 + random.uniform(-0.03, 0.03)
    image = transform(pixels, across, down, zoom)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast):
        image = enhancer(image).enhance(random.uniform(0.94, 1.06))
    if random.rand() < 0.5:
        side = random.randint(80, 224)
        image = image.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    if random.rand() < 0.8:
        image = through_jpeg(image, random.randint(40, 96))
    return np.asarray(image).transpose(2, 0, 1), across, down, zoom


def shift_some(pixels: Array, factors: Array, random: np.random.RandomState) -> tuple[Array, Array]:
    """Shifts half of the images [count, 3, 256, 256] by up to four pixels, and adjusts their factors."""
    count = len(pixels)
    shifts = random.randint(-REACH, REACH + 1, (count, 2)) * (random.rand(count, 1) < 0.5)
    moved = np.empty_like(pixels)
    for target, source, (across, down) in zip(moved, pixels, shifts, strict=True):
        padded = np.pad(source, ((0, 0), (REACH, REACH), (REACH, REACH)), mode="edge")
        target[:] = padded[:, REACH - down : REACH - down + SIDE, REACH - across : REACH - across + SIDE]
    across, down = shifts.T / SIDE
    return moved, displace(factors, across, down, np.ones(count))
