"""Measures the finished portraits through their own ONNX files and writes every figure of the card to figures.json."""

import argparse
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image

from phantom.evaluate import BY, REAL, SEED, SEEDS, correlations, edits, named, speed, tensors
from phantom.export import gap, session
from phantom.factors import ATTRIBUTES
from phantom.classifier import draw_factors, truth_of
from phantom.mapping import rescale
from phantom.model import SPACES, Model
from phantom.studio import to_bytes

from .classifier import HELD
from .export import load
from .networks import DIMENSION
from .pictures import aligned, render
from .train import PICTURES, draw
from .train import SEED as LEARNED

SAMPLES, COMPARED, ENCODED = 10_000, 4_000, 1_000
"""Samples scored, pictures in each set of a Fréchet distance, and pictures shown to the encoder."""

SENT = 100
"""Renders written out for the inversion of pictures that are none of the generator's."""


def sample(count: int, seed: int) -> np.ndarray:
    """Codes [count, 256] of one seed."""
    return rescale(np.random.RandomState(seed).randn(count, DIMENSION))


class Features:
    """The classifier's last layer before the scores, [count, 128]."""

    def __init__(self, path: pathlib.Path) -> None:
        graph = onnx.load(path)
        last = [node for node in graph.graph.node if node.op_type == "Gemm"][-1]
        graph.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
        self.graph = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def of(self, pictures: np.ndarray) -> np.ndarray:
        """Of bytes [count, 3, 64, 64]."""
        parts = np.array_split(pictures, max(1, len(pictures) // 100))
        return np.concatenate([self.graph.run(None, {"image": unit(part)})[1] for part in parts]).astype(float)


def unit(pictures: np.ndarray) -> np.ndarray:
    """Bytes in [-1, 1]."""
    return (pictures.astype(np.float32) / 127.5) - 1.0


def frechet(one: np.ndarray, other: np.ndarray) -> float:
    """|m - m'|² + tr(C + C' - 2 (C C')^½) of features [count, 128]: Heusel et al. 2017, in features of our own."""
    first, second = np.cov(one.T), np.cov(other.T)
    roots = np.sqrt(np.clip(np.linalg.eigvals(first @ second).real, 0.0, None))
    apart = np.square(one.mean(axis=0) - other.mean(axis=0)).sum()
    return float(apart + np.trace(first) + np.trace(second) - 2.0 * roots.sum())


def psnr(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of bytes [count, 3, 64, 64], in dB."""
    error = np.square(one.astype(float) - other).mean(axis=(1, 2, 3))
    return 10.0 * np.log10(255.0**2 / np.maximum(error, 1e-9))


def drawn(model: Model, codes: np.ndarray, space: str) -> np.ndarray:
    """Pictures of codes, in bytes."""
    parts = np.array_split(codes, max(1, len(codes) // 50))
    return np.concatenate([to_bytes(model.pictures(part, space)) for part in parts])


def encoding(model: Model, folder: pathlib.Path, renders: np.ndarray, w_avg: np.ndarray) -> dict[str, float]:
    """What the encoder alone makes of unseen own pictures, and of renders."""
    encoder = session(folder / "encoder.onnx")
    w = model.w_of(sample(ENCODED, SEED + 1), "z")[:, 0]
    own = drawn(model, w, "w")
    found = {}
    codes = {name: encoder.run(None, {"image": unit(some)})[0] for name, some in (("own", own), ("renders", renders))}
    for name, some in (("own", own), ("renders", renders)):
        found[f"{name}_psnr"] = round(float(psnr(some, drawn(model, codes[name], "w")).mean()), 2)
    one, other = codes["own"] - w_avg, w - w_avg
    cosines = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    found["own_cosine"] = round(float(cosines.mean()), 4)
    return found


def mending(model: Model, space: str, codes: np.ndarray, folder: pathlib.Path) -> dict[str, float]:
    """What moving codes along the plane of quality does to its score: how often it rises, and how many spoiled ones it makes clean."""
    normal = np.load(folder / "boundaries" / f"quality_{space}.npy")[0]
    before, after = (
        np.concatenate([model.run("quality", model.pictures(part, space))[:, 0] for part in np.array_split(some, 25)])
        for some in (codes, (codes + BY * normal).astype(np.float32))
    )
    spoiled = before < 0
    mended = after[spoiled] > 0
    return {"rises": round(float((after > before).mean()), 4), "spoiled": int(spoiled.sum()), "mended": int(mended.sum())}


def planes(folder: pathlib.Path) -> dict[str, dict]:
    """What is known of each plane."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where the renders are kept")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    torch.set_num_threads(2)
    model, features = Model(given.folder), Features(given.folder / "classifier.onnx")
    w_avg = np.load(given.folder / "w_avg.npy").reshape(-1)
    # The samples that the planes were found with are drawn and scored already.
    scored = given.cache / "scored"
    scores = np.load(scored / "scores.npy", mmap_mode="r")[: len(ATTRIBUTES), :SAMPLES].T.astype(np.float32)
    w = np.load(scored / "w.npy", mmap_mode="r")[:COMPARED]
    held_factors = aligned(draw_factors(HELD, 5011).numpy())[: HELD // 2]
    held = render(aligned(draw_factors(HELD, 5011).numpy()), "classifier-5011", given.cache)[: HELD // 2]
    truth = truth_of(torch.from_numpy(held_factors)).numpy()
    read = np.concatenate([model.run("classifier", unit(part)) for part in np.array_split(held, 20)])
    learned = draw(PICTURES, LEARNED, given.cache).pixels
    of_renders = features.of(learned[:COMPARED])
    distances = {"renders": frechet(of_renders, features.of(learned[COMPARED : 2 * COMPARED]))}
    for psi in (1.0, 0.7):
        distances[str(psi)] = frechet(of_renders, features.of(drawn(model, w_avg + psi * (w - w_avg), "w")))
    found, paper = planes(given.folder / "boundaries"), planes(given.cache / "boundaries-paper")
    z = np.concatenate([sample(1, seed) for seed in range(given.seeds)])
    codes = {"z": z, "w": model.w_of(z, "z")[:, 0]}
    before = model.scores(z, "z", batch=50)
    normals = {space: np.stack([model.normals[name, space] for name in ATTRIBUTES]) for space in SPACES}
    training = [json.loads(line) for line in (given.cache / "training.jsonl").read_text().splitlines()]
    figures = {
        "tensors": tensors(given.folder),
        "bytes": {path.name: path.stat().st_size for path in sorted(given.folder.glob("*.onnx"))},
        "milliseconds_a_picture": speed(model, codes["w"]),
        "synthesis_against_pytorch": gap(
            load(given.cache).synthesis, given.folder / "synthesis.onnx", torch.tensor(model.w_of(z[:8], "z"))
        ),
        "training": {"pictures": training[-1]["pictures"], "hours": round(training[-1]["seconds"] / 3600, 1)},
        "frechet": {name: round(value, 3) for name, value in distances.items()},
        "samples": found["pose_z"]["samples"],
        "sample_seed": SEED,
        "chosen": found["pose_z"]["chosen"],
        "checked": SAMPLES,
        "compared": COMPARED,
        "held": len(held),
        "classifier_accuracy": named(((read > 0) == (truth > 0)).mean(axis=0)),
        "score_against_truth": named(correlations(read, truth)),
        "score_deviation": named(scores.std(axis=0)),
        "positive": named((scores > 0).mean(axis=0)),
        "positive_renders": named((truth > 0).mean(axis=0)),
        "score_correlation": np.corrcoef(scores.T).round(3).tolist(),
        "cosines": {space: (normals[space] @ normals[space].T).round(3).tolist() for space in SPACES},
        "boundaries": {name: one["accuracy"] for name, one in found.items()},
        "chosen_paper": paper["pose_z"]["chosen"],
        "boundaries_paper": {name: one["accuracy"] for name, one in paper.items()},
        "encoder": encoding(model, given.folder, held[:ENCODED], w_avg),
        "quality": {space: mending(model, space, codes[space], given.folder) for space in SPACES},
        "seeds": given.seeds,
        "by": BY,
        "real": REAL,
        "edits": {space: edits(model, space, codes[space], before, scores.std(axis=0)) for space in SPACES},
    }
    (given.folder / "figures.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    sent = given.cache / "sent"
    sent.mkdir(exist_ok=True)
    for place, picture in enumerate(held[:SENT]):
        Image.fromarray(picture.transpose(1, 2, 0)).save(sent / f"{place:03}.png")


if __name__ == "__main__":
    main()
