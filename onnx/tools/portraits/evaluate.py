"""Measures the finished portraits through their ONNX files, and writes all figures of the card to figures.json."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import torch
from PIL import Image

import onnx
from common.arrays import Array, from_bytes, to_bytes
from common.attributes import ATTRIBUTES, SPACES
from common.command import parser
from common.evaluation import (
    EDIT,
    SAMPLE_SEED,
    SEEDS,
    boundary_records,
    by_attribute,
    column_correlations,
    shared_figures,
    write_json,
)
from common.model import Model
from common.onnx_files import difference, open_session
from common.sampling import sample_z

from .classifier import HELD_OUT, HELD_OUT_SEED, labelled_renders
from .networks import DIMENSION
from .renders import training_renders
from .weights import load

SAMPLES, COMPARED, ENCODED = 10_000, 4_000, 1_000
"""Samples that are scored, images in each set of a Fréchet distance, and images that the encoder is tested on."""

SENT = 100
"""Renders that are written as files, for the inversion of images that the generator did not synthesize."""


class Features:
    """The values [count, 128] of the classifier's last layer before the scores."""

    def __init__(self, path: pathlib.Path) -> None:
        model = onnx.load(path)
        last = [node for node in model.graph.node if node.op_type == "Gemm"][-1]
        model.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def of(self, pixels: Array) -> Array:
        """The features of bytes [count, 3, 64, 64]."""
        parts = np.array_split(pixels, max(1, len(pixels) // 100))
        outputs = [self.session.run(None, {"image": from_bytes(part)})[1] for part in parts]
        features: Array = np.concatenate(outputs).astype(float)
        return features


def frechet(one: Array, other: Array) -> float:
    """|m - m'|² + tr(C + C' - 2 (C C')^½) of features [count, 128]: Heusel et al. 2017, in features of our own."""
    first, second = np.cov(one.T), np.cov(other.T)
    roots = np.sqrt(np.clip(np.linalg.eigvals(first @ second).real, 0.0, None))
    means = np.square(one.mean(axis=0) - other.mean(axis=0)).sum()
    return float(means + np.trace(first) + np.trace(second) - 2.0 * roots.sum())


def frechet_distances(model: Model, features: Features, w: Array, w_avg: Array, renders: Array) -> dict[str, float]:
    """The distances from renders to other renders, and to samples with and without truncation."""
    of_renders = features.of(renders[:COMPARED])
    distances = {"renders": frechet(of_renders, features.of(renders[COMPARED : 2 * COMPARED]))}
    for psi in (1.0, 0.7):
        distances[str(psi)] = frechet(of_renders, features.of(synthesize(model, w_avg + psi * (w - w_avg))))
    return {name: round(value, 3) for name, value in distances.items()}


def psnr(one: Array, other: Array) -> Array:
    """The PSNR in dB [count] of bytes [count, 3, 64, 64]."""
    error = np.square(one.astype(float) - other).mean(axis=(1, 2, 3))
    decibels: Array = 10.0 * np.log10(255.0**2 / np.maximum(error, 1e-9))
    return decibels


def synthesize(model: Model, w: Array) -> Array:
    """The images of w codes, in bytes."""
    parts = np.array_split(w, max(1, len(w) // 50))
    return np.concatenate([to_bytes(model.synthesize(part, "w")) for part in parts])


def encoder_figures(model: Model, folder: pathlib.Path, renders: Array, w_avg: Array) -> dict[str, float]:
    """The encoder's accuracy on unseen samples of the generator, and on renders."""
    encoder = open_session(folder / "encoder.onnx")
    w = model.to_w(sample_z(ENCODED, SAMPLE_SEED + 1, DIMENSION), "z")
    images = {"own": synthesize(model, w), "renders": renders}
    codes: dict[str, Array] = {name: encoder.run(None, {"image": from_bytes(some)})[0] for name, some in images.items()}
    figures = {
        f"{name}_psnr": round(float(psnr(some, synthesize(model, codes[name])).mean()), 2)
        for name, some in images.items()
    }
    one, other = codes["own"] - w_avg, w - w_avg
    cosines = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return {**figures, "own_cosine": round(float(cosines.mean()), 4)}


def quality_figures(model: Model, space: str, codes: Array, folder: pathlib.Path) -> dict[str, float]:
    """The effect of moving codes along the quality boundary: how often the score rises, and how many faces it mends."""
    normal = np.load(folder / "boundaries" / f"quality_{space}.npy")[0]
    before, after = (
        np.concatenate([model.run("quality", model.synthesize(part, space))[:, 0] for part in np.array_split(some, 25)])
        for some in (codes, (codes + EDIT * normal).astype(np.float32))
    )
    spoiled = before < 0
    mended = after[spoiled] > 0
    return {
        "rises": round(float((after > before).mean()), 4),
        "spoiled": int(spoiled.sum()),
        "mended": int(mended.sum()),
    }


def classifier_figures(model: Model, pixels: Array, truth: Array, scores: Array) -> dict[str, Any]:
    """The classifier's accuracy on renders, and how often renders and samples are positive."""
    of_renders = np.concatenate([model.run("classifier", from_bytes(part)) for part in np.array_split(pixels, 20)])
    return {
        "held": len(pixels),
        "classifier_accuracy": by_attribute(((of_renders > 0) == (truth > 0)).mean(axis=0)),
        "score_against_truth": by_attribute(column_correlations(of_renders, truth)),
        "positive": by_attribute((scores > 0).mean(axis=0)),
        "positive_renders": by_attribute((truth > 0).mean(axis=0)),
    }


def training_figures(cache: pathlib.Path) -> dict[str, float]:
    """How long the training took."""
    last = json.loads((cache / "training.jsonl").read_text().splitlines()[-1])
    return {"images": last["images"], "hours": round(last["seconds"] / 3600, 1)}


def paper_figures(cache: pathlib.Path) -> Mapping[str, Any]:
    """How many extremes the paper's method was given, and the accuracy of its boundaries."""
    records = boundary_records(cache / "boundaries-paper")
    return {
        "chosen_paper": records["pose_z"]["chosen"],
        "boundaries_paper": {name: one["accuracy"] for name, one in records.items()},
    }


def main() -> None:
    arguments_of = parser(__doc__, cache="renders, scores and the training's log")
    arguments_of.add_argument("--seeds", type=int, default=SEEDS)
    arguments = arguments_of.parse_args()
    torch.set_num_threads(2)
    folder, cache = arguments.folder, arguments.cache
    model, features = Model(folder), Features(folder / "classifier.onnx")
    w_avg = np.load(folder / "w_avg.npy").reshape(-1)
    # The samples behind the boundaries are synthesized and scored already.
    scored = cache / "scored"
    scores = np.load(scored / "scores.npy", mmap_mode="r")[: len(ATTRIBUTES), :SAMPLES].T.astype(np.float32)
    w = np.load(scored / "w.npy", mmap_mode="r")[:COMPARED]
    # Only the half with the mapping's own correlations is like what the generator learned from.
    held, held_truth = labelled_renders(HELD_OUT, HELD_OUT_SEED, cache)
    pixels, truth = held[: HELD_OUT // 2], held_truth[: HELD_OUT // 2]
    z = np.concatenate([sample_z(1, seed, DIMENSION) for seed in range(arguments.seeds)])
    codes = {"z": z, "w": model.to_w(z, "z")}
    example = torch.tensor(model.to_layers(z[:8], "z"))
    figures = {
        **shared_figures(folder, model, codes, model.scores(z, "z", batch=50), scores),
        "synthesis_against_pytorch": difference(load(cache).synthesis, folder / "synthesis.onnx", example),
        "training": training_figures(cache),
        "compared": COMPARED,
        "frechet": frechet_distances(model, features, w, w_avg, training_renders(cache).pixels),
        **classifier_figures(model, pixels, truth.numpy(), scores),
        **paper_figures(cache),
        "encoder": encoder_figures(model, folder, pixels[:ENCODED], w_avg),
        "quality": {space: quality_figures(model, space, codes[space], folder) for space in SPACES},
    }
    write_json(folder / "figures.json", figures)
    sent = cache / "sent"
    sent.mkdir(exist_ok=True)
    for index, image in enumerate(pixels[:SENT]):
        Image.fromarray(image.transpose(1, 2, 0)).save(sent / f"{index:03}.png")


if __name__ == "__main__":
    main()
