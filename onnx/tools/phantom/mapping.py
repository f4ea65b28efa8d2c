"""The mapping network z -> w: correlations as in life, and a little that is not linear."""

import numpy as np
import torch
from torch import nn

from .factors import DIMENSION, INDEX, NAMES, rotation

CORRELATIONS = {
    ("age", "gender"): 0.42,
    ("age", "eyeglasses"): 0.40,
    ("gender", "eyeglasses"): 0.46,
    ("gender", "hair_length"): -0.40,
    ("gender", "brow_weight"): 0.15,
    ("gender", "earrings"): -0.30,
    ("gender", "lip_colour"): -0.20,
    ("gender", "jaw"): 0.15,
    ("gender", "shoulders"): 0.15,
    ("age", "hairline"): 0.25,
    ("age", "lines"): 0.30,
    ("age", "hair_hue"): -0.15,
    ("smile", "mouth_opening"): 0.40,
    ("smile", "eye_opening"): -0.20,
    ("smile", "gender"): -0.15,
    ("smile", "blush"): 0.20,
    ("yaw", "gaze"): 0.30,
    ("yaw", "shoulder_turn"): 0.40,
    ("skin", "hair_lightness"): 0.50,
    ("skin", "eye_colour"): 0.40,
    ("skin", "freckles"): 0.25,
    ("hair_lightness", "eye_colour"): 0.30,
    ("wave", "curl"): 0.25,
}
"""The correlations of the factors that the mapping aims at; all others are 0."""

MAPPING_SEED = 91115
"""Any number would do; with this one seed 7 is a face that shows well what an edit changes."""

HIDDEN = 128
NONLINEAR_SHARE = 0.08
"""The share of each factor's variance that no linear function of z explains."""


def target_correlation() -> np.ndarray:
    """The designed correlation matrix of the factors, [64, 64]."""
    matrix = np.eye(len(NAMES))
    for (first, second), value in CORRELATIONS.items():
        matrix[INDEX[first], INDEX[second]] = matrix[INDEX[second], INDEX[first]] = value
    if np.linalg.eigvalsh(matrix).min() <= 0:
        raise ValueError("the designed correlations contradict one another")
    return matrix


class Mapping(nn.Module):
    """w = A' f(z); f = S (sqrt(1-s) Q z + sqrt(s) V |U z|), with S S' the designed correlations and Q, U, V random."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.RandomState(MAPPING_SEED)
        spectrum, axes = np.linalg.eigh(target_correlation())
        mixing = axes * np.sqrt(spectrum) @ axes.T
        turn = np.linalg.qr(random.randn(DIMENSION, DIMENSION))[0]
        inward = random.randn(HIDDEN, DIMENSION)
        inward /= np.linalg.norm(inward, axis=1, keepdims=True)
        outward = np.linalg.qr(random.randn(HIDDEN, DIMENSION))[0].T
        # |u| of a standard normal u has mean sqrt(2/pi) and variance 1 - 2/pi.
        mean, deviation = np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)
        out = rotation().T @ mixing
        self.register_buffer("linear", torch.tensor(np.sqrt(1 - NONLINEAR_SHARE) * (out @ turn).T, dtype=torch.float32))
        self.register_buffer("inward", torch.tensor(inward.T, dtype=torch.float32))
        bent = np.sqrt(NONLINEAR_SHARE) / deviation * (out @ outward)
        self.register_buffer("bent", torch.tensor(bent.T, dtype=torch.float32))
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        folded = (z @ self.inward).abs() - self.mean
        return z @ self.linear + folded @ self.bent


def sample_z(count: int, seed: int) -> np.ndarray:
    """Codes [count, 64] from one seed, each rescaled to norm 8 as the service does."""
    return rescale(np.random.RandomState(seed).randn(count, DIMENSION))


def seed_z(seed: int) -> np.ndarray:
    """The service's code [1, 64] for one seed."""
    return rescale(np.random.RandomState(seed).randn(1, DIMENSION))


def rescale(z: np.ndarray) -> np.ndarray:
    """Codes [count, dim] at norm sqrt(dim)."""
    return (z * np.sqrt(z.shape[1]) / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)
