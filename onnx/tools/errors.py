"""How far a model's encoder misses the codes of the model's own pictures: the covariance of its errors, as .npy.

python errors.py --folder ../phantom, with numpy and onnxruntime. The model's manifest names its graphs; the file that it
names as encoder.errors is written, or encoder_errors.npy. faceplane's `refine` descends by it: far along what the encoder can
hardly tell, and little along what it is sure of.
"""

import argparse
import pathlib
import tomllib

import numpy as np
import onnxruntime

BATCH = 4
EVEN = 1e-4
"""Added to each variance, as a share of their mean, so that no direction is taken for certain."""


class Model:
    def __init__(self, folder: pathlib.Path) -> None:
        self.manifest = tomllib.loads((folder / "manifest.toml").read_text())
        self.generator, self.entry = self.manifest["generator"], self.manifest["encoder"]

        def open_(name: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])

        mapping = self.generator.get("mapping")
        self.mapping = open_(mapping) if mapping else None
        self.synthesis, self.encoder = open_(self.generator["synthesis"]), open_(self.entry["file"])
        mean = self.manifest.get("truncation", {}).get("w_avg")
        self.w_avg = np.load(folder / mean).reshape(-1) if mean else None

    def sample(self, random: np.random.RandomState) -> np.ndarray:
        """z [batch, dim]."""
        first = (self.mapping or self.synthesis).get_inputs()[0]
        z = random.randn(BATCH, first.shape[-1])
        if self.generator.get("rescale_z", True):
            z *= np.sqrt(z.shape[1]) / np.linalg.norm(z, axis=1, keepdims=True)
        return z.astype(np.float32)

    def draw(self, codes: np.ndarray) -> np.ndarray:
        """Pictures of codes [batch, dim], as 8 bits a channel would leave them."""
        given = self.synthesis.get_inputs()[0]
        if len(given.shape) == 3:
            codes = np.repeat(codes[:, None], given.shape[1], axis=1)
        images = output(self.synthesis, "image", codes)
        black, white = self.generator.get("image_range", [-1.0, 1.0])
        return np.clip(np.round((images - black) * 255.0 / (white - black)), 0.0, 255.0) / 255.0

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """Codes [batch, rows, dim] of pictures whose white is 1."""
        side = self.encoder.get_inputs()[0].shape[-1]
        times = pictures.shape[-1] // side if isinstance(side, int) else 1
        batch, channels, height, width = pictures.shape
        parts = pictures.reshape(batch, channels, height // times, times, width // times, times)
        black, white = self.entry.get("image_range", [-1.0, 1.0])
        images = black + (white - black) * parts.mean(axis=(3, 5))
        codes = output(self.encoder, "code", images.astype(np.float32))
        if not self.entry.get("adds_w_avg", True) and self.entry["space"] != "z":
            codes = codes + self.w_avg
        return codes.reshape(batch, -1, codes.shape[-1])

    def errors(self, random: np.random.RandomState) -> np.ndarray:
        """[batch · rows, dim]: the encoder's answers less the codes."""
        z = self.sample(random)
        codes = output(self.mapping, "w", z) if self.mapping else z
        codes = codes if codes.ndim == 2 else codes[:, 0]
        wanted = z if self.entry["space"] == "z" else codes
        missed = self.encode(self.draw(codes)) - wanted[:, None]
        return missed.reshape(-1, missed.shape[-1])


def output(session: onnxruntime.InferenceSession, name: str, given: np.ndarray) -> np.ndarray:
    """The output of a graph of one input that is called so, or else the first."""
    names = [one.name for one in session.get_outputs()]
    return session.run([name if name in names else names[0]], {session.get_inputs()[0].name: given})[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--count", type=int, default=4096, help="pictures; several times as many as a code has numbers")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    model, random = Model(given.folder), np.random.RandomState(given.seed)
    errors = np.concatenate([model.errors(random) for _ in range(-(-given.count // BATCH))]).astype(float)
    covariance = np.cov(errors.T)
    covariance[np.diag_indices_from(covariance)] += EVEN * np.trace(covariance) / len(covariance)
    path = given.folder / model.entry.get("errors", "encoder_errors.npy")
    np.save(path, covariance.astype(np.float32))
    deviations = np.sqrt(np.linalg.eigvalsh(covariance))
    print(f"{path.name}: {len(errors)} errors, deviations from {deviations[0]:.3f} to {deviations[-1]:.3f}")


if __name__ == "__main__":
    main()
