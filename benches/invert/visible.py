"""How near to a code any inversion can come that has only the picture.

python benches/invert/visible.py --count 16, with numpy and onnxruntime. The phantom's factors are known, and where one of them
changes no more than a few bytes of a picture (the frame of glasses that nobody wears), the picture does not tell it: the best
answer is the mean of the values that draw the same. It prints the cosine of that answer to the true code, both from w_avg.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "onnx" / "tools"))
from phantom.factors import LAYER_COUNT, NAMES, rotation  # noqa: E402

FIRST = 20_000
VALUES = np.arange(-2.5, 2.6, 0.5)
"""Tried for each factor, whose deviation is about 1."""

SAME = 24
"""Bytes of 196,608 that may differ in pictures that count as the same."""


class Phantom:
    def __init__(self):
        folder = ROOT / "onnx" / "phantom"
        open_ = lambda name: onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])  # noqa: E731
        self.mapping, self.synthesis = open_("mapping.onnx"), open_("synthesis.onnx")
        self.w_avg = np.load(folder / "w_avg.npy").reshape(-1).astype(float)

    def code(self, seed):
        z = np.random.RandomState(seed).randn(1, self.w_avg.size)
        z *= np.sqrt(z.size) / np.linalg.norm(z)
        return self.mapping.run(None, {"z": z.astype(np.float32)})[0][0].astype(float)

    def pictures(self, codes):
        layered = np.repeat(codes.astype(np.float32)[:, None], LAYER_COUNT, axis=1)
        images = np.concatenate([self.synthesis.run(None, {"w": part})[0] for part in np.array_split(layered, 3)])
        return np.clip(np.floor((images + 1.0) * 127.5 + 0.5), 0, 255)


def cosine(one, other):
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=16)
    given = arguments.parse_args()
    phantom, turn = Phantom(), rotation()
    likely = np.exp(-(VALUES**2) / 2.0)
    lost, cosines = np.zeros(len(NAMES)), []
    for seed in range(FIRST, FIRST + given.count):
        code = phantom.code(seed)
        factors = turn @ code
        shown = phantom.pictures(np.repeat(code[None], 3, axis=0))[0]
        told = factors.copy()
        for place in range(len(NAMES)):
            tried = np.repeat(factors[None], len(VALUES), axis=0)
            tried[:, place] = VALUES
            apart = (phantom.pictures(tried @ turn) != shown).sum(axis=(1, 2, 3))
            same = apart < SAME
            if same.sum() > 1:
                told[place] = np.average(VALUES[same], weights=likely[same])
        lost += np.square(told - factors) / given.count
        cosines.append(cosine(told @ turn - phantom.w_avg, code - phantom.w_avg))
        print(f"seed {seed}: {cosines[-1]:.3f}", flush=True)
    print(f"mean {np.mean(cosines):.3f}, least {min(cosines):.3f}; lost most, in deviations squared:")
    print(", ".join(f"{NAMES[place]} {lost[place]:.2f}" for place in np.argsort(-lost)[:8]))


if __name__ == "__main__":
    main()
