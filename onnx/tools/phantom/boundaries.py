"""Finds each attribute's hyperplane in z and in w as the paper does: scores, extremes, a linear SVM."""

import argparse
import json
import pathlib

import numpy as np
import torch
from sklearn.svm import LinearSVC

from .classifier import SIDE, truth_of
from .factors import ATTRIBUTES, rotation
from .mapping import Mapping, sample_z
from .studio import Studio

SEED = 2020
CHOSEN_RATIO, HELD_OUT = 0.1, 0.3
"""The share of the samples taken at each end of the scores, and the share of those that is held out.

The paper takes 2 % of 500,000. This is the same number of codes, from a fifth of the pictures: the plane is known the
better the more codes fit it, and 2,000 at each end left side effects that are the noise of the fit.
"""


def separate(codes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float, int, dict[str, float]]:
    """Unit normal, intercept, how many codes were chosen at each end, and the accuracies."""
    order = np.argsort(-scores, kind="stable")
    chosen = int(len(scores) * CHOSEN_RATIO)
    random = np.random.RandomState(SEED)
    high, low = random.permutation(order[:chosen]), random.permutation(order[-chosen:])
    train = int(chosen * (1 - HELD_OUT))
    fitted = np.r_[high[:train], low[:train]]
    held_out = np.r_[high[train:], low[train:]]
    machine = LinearSVC(C=1.0, loss="hinge", max_iter=200_000, random_state=SEED)
    machine.fit(codes[fitted].astype(np.float64), np.r_[np.ones(train), np.zeros(train)])
    length = np.linalg.norm(machine.coef_)
    normal, intercept = machine.coef_ / length, float(machine.intercept_[0] / length)
    right = (codes @ normal[0] + intercept > 0) == (scores > 0)
    accuracy = {"train": right[fitted].mean(), "held_out": right[held_out].mean(), "all": right.mean()}
    return normal, intercept, chosen, {name: round(float(share), 4) for name, share in accuracy.items()}


def score(samples: int, cache: pathlib.Path) -> None:
    """Draws and scores the samples once, and keeps scores and truth in the cache."""
    with torch.no_grad():
        factors = Mapping()(torch.tensor(sample_z(samples, SEED))) @ torch.tensor(rotation().T, dtype=torch.float32)
    with Studio(SIDE, cache / "trunk.onnx") as studio:
        np.save(cache / "scores.npy", studio.scores(factors.numpy()))
    np.save(cache / "truth.npy", truth_of(factors).numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where the classifier step left trunk.onnx")
    parser.add_argument("--samples", type=int, default=100_000)
    given = parser.parse_args()
    torch.set_num_threads(2)
    kept = given.cache / "scores.npy"
    if not kept.exists() or len(np.load(kept)) != given.samples:
        score(given.samples, given.cache)
    scores = np.load(kept)
    z = sample_z(given.samples, SEED)
    with torch.no_grad():
        w = Mapping()(torch.tensor(z)).numpy()
    target = given.folder / "boundaries"
    target.mkdir(exist_ok=True)
    for position, attribute in enumerate(ATTRIBUTES):
        for space, codes in (("z", z), ("w", w)):
            normal, intercept, chosen, accuracy = separate(codes, scores[:, position])
            np.save(target / f"{attribute}_{space}.npy", normal.astype("<f8"))
            found = {
                "attribute": attribute,
                "space": space,
                "intercept": intercept,
                "samples": given.samples,
                "chosen": chosen,
                "seed": SEED,
                "classifier": "classifier.onnx",
                "accuracy": accuracy,
            }
            (target / f"{attribute}_{space}.json").write_text(json.dumps(found, indent=2) + "\n")
            print(attribute, space, accuracy, flush=True)


if __name__ == "__main__":
    main()
