"""Has faceplane find the planes: samples are drawn and scored once, and serve both spaces and both shares of extremes.

FACEPLANE names the program (`make build`).
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess

import numpy as np

from phantom.factors import ATTRIBUTES
from phantom.model import SPACES, Model

from .evaluate import SEED, sample

SAMPLES, CHUNK = 100_000, 500

SHIPPED, PAPER = 0.1, 0.02
"""The share of samples at each end that the shipped planes are fitted to, and the paper's, for comparison."""

SCORED = {**dict.fromkeys(ATTRIBUTES, "classifier"), "quality": "quality"}
"""The graph that scores each attribute."""


def score(model: Model, cache: pathlib.Path) -> pathlib.Path:
    """A folder with the samples' codes, z.npy and w.npy, and each attribute's scores. A run that was cut short goes on after its
    last chunk."""
    folder = cache / "scored"
    folder.mkdir(exist_ok=True)
    z = sample(SAMPLES, SEED)
    parts = {"z": z.astype("<f4"), "w": np.concatenate([model.w_of(part, "z")[:, 0] for part in np.array_split(z, 50)])}
    for space, codes in parts.items():
        np.save(folder / f"{space}.npy", codes)
    done = folder / "done.txt"
    first = int(done.read_text()) if done.exists() else 0
    path, shape = folder / "scores.npy", (len(SCORED), SAMPLES)
    scores = np.lib.format.open_memmap(path, "r+" if first else "w+", np.float32, None if first else shape)
    for start in range(first, SAMPLES, CHUNK):
        found = []
        for batch in np.array_split(parts["w"][start : start + CHUNK], CHUNK // 10):
            pictures = model.pictures(batch, "w")
            found.append(np.concatenate([model.run("classifier", pictures), model.run("quality", pictures)], axis=1))
        scores[:, start : start + CHUNK] = np.concatenate(found).T
        scores.flush()
        done.write_text(str(start + CHUNK))
        if start % 10_000 == 0:
            print(f"{start + CHUNK} of {SAMPLES}", flush=True)
    for attribute, column in zip(SCORED, scores, strict=True):
        np.save(folder / f"{attribute}.npy", np.array(column))
    return folder


def find(attribute: str, space: str, ratio: float, scored: pathlib.Path, target: pathlib.Path) -> None:
    """One plane, by faceplane."""
    program = os.environ.get("FACEPLANE", "../../target/release/faceplane")
    codes = ["--latents", str(scored / f"{space}.npy"), "--scores", str(scored / f"{attribute}.npy")]
    options = ["--space", space, "--ratio", str(ratio), "--seed", str(SEED), "--output", str(target)]
    subprocess.run([program, "train-boundary", "--attribute", attribute, *codes, *options], check=True)


def tell(path: pathlib.Path, graph: str, folder: pathlib.Path) -> None:
    """Adds what faceplane cannot know of files: the samples' seed, which graph scored them, and whose codes they are."""
    generator = hashlib.sha256()
    for name in ("mapping", "synthesis"):
        weights = (folder / f"{name}.onnx").read_bytes()
        generator.update(len(weights).to_bytes(8, "little"))
        generator.update(weights)
    found = json.loads(path.read_text())
    known = {name: found.pop(name) for name in ("attribute", "space", "intercept", "samples", "chosen")}
    known["seed"] = SEED
    known["classifier"] = f"{graph}.onnx"
    known["classifier_digest"] = hashlib.sha256((folder / f"{graph}.onnx").read_bytes()).hexdigest()
    known["model"] = generator.hexdigest()
    known.update(found)
    path.write_text(json.dumps(known, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where codes and scores are kept")
    given = parser.parse_args()
    scored = score(Model(given.folder), given.cache)
    for ratio, target in ((SHIPPED, given.folder / "boundaries"), (PAPER, given.cache / "boundaries-paper")):
        for attribute, graph in SCORED.items():
            for space in SPACES:
                find(attribute, space, ratio, scored, target)
                tell(target / f"{attribute}_{space}.json", graph, given.folder)


if __name__ == "__main__":
    main()
