"""Array types, and images as bytes and as values in [-1, 1]."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def to_bytes(images: Array) -> Array:
    """Values in [-1, 1] as bytes, rounded half up."""
    return np.clip((images + 1.0) * 127.5 + 0.5, 0, 255).astype(np.uint8)


def from_bytes(pixels: Array) -> Array:
    """Bytes as values in [-1, 1]."""
    return (pixels.astype(np.float32) / 127.5) - 1.0
