"""Compares the default fit with scikit-learn: directions of two-valued labels, and the time for five attributes.

python benches/directions/scikit_learn.py labels|time, with numpy and scikit-learn, from any folder; `labels` needs the
program of `make build`.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeClassifierCV, RidgeCV

Array = npt.NDArray[Any]
ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = ROOT / "target" / "release" / "faceplane"
STRENGTHS = np.logspace(-2, 4, 25)


def fitted(codes: Array, labels: Array) -> Array:
    """The normal that the program fits."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.save(folder / "codes.npy", codes)
        np.save(folder / "labels.npy", labels)
        command = [PROGRAM, "train-boundary", "--latents", folder / "codes.npy", "--scores", folder / "labels.npy"]
        command += ["--attribute", "one", "--space", "z", "--output", folder]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        return np.asarray(np.load(folder / "one_z.npy")).reshape(-1)


def compare_labels(dim: int = 64, noise: float = 0.3, draws: int = 20) -> None:
    """The mean cosine with a known direction, for labels of which a share is 1."""
    models = {
        "ridge": RidgeClassifier(class_weight="balanced"),
        "ridge, cross-validated": RidgeClassifierCV(alphas=STRENGTHS, class_weight="balanced"),
        "logistic": LogisticRegression(class_weight="balanced", max_iter=2000),
    }
    print("| labels | share of ones | ours | " + " | ".join(models) + " |\n| ---: |" + " ---: |" * (2 + len(models)))
    for count in (50, 200, 2000):
        for share in (0.5, 0.1):
            cosines = []
            for draw in range(draws):
                random = np.random.default_rng([count, round(10 * share), draw])
                truth = random.standard_normal(dim)
                truth /= np.linalg.norm(truth)
                codes = random.standard_normal((count, dim)).astype(np.float32)
                scores = codes @ truth + noise * random.standard_normal(count)
                labels = np.zeros(count)
                labels[np.argsort(-scores)[: round(count * share)]] = 1
                normals = [
                    fitted(codes, labels),
                    *(model.fit(codes, labels).coef_.ravel() for model in models.values()),
                ]
                cosines.append([normal @ truth / np.linalg.norm(normal) for normal in normals])
            cells = " | ".join(f"{mean:.3f}" for mean in np.mean(cosines, axis=0))
            print(f"| {count} | {share} | {cells} |", flush=True)


def compare_time(samples: int = 100_000, dim: int = 512, attributes: int = 5) -> None:
    """The seconds for five attributes: all strengths on all codes, and a fit to each half, tested on the other.

    Where the scores saturate, logistic regression of their sides is added: our fit compares both.
    """
    command = ["cargo", "bench", "--locked", "--bench", "directions", "--", "time"]
    random = np.random.default_rng(0)
    codes = random.standard_normal((samples, dim)).astype(np.float32)
    scores = codes @ random.standard_normal((dim, attributes)) + 20 * random.standard_normal((samples, attributes))
    halves = [np.s_[: samples // 2], np.s_[samples // 2 :]]
    for turn in range(3):
        output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        ours = [re.findall(rf"{kind}, .*: ([\d.]+) s", output)[-1] for kind in ("even", "saturated")]
        started = time.perf_counter()
        wide = codes.astype(float)
        best = RidgeCV(alphas=np.logspace(-8, 4, 49) * samples, alpha_per_target=True).fit(wide, scores)
        for own, other in (halves, halves[::-1]):
            Ridge(alpha=best.alpha_ / 2).fit(wide[own], scores[own]).predict(wide[other])
        ridge = time.perf_counter() - started
        for sides in (scores > np.median(scores, axis=0)).T:
            LogisticRegression().fit(wide, sides)
            for own, other in (halves, halves[::-1]):
                LogisticRegression().fit(wide[own], sides[own]).predict(wide[other])
        both = time.perf_counter() - started
        print(f"turn {turn + 1}, even scores: ours {ours[0]} s, scikit-learn {ridge:.1f} s; ", end="")
        print(f"saturated ones: ours {ours[1]} s, scikit-learn {both:.1f} s", flush=True)


if __name__ == "__main__":
    {"labels": compare_labels, "time": compare_time}[sys.argv[1]]()
