"""Writes reference.json: the boundaries that scikit-learn's SVC and numpy's least squares find for scored codes.

Run with numpy and scikit-learn: `python tests/fitting/reference.py`. Codes and scores come from seeds, and the
tests generate them again, so only the boundaries are kept. A row of numbers is one string, in which each number reads
back exactly.
"""

import json
import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVC

Array = npt.NDArray[Any]
Case = dict[str, Any]
Ends = tuple[Array, Array]

CASES: list[Case] = [
    {"name": "the ends lie apart", "samples": 3000, "shape": [1, 64], "noise": 0.2, "ratio": 0.2, "seed": 1},
    {"name": "the ends overlap", "samples": 1500, "shape": [1, 48], "noise": 1.5, "ratio": 0.5, "seed": 2},
    {"name": "fewer samples than values", "samples": 200, "shape": [1, 160], "noise": 0.5, "ratio": 0.3, "seed": 3},
    {"name": "several layers", "samples": 1200, "shape": [4, 16], "noise": 0.3, "ratio": 0.1, "seed": 4},
    {
        "name": "away from the origin",
        "samples": 900,
        "shape": [1, 24],
        "noise": 0.4,
        "ratio": 0.2,
        "seed": 5,
        "offset": 3.0,
    },
]


def row(values: npt.ArrayLike) -> str:
    """One row of numbers as a string."""
    return " ".join(repr(float(value)) for value in np.atleast_1d(values))


def scored_codes(case: Case) -> tuple[Array, Array]:
    """Codes in f32, and their scores along a direction, with noise."""
    samples, dim, seed = case["samples"], int(np.prod(case["shape"])), case["seed"]
    codes = np.random.RandomState(seed).randn(samples, dim) + case.get("offset", 0.0)
    direction = np.random.RandomState(seed + 100).randn(dim)
    noise = np.random.RandomState(seed + 200).randn(samples)
    scores = codes @ direction / np.sqrt(dim) + case["noise"] * noise
    return codes.astype(np.float32), scores


def split(scores: Array, ratio: float, seed: int) -> tuple[Ends, Ends]:
    """Indices of the training samples and of the held-out ones, at both ends of the scores.

    The split that `faceplane train-boundary` makes.
    """
    order = np.argsort(-scores, kind="stable")
    chosen = int(len(scores) * ratio)
    random = np.random.RandomState(seed)
    high, low = random.permutation(order[:chosen]), random.permutation(order[-chosen:])
    train = int(chosen * 0.7)
    return (high[:train], low[:train]), (high[train:], low[train:])


def boundary(weights: Array, intercept: float) -> dict[str, Any]:
    """Unit normal and intercept."""
    length = np.linalg.norm(weights)
    return {"normal": row(weights / length), "intercept": row(intercept / length)}


def accuracy(normal: Array, intercept: float, codes: Array, ends: Ends) -> float:
    """The share of both ends that lies on the right side."""
    high, low = ends
    right = (codes[high] @ normal + intercept > 0).sum() + (codes[low] @ normal + intercept <= 0).sum()
    return float(right / (len(high) + len(low)))


def reference(case: Case) -> Case:
    codes, scores = scored_codes(case)
    codes = codes.astype(np.float64)
    train, held_out = split(scores, case["ratio"], case["seed"])
    machine = SVC(kernel="linear", C=1.0, tol=1e-5)
    machine.fit(codes[np.r_[train]], np.r_[np.ones(len(train[0])), np.zeros(len(train[1]))])
    weights, intercept = machine.coef_[0], machine.intercept_[0]
    threshold = (scores.max() + scores.min()) / 2
    svm = boundary(weights, intercept) | {
        "train": accuracy(weights, intercept, codes, train),
        "held_out": accuracy(weights, intercept, codes, held_out),
        "all": float(((codes @ weights + intercept > 0) == (scores > threshold)).mean()),
    }
    result = case | {"svm": svm}
    if len(codes) > codes.shape[1] + 100:
        fitted, *_ = np.linalg.lstsq(np.c_[codes, np.ones(len(codes))], scores, rcond=None)
        result["least_squares"] = boundary(fitted[:-1], fitted[-1] - threshold)
    return result


def main() -> None:
    path = pathlib.Path(__file__).with_name("reference.json")
    path.write_text(json.dumps([reference(case) for case in CASES], indent=1) + "\n")


if __name__ == "__main__":
    main()
