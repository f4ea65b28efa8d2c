"""Finds the boundaries with faceplane. Samples are synthesized and scored once, for both spaces and both methods.

FACEPLANE names the program (`make build`).
"""

import hashlib
import json
import os
import pathlib
import subprocess
from collections.abc import Sequence

import numpy as np

from common.attributes import ATTRIBUTES, SPACES
from common.chunks import ChunkedFiles
from common.command import parser
from common.evaluation import SAMPLE_SEED
from common.model import Model
from common.sampling import sample_z

from .networks import DIMENSION

SAMPLES, CHUNK = 100_000, 500

SHIPPED = ("--threshold", "0")
"""The options of the shipped boundaries: the default method, with the classifiers' threshold."""

PAPER = ("--method", "svm", "--ratio", "0.02")
"""The options of the boundaries for comparison: the paper's method and share of samples at each end of the scores."""

SCORED_BY = {**dict.fromkeys(ATTRIBUTES, "classifier"), "quality": "quality"}
"""The graph that scores each attribute."""


def score(model: Model, cache: pathlib.Path) -> pathlib.Path:
    """A folder with the samples' codes, z.npy and w.npy, and each attribute's scores.

    An interrupted run continues after its last chunk.
    """
    folder = cache / "scored"
    folder.mkdir(exist_ok=True)
    z = sample_z(SAMPLES, SAMPLE_SEED, DIMENSION)
    w = np.concatenate([model.to_w(part, "z") for part in np.array_split(z, 50)])
    for space, codes in (("z", z.astype("<f4")), ("w", w)):
        np.save(folder / f"{space}.npy", codes)
    files = ChunkedFiles(folder / "done.txt", {folder / "scores.npy": (np.float32, (len(SCORED_BY), SAMPLES))})
    (scores,) = files.arrays
    for start in range(files.done, SAMPLES, CHUNK):
        parts = []
        for batch in np.array_split(w[start : start + CHUNK], CHUNK // 10):
            images = model.synthesize(batch, "w")
            parts.append(np.concatenate([model.run("classifier", images), model.run("quality", images)], axis=1))
        scores[:, start : start + CHUNK] = np.concatenate(parts).T
        files.finish(start + CHUNK)
        if start % 10_000 == 0:
            print(f"scored {start + CHUNK} of {SAMPLES}", flush=True)
    for attribute, column in zip(SCORED_BY, scores, strict=True):
        np.save(folder / f"{attribute}.npy", np.array(column))
    return folder


def fit(attribute: str, space: str, method: Sequence[str], scored: pathlib.Path, target: pathlib.Path) -> None:
    """Writes one boundary, by `faceplane train-boundary`."""
    program = os.environ.get("FACEPLANE", "../../target/release/faceplane")
    codes = ["--latents", str(scored / f"{space}.npy"), "--scores", str(scored / f"{attribute}.npy")]
    options = [*method, "--space", space, "--seed", str(SAMPLE_SEED), "--output", str(target), "--replace"]
    subprocess.run([program, "train-boundary", "--attribute", attribute, *codes, *options], check=True)


def generator_digest(folder: pathlib.Path) -> str:
    """SHA-256 of mapping and synthesis, each after its length in 8 bytes: the model's digest in the service."""
    digest = hashlib.sha256()
    for name in ("mapping", "synthesis"):
        content = (folder / f"{name}.onnx").read_bytes()
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()


def add_provenance(path: pathlib.Path, graph: str, folder: pathlib.Path) -> None:
    """Adds what faceplane cannot know about files to a boundary's JSON: seed, scoring graph and model."""
    record = json.loads(path.read_text())
    first = ("attribute", "space", "intercept", "samples", "chosen")
    known = {name: record.pop(name) for name in first if name in record}
    known["seed"] = SAMPLE_SEED
    known["classifier"] = f"{graph}.onnx"
    known["classifier_digest"] = hashlib.sha256((folder / f"{graph}.onnx").read_bytes()).hexdigest()
    known["model"] = generator_digest(folder)
    path.write_text(json.dumps({**known, **record}, indent=2) + "\n")


def main() -> None:
    arguments = parser(__doc__, cache="codes and scores").parse_args()
    scored = score(Model(arguments.folder), arguments.cache)
    for method, target in ((SHIPPED, arguments.folder / "boundaries"), (PAPER, arguments.cache / "boundaries-paper")):
        for attribute, graph in SCORED_BY.items():
            for space in SPACES:
                fit(attribute, space, method, scored, target)
                add_provenance(target / f"{attribute}_{space}.json", graph, arguments.folder)


if __name__ == "__main__":
    main()
