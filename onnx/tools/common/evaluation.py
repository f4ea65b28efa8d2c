"""Measures a finished model: the figures that both model cards show."""

import json
import pathlib
import statistics
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .arrays import Array
from .attributes import ATTRIBUTES, SPACES, others
from .model import Model
from .onnx_files import open_session

SEEDS = 500
"""Edits are measured on the codes of the seeds below this number."""

EDIT = 3.0
"""How far edits move a code."""

SIDE_EFFECT = 0.25
"""A plain edit has a side effect if the mean change of another score exceeds this share of its deviation."""

SAMPLE_SEED = 2020
"""The seed of the samples that the boundaries were found with."""


def by_attribute(values: Iterable[float], digits: int = 4) -> dict[str, float]:
    """One rounded number for each attribute."""
    return {name: round(float(value), digits) for name, value in zip(ATTRIBUTES, values, strict=True)}


def column_correlations(first: Array, second: Array) -> list[float]:
    """The correlation of each column of `first` with the same column of `second`."""
    return [float(np.corrcoef(first[:, i], second[:, i])[0, 1]) for i in range(first.shape[1])]


def synthesis_milliseconds(model: Model, codes: Array) -> dict[str, float]:
    """Median milliseconds per image of synthesis.onnx on two threads, by batch, of codes in w."""
    table = {}
    for batch in (1, 4, 8):
        w = model.to_layers(codes[:batch], "w")
        times = []
        for _ in range(23):
            started = time.perf_counter()
            model.run("synthesis", w)
            times.append((time.perf_counter() - started) * 1000 / batch)
        table[str(batch)] = round(statistics.median(times[3:]), 1)
    return table


def tensors(folder: pathlib.Path) -> dict[str, dict[str, list[Any]]]:
    """The names and shapes of each graph's inputs and outputs."""
    table = {}
    for name in ("mapping", "synthesis", "truth", "classifier", "quality", "encoder"):
        path = folder / f"{name}.onnx"
        if path.exists():
            session = open_session(path, optimized=False)
            ends = {"input": session.get_inputs(), "output": session.get_outputs()}
            table[name] = {end: [[one.name, one.shape] for one in all_] for end, all_ in ends.items()}
    return table


def boundary_records(folder: pathlib.Path) -> dict[str, Any]:
    """The JSON files beside the boundaries, by file name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def edits(model: Model, space: str, codes: Array, before: Array, deviation: Array) -> dict[str, Any]:
    """The effect of moving codes along each boundary, plain and with the other four attributes as conditions.

    `before` are the scores of the codes, and `deviation` the standard deviation of each attribute's score.
    """
    table = {}
    normals = np.stack([model.normals[name, space] for name in ATTRIBUTES])
    for index, attribute in enumerate(ATTRIBUTES):
        entry: dict[str, Any] = {}
        kinds: dict[str, tuple[str, ...]] = {"plain": (), "conditional": others(attribute)}
        for kind, conditions in kinds.items():
            moved = (codes + EDIT * model.direction(attribute, space, conditions)).astype(np.float32)
            change = model.scores(moved, space) - before
            distance = (moved.astype(np.float64) - codes) @ normals.T
            entry[kind] = {
                "rises_by_classifier": round(float((change[:, index] > 0).mean()), 4),
                "distance_change": by_attribute(distance.mean(axis=0), 7),
                "score_change": by_attribute(change.mean(axis=0) / deviation),
            }
            if model.knows_truth:
                truth_change = model.truth(moved, space) - model.truth(codes, space)
                entry[kind]["rises_by_truth"] = round(float((truth_change[:, index] > 0).mean()), 4)
                entry[kind]["truth_change"] = by_attribute(truth_change.mean(axis=0))
        plain, conditional = entry["plain"]["score_change"], entry["conditional"]["score_change"]
        entry["ratio"] = {
            name: round(abs(conditional[name] / plain[name]), 3)
            for name in others(attribute)
            if abs(plain[name]) > SIDE_EFFECT
        }
        table[attribute] = entry
        print(space, attribute, json.dumps(entry), flush=True)
    return table


def shared_figures(
    folder: pathlib.Path, model: Model, codes: Mapping[str, Array], before: Array, scores: Array
) -> dict[str, Any]:
    """The figures that both cards show.

    `codes` are those of the seeds, by space, and `before` their scores; `scores` are those of many other samples.
    """
    records = boundary_records(folder / "boundaries")
    deviation = scores.std(axis=0)
    normals = {space: np.stack([model.normals[name, space] for name in ATTRIBUTES]) for space in SPACES}
    return {
        "tensors": tensors(folder),
        "bytes": {path.name: path.stat().st_size for path in sorted(folder.glob("*.onnx"))},
        "milliseconds_per_image": synthesis_milliseconds(model, codes["w"]),
        "samples": records["pose_z"]["samples"],
        "sample_seed": SAMPLE_SEED,
        "checked": len(scores),
        "score_deviation": by_attribute(deviation),
        "score_correlation": np.corrcoef(scores.T).round(3).tolist(),
        "cosines": {space: (normals[space] @ normals[space].T).round(3).tolist() for space in SPACES},
        "boundaries": {name: one["accuracy"] for name, one in records.items()},
        "seeds": len(codes["z"]),
        "by": EDIT,
        "side_effect": SIDE_EFFECT,
        "edits": {space: edits(model, space, codes[space], before, deviation) for space in SPACES},
    }


def write_json(path: pathlib.Path, figures: Mapping[str, Any]) -> None:
    """Writes figures.json or quality.json."""
    path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
