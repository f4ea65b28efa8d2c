"""Measures the finished model through its own ONNX files and writes every figure of the card to figures.json."""

import argparse
import json
import pathlib
import statistics
import time
from collections.abc import Iterable

import numpy as np
import torch

from .anatomy import STEPS
from .export import gap, session
from .factors import ATTRIBUTES, INDEX, TRUTH, rotation
from .mapping import CORRELATIONS, sample_z, seed_z
from .model import SPACES, Model, others
from .renderer import Synthesis

SEEDS = 500
BY = 3.0
REAL = 0.25
"""A plain edit moves a held attribute for real when its mean change exceeds this share of the score's deviation."""

SEED, CHECKED = 2020, 20_000
"""The seed of the samples behind the boundaries, and how many of them are scored again here for the other figures."""


def named(values: Iterable[float], digits: int = 4) -> dict[str, float]:
    """One rounded number for each attribute."""
    return {name: round(float(value), digits) for name, value in zip(ATTRIBUTES, values, strict=True)}


def correlations(first: np.ndarray, second: np.ndarray) -> list[float]:
    """The correlation of each column with its like."""
    return [np.corrcoef(first[:, i], second[:, i])[0, 1] for i in range(first.shape[1])]


def speed(model: Model, codes: np.ndarray) -> dict[str, float]:
    """Median milliseconds a picture of synthesis.onnx on two threads, by batch, of codes in w."""
    found = {}
    for batch in (1, 4, 8):
        w = model.w_of(codes[:batch], "w")
        times = []
        for _ in range(23):
            began = time.perf_counter()
            model.run("synthesis", w)
            times.append((time.perf_counter() - began) * 1000 / batch)
        found[str(batch)] = round(statistics.median(times[3:]), 1)
    return found


def tensors(folder: pathlib.Path) -> dict[str, dict[str, list]]:
    """Each graph's inputs and outputs: names and shapes."""
    found = {}
    for name in ("mapping", "synthesis", "truth", "classifier", "quality", "encoder", "gradient"):
        path = folder / f"{name}.onnx"
        if path.exists():
            graph = session(path, rewritten=False)
            ends = {"input": graph.get_inputs(), "output": graph.get_outputs()}
            found[name] = {end: [[one.name, one.shape] for one in all_] for end, all_ in ends.items()}
    return found


def edits(model: Model, space: str, codes: np.ndarray, before: np.ndarray, deviation: np.ndarray) -> dict[str, dict]:
    """What +3 along each boundary does, plain and with the other four attributes as conditions."""
    table = {}
    normals = np.stack([model.normals[name, space] for name in ATTRIBUTES])
    for position, attribute in enumerate(ATTRIBUTES):
        entry: dict[str, dict] = {}
        for kind, conditions in (("plain", ()), ("conditional", others(attribute))):
            moved = (codes + BY * model.direction(attribute, space, conditions)).astype(np.float32)
            change = model.scores(moved, space) - before
            distance = (moved.astype(np.float64) - codes) @ normals.T
            entry[kind] = {
                "rises_by_classifier": round(float((change[:, position] > 0).mean()), 4),
                "distance_change": named(distance.mean(axis=0), 7),
                "score_change": named(change.mean(axis=0) / deviation),
            }
            if model.knows_truth:
                truth_change = model.truth(moved, space) - model.truth(codes, space)
                entry[kind]["rises_by_truth"] = round(float((truth_change[:, position] > 0).mean()), 4)
                entry[kind]["truth_change"] = named(truth_change.mean(axis=0))
        plain, held = entry["plain"]["score_change"], entry["conditional"]["score_change"]
        entry["ratio"] = {
            name: round(abs(held[name] / plain[name]), 3) for name in others(attribute) if abs(plain[name]) > REAL
        }
        table[attribute] = entry
        print(space, attribute, json.dumps(entry), flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    torch.set_num_threads(2)
    model = Model(given.folder)
    samples = sample_z(CHECKED, SEED)
    scores, truth = model.scores(samples, "z"), model.truth(samples, "z")
    deviation = scores.std(axis=0)
    found = {
        f"{name}_{space}": json.loads((given.folder / "boundaries" / f"{name}_{space}.json").read_text())
        for name in ATTRIBUTES
        for space in SPACES
    }
    z = np.concatenate([seed_z(seed) for seed in range(given.seeds)])
    w = model.w_of(z, "z")[:, 0]
    before = model.scores(z, "z")
    normals = {space: np.stack([model.normals[name, space] for name in ATTRIBUTES]) for space in SPACES}
    steepness = abs(STEPS["wears_glasses"][1])
    glasses = 1.0 / (1.0 + np.exp(-np.clip(steepness * truth[:, -1], -50.0, 50.0)))
    figures = {
        "tensors": tensors(given.folder),
        "bytes": {path.name: path.stat().st_size for path in sorted(given.folder.glob("*.onnx"))},
        "milliseconds_a_picture": speed(model, w),
        "synthesis_against_pytorch": gap(
            Synthesis(), given.folder / "synthesis.onnx", torch.tensor(model.w_of(z[:8], "z"))
        ),
        "samples": found["pose_z"]["samples"],
        "sample_seed": SEED,
        "chosen": found["pose_z"]["chosen"],
        "checked": CHECKED,
        "classifier_accuracy": named(((scores > 0) == (truth > 0)).mean(axis=0)),
        "score_against_truth": named(correlations(scores, truth)),
        "score_deviation": named(deviation),
        "score_correlation": np.corrcoef(scores.T).round(3).tolist(),
        "truth_correlation": np.corrcoef(truth.T).round(3).tolist(),
        "faint_glasses": round(float(((glasses > 0.05) & (glasses < 0.95)).mean()), 4),
        "designed_correlations": {f"{first} · {second}": value for (first, second), value in CORRELATIONS.items()},
        "cosines": {space: (normals[space] @ normals[space].T).round(3).tolist() for space in SPACES},
        "cosine_to_factor": named(
            normals["w"][i] @ rotation()[INDEX[TRUTH[name]]] for i, name in enumerate(ATTRIBUTES)
        ),
        "boundaries": {name: one["accuracy"] for name, one in found.items()},
        "seeds": given.seeds,
        "by": BY,
        "real": REAL,
        "edits": {space: edits(model, space, codes, before, deviation) for space, codes in (("z", z), ("w", w))},
    }
    (given.folder / "figures.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
