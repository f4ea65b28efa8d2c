"""Sets faceplane's separation against scikit-learn's SVC on the same codes, scores and split, in turns, and prints a table.

Run with numpy and scikit-learn: `python benches/separation/run.py`, from anywhere; it builds the program by cargo. Each
turn is a process of its own. Memory is a process's peak above what it held with the codes loaded.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve()
SEED = 2020
CASES = {
    "extremes": {"samples": 100_000, "noise": 0.3, "ratio": 0.1},
    "halves": {"samples": 20_000, "noise": 0.3, "ratio": 0.5},
}
"""Both train on 14,000 codes: the ends of many scores lie apart, the halves of few overlap."""


def write(folder, samples, dim, noise):
    """Codes in f32, and scores along a direction, with noise."""
    random = np.random.RandomState(SEED)
    direction = random.randn(dim)
    codes = random.randn(samples, dim).astype(np.float32)
    scores = codes @ (direction / np.linalg.norm(direction)) + noise * random.randn(samples)
    codes.tofile(folder / "codes.f32")
    scores.astype("<f8").tofile(folder / "scores.f64")


def kibibytes(name):
    """This process's memory now (VmRSS) or at its most (VmHWM), as Linux has it."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0])


def reference(folder, dim, ratio):
    """SVC on the split that onnx/tools/phantom/boundaries.py makes."""
    from sklearn.svm import SVC

    codes = np.memmap(folder / "codes.f32", np.float32, "r").reshape(-1, dim)
    scores = np.fromfile(folder / "scores.f64")
    order = np.argsort(-scores, kind="stable")
    chosen = int(len(scores) * ratio)
    random = np.random.RandomState(SEED)
    high, low = random.permutation(order[:chosen]), random.permutation(order[-chosen:])
    train = int(chosen * 0.7)
    fitted, labels = codes[np.r_[high[:train], low[:train]]], np.r_[np.ones(train), np.zeros(train)]
    del codes
    # Forgets the peak so far (proc(5)), which the codes had a part in.
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = kibibytes("VmRSS")
    began = time.perf_counter()
    machine = SVC(kernel="linear", C=1.0).fit(fitted, labels)
    seconds = time.perf_counter() - began
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


def program():
    """The path of the built benchmark."""
    build = ["cargo", "bench", "--locked", "--bench", "separation", "--no-run", "--message-format=json"]
    lines = subprocess.run(build, cwd=HERE.parents[2], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    built = [json.loads(line) for line in lines if line.startswith("{")]
    return next(one["executable"] for one in built if one.get("target", {}).get("name") == "separation" and one.get("executable"))


def turn(command):
    """What one process found."""
    return json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, action="append", help="which (default: extremes)")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--reference", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.reference:
        print(json.dumps(reference(given.reference, given.dim, CASES[given.case[0]]["ratio"])))
        return
    ours = program()
    print("| case | turn | SVC s | ours s | ratio | SVC MiB | ours MiB | ratio | cosine | held out, SVC / ours | least squares s |")
    print("| --- " * 11 + "|")
    for name in given.case or ["extremes"]:
        case = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            write(folder, case["samples"], given.dim, case["noise"])
            asked = [folder, given.dim, case["ratio"]]
            for number in range(given.turns):
                mine = turn([ours, *asked, "svm"])
                svc = turn([sys.executable, HERE, "--case", name, "--dim", given.dim, "--reference", folder])
                squares = turn([ours, *asked, "least-squares"])
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
