"""Compares estimators of an attribute's direction on codes with known directions, on the phantom, and on portraits.

python benches/directions/estimators.py SAMPLES, with numpy, scikit-learn and onnxruntime, from any folder; it needs the
program of `make build`. SAMPLES is a folder that gets the scored codes of both models. A second run finds them there.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from sklearn.covariance import LedoitWolf

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = ROOT / "target" / "release" / "faceplane"
sys.path.insert(0, str(ROOT / "onnx" / "tools"))
from phantom.factors import INDEX, TRUTH, rotation  # noqa: E402

Array = npt.NDArray[Any]

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
MOST_DRAWS = 3
DIM = 512
NOISES = (0.6, 1.07, 1.96)
HELD_OUT = 5_000


class Samples(NamedTuple):
    """Codes with the scores of some attributes."""

    space: str
    names: tuple[str, ...]
    codes: Array
    scores: Array


Estimator = Callable[[Samples], Array]
"""Finds the unit normal of each attribute, one in each row."""


def unit(rows: Array) -> Array:
    units: Array = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return units


def fitted(samples: Samples, *options: str) -> Array:
    """The normals that the program fits to all codes."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.savez(
            folder / "samples.npz",
            codes=samples.codes.astype("<f4"),
            scores=samples.scores.astype("<f4"),
            attributes=np.array(samples.names),
            thresholds=np.zeros(len(samples.names)),
            seed=np.array(0),
            space=np.array(samples.space),
        )
        command = [str(PROGRAM), "train-boundary", "--latents", str(folder / "samples.npz"), "--output", name]
        command += [part for attribute in samples.names for part in ("--attribute", attribute)]
        subprocess.run([*command, "--split", "1", *options], check=True, stdout=subprocess.DEVNULL)
        files = (folder / f"{attribute}_{samples.space}.npy" for attribute in samples.names)
        return unit(np.stack([np.load(file).reshape(-1).astype(float) for file in files]))


def logistic(samples: Samples) -> Array:
    """Logistic regression of two classes: above and below the median score."""
    above = samples.scores > np.median(samples.scores, axis=0)
    return fitted(samples._replace(scores=above))


def shrunk(samples: Samples, power: int) -> Array:
    """The paper's normals times a power of the codes' covariance, as Ledoit and Wolf shrink it."""
    normals = svm(0.02)(samples)
    covariance = LedoitWolf().fit(samples.codes.astype(float)).covariance_
    return unit(normals @ np.linalg.matrix_power(covariance, power))


def svm(ratio: float) -> Estimator:
    return lambda samples: fitted(samples, "--method", "svm", "--ratio", str(ratio))


ESTIMATORS: dict[str, Estimator] = {
    "regression": fitted,
    "least squares": lambda samples: fitted(samples, "--method", "least-squares"),
    "logistic": logistic,
    "SVM 0.02": svm(0.02),
    "SVM 0.1": svm(0.1),
    "SVM 0.25": svm(0.25),
    "SVM all": svm(0.5),
    "SVM 0.02 · Σ": lambda samples: shrunk(samples, 1),
    "SVM 0.02 · Σ⁻¹": lambda samples: shrunk(samples, -1),
}


