"""Labelled factors for classifiers: which portraits they learn from, the truth of each, and the loss."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from common.attributes import ATTRIBUTES

from .anatomy import soften
from .factors import INDEX, TRUTH, rotation
from .mapping import Mapping, sample_z

STEEPNESS = 3.0
"""The target score is this times the true factor, softened as the renderer does, so scores stay ordered far out."""


def truth_of(factors: Tensor) -> Tensor:
    """The five true values [batch, 5] of factors [batch, 64]."""
    return factors[:, [INDEX[TRUTH[name]] for name in ATTRIBUTES]]


def sample_factors(count: int, seed: int) -> Tensor:
    """Factors [count, 64]: half with the mapping's correlations, half independent and wider.

    The independent half keeps a classifier from guessing one attribute from another.
    """
    turn = torch.tensor(rotation(), dtype=torch.float32)
    with torch.no_grad():
        natural = Mapping()(torch.tensor(sample_z(count // 2, seed))) @ turn.T
    random = np.random.RandomState(seed + 1)
    wide = random.randn(count - count // 2, len(INDEX)) * random.uniform(0.8, 1.3, (count - count // 2, 1))
    # Edits go far along the five attributes, so these must be known far from the mean.
    columns = [INDEX[name] for name in TRUTH.values()]
    wide[:, columns] *= random.uniform(1.0, 2.4, (len(wide), len(columns)))
    return torch.cat([natural, torch.tensor(wide, dtype=torch.float32)])


def side_and_distance(scores: Tensor, truth: Tensor) -> Tensor:
    """The loss of scores: cross-entropy on the side of the threshold, plus a Huber loss on the distance from it."""
    side = functional.binary_cross_entropy_with_logits(scores, (truth > 0).float())
    distance = functional.smooth_l1_loss(scores / STEEPNESS, soften(truth), beta=0.5)
    return side + distance
