"""Compares edits of the phantom along fitted directions with edits along the true ones, by the truth.

python benches/directions/phantom.py, with numpy and onnxruntime (onnx/tools/requirements.txt), from any folder, after
`make build`; five minutes on two cores. All boundaries are fitted to the same samples. Each edit moves the true value
of its attribute by one deviation, and the unwanted change is the mean over the four other true values, in their
deviations.
"""

import argparse
import pathlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Array = npt.NDArray[Any]
ROOT = pathlib.Path(__file__).parents[2]
ATTRIBUTES = ("pose", "smile", "age", "gender", "eyeglasses")
DIM, LAYERS = 64, 8
FURTHEST = 40.0
"""The longest edit that is tried."""
METHODS = {"default": ("regression", "0.02"), "svm, ratio 0.02": ("svm", "0.02")}


class Phantom:
    """The networks of the phantom, from codes [batch, 64]."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        folder, providers = ROOT / "onnx" / "phantom", ["CPUExecutionProvider"]
        self.sessions = {
            name: ort.InferenceSession(folder / f"{name}.onnx", options, providers)
            for name in ("mapping", "synthesis", "classifier", "truth")
        }

    def run(self, name: str, batch: Array) -> Array:
        session = self.sessions[name]
        return np.asarray(session.run(None, {session.get_inputs()[0].name: batch.astype(np.float32)})[0])

    def w(self, z: Array) -> Array:
        return self.run("mapping", z)

    def truth(self, w: Array) -> Array:
        return self.run("truth", np.repeat(w[:, None], LAYERS, axis=1)).astype(float)

    def scores(self, w: Array) -> Array:
        parts = np.array_split(w, max(1, len(w) // 4))
        images = (self.run("synthesis", np.repeat(part[:, None], LAYERS, axis=1)) for part in parts)
        return np.concatenate([self.run("classifier", image) for image in images])


def sample(seed: int, count: int) -> Array:
    """Codes in z, of length √dim."""
    z = np.random.RandomState(seed).randn(count, DIM)
    return np.asarray(z * (np.sqrt(DIM) / np.linalg.norm(z, axis=1, keepdims=True)))


def fitted(program: pathlib.Path, codes: Array, scores: Array, method: str, ratio: str) -> Array:
    """The unit normals that the program fits to `codes`, one for each column of `scores`."""
    normals = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.save(folder / "codes.npy", codes.astype("<f4"))
        for attribute, column in zip(ATTRIBUTES, scores.T, strict=True):
            np.save(folder / "scores.npy", column.astype("<f8"))
            command = [program, "train-boundary", "--latents", folder / "codes.npy", "--scores", folder / "scores.npy"]
            command += ["--attribute", attribute, "--space", "z", "--threshold", "0", "--method", method]
            command += ["--ratio", ratio, "--output", folder]
            subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
            normals.append(np.load(folder / f"{attribute}_z.npy").reshape(-1))
    return np.array(normals)


def least_squares(codes: Array, values: Array) -> Array:
    """The unit directions along which the values change, one for each column."""
    solution = np.linalg.lstsq(codes - codes.mean(0), values - values.mean(0), rcond=None)[0].T
    return np.asarray(solution / np.linalg.norm(solution, axis=1, keepdims=True))


def conditional(normals: Array) -> Array:
    """Each normal, orthogonal to all others."""
    directions = np.linalg.pinv(normals).T
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def unwanted(truth: Callable[[Array], Array], codes: Array, direction: Array, target: int, scale: Array) -> Array:
    """The change of the others where the target's true value has risen by one deviation; NaN where it never does."""
    before = truth(codes)
    low, high = np.zeros(len(codes)), np.full(len(codes), FURTHEST)

    def change(amounts: Array) -> Array:
        return (truth(codes + amounts[:, None] * direction) - before) / scale

    for _ in range(30):
        middle = (low + high) / 2
        reached = change(middle)[:, target] >= 1
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    changes = change(high)
    others = np.abs(np.delete(changes, target, axis=1)).mean(axis=1)
    return np.where(np.abs(changes[:, target] - 1) < 0.01, others, np.nan)


def rows(directions: dict[str, Array], truth: Callable[[Array], Array], codes: Array, scale: Array) -> Iterator[str]:
    """The lines of a table, one for each set of directions."""
    true = np.array([0.0])
    for name, each in directions.items():
        found = [unwanted(truth, codes, direction, target, scale) for target, direction in enumerate(each)]
        means = np.array([np.nanmean(one) for one in found])
        missed = sum(int(np.isnan(one).sum()) for one in found)
        if name == "true":
            true = means
        cosines = np.abs((each * directions["true"]).sum(axis=1)).mean()
        cells = [f"{value:.3f}" for value in [*means, means.mean(), (means - true).mean(), cosines]]
        yield f"| {name} | " + " | ".join(cells) + f" | {missed} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target" / "release" / "faceplane")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=500)
    arguments = parser.parse_args()
    phantom = Phantom()
    z = sample(2020, arguments.samples)
    w = phantom.w(z)
    scores = phantom.scores(w)
    many = sample(1, 200_000)
    mapped = phantom.w(many)
    values = phantom.truth(mapped)
    seeds = np.concatenate([sample(seed, 1) for seed in range(10_000, 10_000 + arguments.seeds)])
    spaces: dict[str, tuple[Array, Array, Array, Callable[[Array], Array]]] = {
        "z": (z, many, seeds, lambda codes: phantom.truth(phantom.w(codes))),
        "w": (w, mapped, phantom.w(seeds), phantom.truth),
    }
    for space, (codes, many_codes, edited, truth) in spaces.items():
        directions = {"true": least_squares(many_codes, values)}
        for name, (method, ratio) in METHODS.items():
            directions[name] = fitted(arguments.program, codes, scores, method, ratio)
        directions["default, conditional"] = conditional(directions["default"])
        print(
            f"| {space} | " + " | ".join(ATTRIBUTES) + " | mean | excess | cosine | missed |\n| --- |" + " ---: |" * 9
        )
        for row in rows(directions, truth, edited, values.std(axis=0)):
            print(row)
        print()


if __name__ == "__main__":
    main()
