"""Estimates how close to a code any inversion can come that sees only the image.

python benches/invert/visible.py --count 16, with numpy and onnxruntime. The phantom's factors are known. If a factor
changes no more than a few bytes of a image (for example the frame of eyeglasses that are not worn), the image does
not determine it: the best estimate is the mean of the values that give the same image. This prints the cosine of
that estimate to the true code, both relative to w_avg.
"""

import argparse
import pathlib
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "onnx" / "tools"))
from phantom.factors import LAYER_COUNT, NAMES, rotation  # noqa: E402

Array = npt.NDArray[Any]

FIRST = 20_000
VALUES = np.arange(-2.5, 2.6, 0.5)
"""Values tried for each factor; a factor's standard deviation is about 1."""

SAME = 24
"""Images count as the same if fewer than this many of their 196,608 bytes differ."""


def session(path: pathlib.Path) -> Any:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


class Phantom:
    """The phantom's graphs."""

    def __init__(self) -> None:
        folder = ROOT / "onnx" / "phantom"
        self.mapping, self.synthesis = session(folder / "mapping.onnx"), session(folder / "synthesis.onnx")
        self.w_avg: Array = np.load(folder / "w_avg.npy").reshape(-1).astype(float)

    def code(self, seed: int) -> Array:
        """The w code of a seed."""
        z = np.random.RandomState(seed).randn(1, self.w_avg.size)
        z *= np.sqrt(z.size) / np.linalg.norm(z)
        w: Array = self.mapping.run(None, {"z": z.astype(np.float32)})[0][0].astype(float)
        return w

    def synthesize(self, codes: Array) -> Array:
        """Images [count, 3, 256, 256] of w codes, in whole numbers from 0 to 255."""
        layered = np.repeat(codes.astype(np.float32)[:, None], LAYER_COUNT, axis=1)
        images = np.concatenate([self.synthesis.run(None, {"w": part})[0] for part in np.array_split(layered, 3)])
        pixels: Array = np.clip(np.floor((images + 1.0) * 127.5 + 0.5), 0, 255)
        return pixels


def cosine(one: Array, other: Array) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=16, help="how many seeds")
    arguments = parser.parse_args()
    phantom, turn = Phantom(), rotation()
    likelihoods = np.exp(-(VALUES**2) / 2.0)
    lost, cosines = np.zeros(len(NAMES)), []
    for seed in range(FIRST, FIRST + arguments.count):
        code = phantom.code(seed)
        factors = turn @ code
        image = phantom.synthesize(np.repeat(code[None], 3, axis=0))[0]
        estimate = factors.copy()
        for index in range(len(NAMES)):
            tried = np.repeat(factors[None], len(VALUES), axis=0)
            tried[:, index] = VALUES
            different = (phantom.synthesize(tried @ turn) != image).sum(axis=(1, 2, 3))
            same = different < SAME
            if same.sum() > 1:
                estimate[index] = np.average(VALUES[same], weights=likelihoods[same])
        lost += np.square(estimate - factors) / arguments.count
        cosines.append(cosine(estimate @ turn - phantom.w_avg, code - phantom.w_avg))
        print(f"seed {seed}: {cosines[-1]:.3f}", flush=True)
    print(f"mean {np.mean(cosines):.3f}, least {min(cosines):.3f}; factors with the greatest squared error:")
    print(", ".join(f"{NAMES[index]} {lost[index]:.2f}" for index in np.argsort(-lost)[:8]))


if __name__ == "__main__":
    main()