def draws(pool: Samples, size: int) -> Iterator[Samples]:
    """Disjoint parts of the samples."""
    for draw in range(min(MOST_DRAWS, len(pool.codes) // size)):
        part = slice(draw * size, (draw + 1) * size)
        yield pool._replace(codes=pool.codes[part], scores=pool.scores[part])


def print_table(title: str, pool: Samples, most_svm: int, figures: Callable[[Array], Sequence[float]]) -> None:
    """Prints the mean of each figure of the estimators' normals, for each number of samples."""
    print(f"\n{title}\n\n| samples | draws | " + " | ".join(ESTIMATORS) + " |", flush=True)
    print("| ---: " * (2 + len(ESTIMATORS)) + "|", flush=True)
    for size in SIZES:
        parts = list(draws(pool, size))
        if not parts:
            continue
        cells = []
        for name, estimator in ESTIMATORS.items():
            # These overlap, and their time grows with the square of the samples.
            if name in {"SVM 0.25", "SVM all"} and size > most_svm:
                cells.append("–")
                continue
            found = np.mean([figures(estimator(part)) for part in parts], axis=0)
            cells.append(", ".join(f"{value:.3f}" for value in found))
        print(f"| {size:,} | {len(parts)} | " + " | ".join(cells) + " |", flush=True)


def known_directions(count: int) -> tuple[Samples, Array]:
    """Normally distributed codes, and scores along one direction at several noises."""
    random = np.random.default_rng(2020)
    truth = unit(random.standard_normal(DIM))
    codes = random.standard_normal((count, DIM), np.float32)
    scores = np.stack([codes @ truth + noise * random.standard_normal(count) for noise in NOISES], axis=1)
    names = tuple(f"noise{index}" for index in range(len(NOISES)))
    return Samples("z", names, codes, scores), truth


def sampled(folder: pathlib.Path, model: str, space: str, count: int) -> Samples:
    """The codes and scores of the first seeds of a bundled model."""
    output = folder / f"{model}-{space}-{count}"
    command = [PROGRAM, "batch", "--model", ROOT / "onnx" / model, "--space", space, "--pictures", "none"]
    command += ["--seeds", f"0-{count - 1}", "--output", output]
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)
    parts = [np.load(file) for file in sorted((output / "parts").glob("*.npz"))]
    codes = np.concatenate([part["codes"].reshape(len(part["codes"]), -1) for part in parts])
    scores = np.concatenate([part["scores"] for part in parts])
    return Samples(space, tuple(parts[0]["attributes"].tolist()), codes, scores)


def of_phantom(scored: Samples, space: str) -> tuple[Samples, Array]:
    """The phantom's codes of z in a space, and its true directions there: in z, those of least squares."""
    columns = [scored.names.index(name) for name in TRUTH]
    scored = scored._replace(space=space, names=tuple(TRUTH), scores=scored.scores[:, columns])
    directions = unit(np.stack([rotation()[INDEX[factor]] for factor in TRUTH.values()]))
    mapping = onnxruntime.InferenceSession(ROOT / "onnx/phantom/mapping.onnx", providers=["CPUExecutionProvider"])
    mapped = np.concatenate([mapping.run(None, {"z": part})[0] for part in np.array_split(scored.codes, 100)])
    if space == "w":
        return scored._replace(codes=mapped), directions
    centred = scored.codes - scored.codes.mean(axis=0)
    return scored, unit(np.linalg.lstsq(centred, mapped @ directions.T, rcond=None)[0].T)


def unwanted(normals: Array, truth: Array) -> float:
    """How far the other true values move, as a share of the edited one's move. Exact where they are linear."""
    moves = np.abs(normals @ truth.T)
    own = np.diag(moves)
    return float(((moves.sum(axis=1) - own) / (len(moves) - 1) / own).mean())


def compare_known(options: argparse.Namespace) -> None:
    """Codes of which the direction is known."""
    pool, direction = known_directions(SIZES[-1])
    title = f"Codes of {DIM} values: cosine with the known direction at the noises {', '.join(map(str, NOISES))}"
    print_table(title, pool, options.most_svm, lambda normals: (normals @ direction).tolist())


def compare_phantom(options: argparse.Namespace) -> None:
    """The phantom, whose directions the renderer knows."""
    scored = sampled(options.samples, "phantom", "z", options.phantom)
    for space in ("w", "z"):
        pool, truth = of_phantom(scored, space)

        def figures(normals: Array, truth: Array = truth) -> list[float]:
            return [float(np.sum(normals * truth, axis=1).mean()), unwanted(normals, truth)]

        title = f"The phantom in {space}: mean cosine with the true directions, and the others' move by truth"
        print_table(title, pool, options.most_svm, figures)


def compare_portraits(options: argparse.Namespace) -> None:
    """Portraits, by other samples than those of the fit."""
    pool = sampled(options.samples, "portraits", "w", options.portraits)
    codes, scores = pool.codes[-HELD_OUT:], pool.scores[-HELD_OUT:]
    rest = pool._replace(codes=pool.codes[:-HELD_OUT], scores=pool.scores[:-HELD_OUT])

    def correlation(normals: Array) -> list[float]:
        pairs = zip((codes @ normals.T).T, scores.T, strict=True)
        return [float(np.mean([np.corrcoef(distance, score)[0, 1] for distance, score in pairs]))]

    title = f"Portraits in w: mean correlation of the distance with the score on {HELD_OUT:,} other samples"
    print_table(title, rest, options.most_svm, correlation)


COMPARISONS = {"known": compare_known, "phantom": compare_phantom, "portraits": compare_portraits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=pathlib.Path)
    parser.add_argument("--only", choices=COMPARISONS, action="append", help="may be repeated (default: all)")
    parser.add_argument("--phantom", type=int, default=100_000, help="samples of the phantom")
    parser.add_argument(
        "--portraits", type=int, default=40_000, help="samples of portraits; the last ones are held out"
    )
    parser.add_argument(
        "--most-svm", type=int, default=10_000, help="most samples of support vector machines that overlap"
    )
    options = parser.parse_args()
    for name in options.only or COMPARISONS:
        COMPARISONS[name](options)


if __name__ == "__main__":
    main()
