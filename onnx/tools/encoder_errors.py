"""Measures the errors of a model's encoder on the model's own images, and writes their covariance as .npy.

    python encoder_errors.py --folder ../phantom

Needs numpy and onnxruntime. The model's manifest names the graphs. The result is written to the file that the manifest
names as encoder.errors, or to encoder_errors.npy. faceplane's `refine` uses it to change a code freely where the
encoder is uncertain, and little where it is certain.
"""

import argparse
import pathlib
import tomllib
from typing import Any

import numpy as np
import onnxruntime

from common.arrays import Array

BATCH = 4
FLOOR = 1e-4
"""Added to each variance, as a share of their mean, so that no direction counts as certain."""


class Model:
    """The generator and the encoder of a model folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.manifest = tomllib.loads((folder / "manifest.toml").read_text())
        self.generator, self.entry = self.manifest["generator"], self.manifest["encoder"]

        def open_session(name: str) -> Any:
            return onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])

        mapping = self.generator.get("mapping")
        self.mapping = open_session(mapping) if mapping else None
        self.synthesis, self.encoder = open_session(self.generator["synthesis"]), open_session(self.entry["file"])
        mean = self.manifest.get("truncation", {}).get("w_avg")
        self.w_avg: Array | None = np.load(folder / mean).reshape(-1) if mean else None

    def sample(self, random: np.random.RandomState) -> Array:
        """Z codes [batch, dim]."""
        first = (self.mapping or self.synthesis).get_inputs()[0]
        z = random.randn(BATCH, first.shape[-1])
        if self.generator.get("rescale_z", True):
            z *= np.sqrt(z.shape[1]) / np.linalg.norm(z, axis=1, keepdims=True)
        return z.astype(np.float32)

    def synthesize(self, codes: Array) -> Array:
        """Images of codes [batch, dim], with values from 0 to 1, rounded to 8 bits."""
        source = self.synthesis.get_inputs()[0]
        if len(source.shape) == 3:
            codes = np.repeat(codes[:, None], source.shape[1], axis=1)
        images = output(self.synthesis, "image", codes)
        black, white = self.generator.get("image_range", [-1.0, 1.0])
        rounded: Array = np.clip(np.round((images - black) * 255.0 / (white - black)), 0.0, 255.0) / 255.0
        return rounded

    def encode(self, images: Array) -> Array:
        """Codes [batch, layers, dim] of images with values from 0 to 1."""
        side = self.encoder.get_inputs()[0].shape[-1]
        times = images.shape[-1] // side if isinstance(side, int) else 1
        batch, channels, height, width = images.shape
        parts = images.reshape(batch, channels, height // times, times, width // times, times)
        black, white = self.entry.get("image_range", [-1.0, 1.0])
        scaled = black + (white - black) * parts.mean(axis=(3, 5))
        codes = output(self.encoder, "code", scaled.astype(np.float32))
        if not self.entry.get("adds_w_avg", True) and self.entry["space"] != "z":
            if self.w_avg is None:
                raise SystemExit("the manifest says encoder.adds_w_avg = false, but names no truncation.w_avg")
            codes = codes + self.w_avg
        return codes.reshape(batch, -1, codes.shape[-1])

    def errors(self, random: np.random.RandomState) -> Array:
        """The encoder's codes minus the true ones, [batch · layers, dim]."""
        z = self.sample(random)
        codes = output(self.mapping, "w", z) if self.mapping else z
        codes = codes if codes.ndim == 2 else codes[:, 0]
        truth = z if self.entry["space"] == "z" else codes
        error: Array = self.encode(self.synthesize(codes)) - truth[:, None]
        rows: Array = error.reshape(-1, error.shape[-1])
        return rows


def output(session: Any, name: str, value: Array) -> Array:
    """The output of that name, or else the first one, of a graph with one input."""
    names = [one.name for one in session.get_outputs()]
    chosen = name if name in names else names[0]
    result: Array = session.run([chosen], {session.get_inputs()[0].name: value})[0]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--count", type=int, default=4096, help="images; several times the number of values of a code")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    model, random = Model(arguments.folder), np.random.RandomState(arguments.seed)
    errors = np.concatenate([model.errors(random) for _ in range(-(-arguments.count // BATCH))]).astype(float)
    covariance = np.cov(errors.T)
    covariance[np.diag_indices_from(covariance)] += FLOOR * np.trace(covariance) / len(covariance)
    path = arguments.folder / model.entry.get("errors", "encoder_errors.npy")
    np.save(path, covariance.astype(np.float32))
    deviations = np.sqrt(np.linalg.eigvalsh(covariance))
    print(f"{path.name}: {len(errors)} errors, deviations from {deviations[0]:.3f} to {deviations[-1]:.3f}")


if __name__ == "__main__":
    main()
