"""The mapping network z -> w: it gives factors correlations like those of real faces, and is slightly non-linear."""

import numpy as np
import torch
from torch import Tensor, nn

from common import sampling
from common.arrays import Array

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
"""The correlations of factors that the mapping is designed to give; all others are 0."""

MAPPING_SEED = 91115
"""An arbitrary number, chosen because the face of seed 7 then shows clearly what an edit changes."""

HIDDEN = 128
NONLINEAR_SHARE = 0.08
"""The share of each factor's variance that no linear function of z explains."""


def designed_correlation() -> Array:
    """The designed correlation matrix of the factors, [64, 64]."""
    matrix = np.eye(len(NAMES))
    for (first, second), value in CORRELATIONS.items():
        matrix[INDEX[first], INDEX[second]] = matrix[INDEX[second], INDEX[first]] = value
    if np.linalg.eigvalsh(matrix).min() <= 0:
        raise ValueError("no distribution has the designed correlations: their matrix is not positive definite")
    return matrix


class Mapping(nn.Module):
    """w = A' f(z), with f = S (sqrt(1-s) Q z + sqrt(s) V |U z|).

    S S' is the matrix of designed correlations; Q, U and V are random.
    """

    def __init__(self) -> None:
        super().__init__()
        random = np.random.RandomState(MAPPING_SEED)
        spectrum, axes = np.linalg.eigh(designed_correlation())
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
        nonlinear = np.sqrt(NONLINEAR_SHARE) / deviation * (out @ outward)
        self.register_buffer("bent", torch.tensor(nonlinear.T, dtype=torch.float32))
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))

    def forward(self, z: Tensor) -> Tensor:
        folded = (z @ self.inward).abs() - self.mean
        return z @ self.linear + folded @ self.bent


def sample_z(count: int, seed: int) -> Array:
    """The service's codes [count, 64] of one seed."""
    return sampling.sample_z(count, seed, DIMENSION)
