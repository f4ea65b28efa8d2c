"""Latent codes of seeds, exactly as the service samples them."""

import numpy as np

from .arrays import Array


def rescale(z: Array) -> Array:
    """Codes [count, dim] at norm sqrt(dim)."""
    rescaled: Array = (z * np.sqrt(z.shape[1]) / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)
    return rescaled


def sample_z(count: int, seed: int, dimension: int) -> Array:
    """Codes [count, dimension] of one seed. A single one is the service's code of that seed."""
    return rescale(np.random.RandomState(seed).randn(count, dimension))
