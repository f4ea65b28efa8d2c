"""Writes reference.json: what numpy says about sampling, projection, series and truncation.

Run with numpy alone: `python tests/parity/reference.py`. A row of numbers is one string, each number written so that
it is read back to the last bit; a matrix is a list of rows.
"""

import json
import pathlib

import numpy as np

SEEDS = [0, 7, 12345, 4294967295]


def exact(values):
    """One row of numbers as a string, several as a list of strings."""
    if np.ndim(values) > 1:
        return [exact(row) for row in values]
    return " ".join(repr(float(value)) for value in np.atleast_1d(values))


def sampling(seed):
    """One odd count of normal numbers, the tail of a long one, and a z code scaled to the sphere."""
    z = np.random.RandomState(seed).randn(1, 32)
    rescaled = z / np.linalg.norm(z, axis=1, keepdims=True) * np.sqrt(32)
    return {
        "seed": seed,
        "randn": exact(np.random.RandomState(seed).randn(33)),
        "tail": exact(np.random.RandomState(seed).randn(2001)[-5:]),
        "rescaled": exact(rescaled[0].astype(np.float32)),
        "plain": exact(z[0].astype(np.float32)),
    }


def projection(name, primal, conditions):
    """The part of a unit primal outside the span of conditions, by the pseudo-inverse and by least squares.

    The span does not depend on the conditions' lengths, numpy's accuracy does, so they are made unit first.
    """
    primal = primal / np.linalg.norm(primal)
    unit = conditions / np.linalg.norm(conditions, axis=1, keepdims=True)
    outside = primal - np.linalg.pinv(unit, rcond=1e-12) @ (unit @ primal)
    fitted, *_ = np.linalg.lstsq(unit.T, primal, rcond=1e-12)
    assert np.allclose(outside, primal - unit.T @ fitted, rtol=0, atol=1e-12)
    return {
        "name": name,
        "primal": exact(primal),
        "conditions": exact(conditions),
        "outside": exact(outside),
        "retained": exact(np.linalg.norm(outside)),
    }


def projections():
    random = np.random.RandomState(2020)
    one, three, five = (random.randn(rows, 12) for rows in (1, 3, 5))
    primal = random.randn(12)
    return [
        projection("one condition", primal, one),
        projection("three conditions", primal, three),
        projection("five conditions of very different lengths", primal, five * [[1e-3], [1], [1e3], [7], [1e-2]]),
        projection("two equal conditions", primal, np.vstack([three, three[:1]])),
        projection("two opposite conditions", primal, np.vstack([three, -2 * three[:1]])),
        projection("a condition that two others add up to", primal, np.vstack([three, three[:1] + three[1:2]])),
        projection("more conditions than sizes, of rank three", primal, random.randn(14, 3) @ three),
        projection("two conditions a thousandth apart", primal, np.vstack([one, one + 1e-3 * three[:1]])),
    ]


def series(start, end, steps):
    return {
        "start": exact(start),
        "end": exact(end),
        "steps": steps,
        "positions": exact(np.linspace(start, end, steps)),
    }


def truncation(psi, layers):
    """w_avg + psi (w - w_avg) in f64 on the first of four layers, rounded to f32."""
    random = np.random.RandomState(17)
    w, w_avg = random.randn(2, 16).astype(np.float32)
    truncated = w_avg.astype(np.float64) + psi * (w.astype(np.float64) - w_avg.astype(np.float64))
    rows = [truncated if layer < layers else w for layer in range(4)] if layers < 4 else [truncated]
    return {
        "psi": exact(psi),
        "layers": layers,
        "w": exact(w),
        "w_avg": exact(w_avg),
        "truncated": exact(np.float32(rows)),
    }


def main():
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
