"""Writes reference.json: numpy's results for sampling, projection, series and truncation.

Run with numpy alone: `python tests/parity/reference.py`. A row of numbers is one string, in which each number reads
back exactly; a matrix is a list of rows.
"""

import json
import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SEEDS = [0, 7, 12345, 4294967295]


def row(values: npt.ArrayLike) -> str:
    """One row of numbers as a string."""
    return " ".join(repr(float(value)) for value in np.atleast_1d(values))


def rows(values: Array) -> list[str]:
    """A matrix as a list of rows."""
    return [row(line) for line in values]


def sampling(seed: int) -> dict[str, Any]:
    """An odd count of normal numbers, the tail of a long series, and a z code scaled to the sphere."""
    z = np.random.RandomState(seed).randn(1, 32)
    rescaled = z / np.linalg.norm(z, axis=1, keepdims=True) * np.sqrt(32)
    return {
        "seed": seed,
        "randn": row(np.random.RandomState(seed).randn(33)),
        "tail": row(np.random.RandomState(seed).randn(2001)[-5:]),
        "rescaled": row(rescaled[0].astype(np.float32)),
        "plain": row(z[0].astype(np.float32)),
    }


def projection(name: str, primal: Array, conditions: Array) -> dict[str, Any]:
    """The part of a unit primal outside the span of conditions, by the pseudo-inverse and by least squares.

    The span does not depend on the conditions' lengths, but numpy's accuracy does, so they are made unit first.
    """
    primal = primal / np.linalg.norm(primal)
    unit = conditions / np.linalg.norm(conditions, axis=1, keepdims=True)
    outside = primal - np.linalg.pinv(unit, rcond=1e-12) @ (unit @ primal)
    fitted, *_ = np.linalg.lstsq(unit.T, primal, rcond=1e-12)
    assert np.allclose(outside, primal - unit.T @ fitted, rtol=0, atol=1e-12)
    return {
        "name": name,
        "primal": row(primal),
        "conditions": rows(conditions),
        "outside": row(outside),
        "retained": row(np.linalg.norm(outside)),
    }


def projections() -> list[dict[str, Any]]:
    random = np.random.RandomState(2020)
    one, three, five = (random.randn(count, 12) for count in (1, 3, 5))
    primal = random.randn(12)
    lengths = np.array([[1e-3], [1], [1e3], [7], [1e-2]])
    return [
        projection("one condition", primal, one),
        projection("three conditions", primal, three),
        projection("five conditions of very different lengths", primal, five * lengths),
        projection("two equal conditions", primal, np.vstack([three, three[:1]])),
        projection("two opposite conditions", primal, np.vstack([three, -2 * three[:1]])),
        projection("a condition that two others add up to", primal, np.vstack([three, three[:1] + three[1:2]])),
        projection("more conditions than sizes, of rank three", primal, random.randn(14, 3) @ three),
        projection("two conditions a thousandth apart", primal, np.vstack([one, one + 1e-3 * three[:1]])),
    ]


def series(start: float, end: float, steps: int) -> dict[str, Any]:
    return {
        "start": row(start),
        "end": row(end),
        "steps": steps,
        "positions": row(np.linspace(start, end, steps)),
    }


def truncation(psi: float, layers: int) -> dict[str, Any]:
    """w_avg + psi (w - w_avg) in f64 on the first of four layers, rounded to f32."""
    random = np.random.RandomState(17)
    w, w_avg = random.randn(2, 16).astype(np.float32)
    truncated = w_avg.astype(np.float64) + psi * (w.astype(np.float64) - w_avg.astype(np.float64))
    result = [truncated if layer < layers else w for layer in range(4)] if layers < 4 else [truncated]
    return {
        "psi": row(psi),
        "layers": layers,
        "w": row(w),
        "w_avg": row(w_avg),
        "truncated": rows(np.array(result).astype(np.float32)),
    }


def main() -> None:
    reference = {
        "sampling": [sampling(seed) for seed in SEEDS],
        "projections": projections(),
        "series": [
            series(*one)
            for one in [(-3.0, 3.0, 10), (0.1, 0.7, 7), (2.5, -1.3, 23), (1.0, 1.0, 4), (0.0, 1.0, 1), (-1e9, 1e-9, 50)]
        ],
        "truncations": [truncation(*one) for one in [(0.7, 4), (0.5, 2), (0.0, 4), (-1.0, 3), (1.0, 4)]],
    }
    path = pathlib.Path(__file__).with_name("reference.json")
    path.write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
