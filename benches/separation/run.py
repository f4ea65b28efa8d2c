"""Compares faceplane's SVM with scikit-learn's SVC on the same codes, scores and split, in turns, and prints a table.

Run with numpy and scikit-learn: `python benches/separation/run.py`, from any folder; it builds the program by cargo.
Each turn is a process of its own. Memory is the process's peak above what it held with the codes loaded.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

HERE = pathlib.Path(__file__).resolve()
SEED = 2020
CASES: dict[str, dict[str, Any]] = {
    "extremes": {"samples": 100_000, "noise": 0.3, "ratio": 0.1},
    "halves": {"samples": 20_000, "noise": 0.3, "ratio": 0.5},
}
"""Both train on 14,000 codes. The extremes of many scores are separable; the halves of few overlap."""


def write(folder: pathlib.Path, samples: int, dim: int, noise: float) -> None:
    """Writes codes in f32, and scores along a direction, with noise."""
    random = np.random.RandomState(SEED)
    direction = random.randn(dim)
    codes = random.randn(samples, dim).astype(np.float32)
    scores = codes @ (direction / np.linalg.norm(direction)) + noise * random.randn(samples)
    codes.tofile(folder / "codes.f32")
    scores.astype("<f8").tofile(folder / "scores.f64")


def kibibytes(name: str) -> int:
    """This process's memory by Linux's count: now (VmRSS) or at its peak (VmHWM)."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0])


def reference(folder: pathlib.Path, dim: int, ratio: float) -> dict[str, Any]:
    """SVC on the split that `train-boundary` makes."""
    # Only the child processes need it, and importing it takes seconds.
    from sklearn.svm import SVC  # noqa: PLC0415

    codes = np.memmap(folder / "codes.f32", np.float32, "r").reshape(-1, dim)
    scores = np.fromfile(folder / "scores.f64")
    order = np.argsort(-scores, kind="stable")
    chosen = int(len(scores) * ratio)
    random = np.random.RandomState(SEED)
    high, low = random.permutation(order[:chosen]), random.permutation(order[-chosen:])
    train = int(chosen * 0.7)
    fitted, labels = codes[np.r_[high[:train], low[:train]]], np.r_[np.ones(train), np.zeros(train)]
    del codes
    # Resets the peak (proc(5)), to which loading the codes contributed.
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = kibibytes("VmRSS")
    started = time.perf_counter()
    machine = SVC(kernel="linear", C=1.0).fit(fitted, labels)
    seconds = time.perf_counter() - started
    above = kibibytes("VmHWM") - before
    codes = np.fromfile(folder / "codes.f32", np.float32).reshape(-1, dim)
    normal, intercept = machine.coef_[0], machine.intercept_[0]
    length = np.linalg.norm(normal)
    right = np.concatenate([codes[part] @ normal for part in np.array_split(np.arange(len(codes)), 64)]) + intercept > 0
    return {
        "seconds": seconds,
        "kibibytes": above,
        "normal": (normal / length).tolist(),
        "intercept": intercept / length,
        "train": np.r_[right[high[:train]], ~right[low[:train]]].mean(),
        "held_out": np.r_[right[high[train:]], ~right[low[train:]]].mean(),
        "all": (right == (scores > 0)).mean(),
    }


def program() -> str:
    """Builds the benchmark and returns its path."""
    build = ["cargo", "bench", "--locked", "--bench", "separation", "--no-run", "--message-format=json"]
    lines = subprocess.run(
        build, cwd=HERE.parents[2], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()
    built = [json.loads(line) for line in lines if line.startswith("{")]
    ours = (one for one in built if one.get("target", {}).get("name") == "separation")
    return next(str(one["executable"]) for one in ours if one.get("executable"))


def turn(command: Sequence[object]) -> Any:
    """The result of one process."""
    return json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, action="append", help="may be repeated (default: extremes)")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--reference", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reference:
        print(json.dumps(reference(arguments.reference, arguments.dim, CASES[arguments.case[0]]["ratio"])))
        return
    ours = program()
    print(
        "| case | turn | SVC s | ours s | ratio | SVC MiB | ours MiB | ratio | cosine | held out, SVC / ours "
        "| least squares s |"
    )
    print("| --- " * 11 + "|")
    for name in arguments.case or ["extremes"]:
        case = CASES[name]
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            write(folder, case["samples"], arguments.dim, case["noise"])
            options = [folder, arguments.dim, case["ratio"]]
            for number in range(arguments.turns):
                mine = turn([ours, *options, "svm"])
                svc = turn([sys.executable, HERE, "--case", name, "--dim", arguments.dim, "--reference", folder])
                squares = turn([ours, *options, "least-squares"])
                cosine = np.dot(svc["normal"], mine["normal"])
                memory = svc["kibibytes"] / 1024, mine["kibibytes"] / 1024
                print(
                    f"| {name} | {number + 1} | {svc['seconds']:.2f} | {mine['seconds']:.2f} |"
                    f" {svc['seconds'] / mine['seconds']:.1f} | {memory[0]:.0f} | {memory[1]:.1f} |"
                    f" {memory[0] / memory[1]:.0f} | {cosine:.7f} | {svc['held_out']:.4f} / {mine['held_out']:.4f} |"
                    f" {squares['seconds']:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
