"""A finished model folder, run through its ONNX files as the service runs them."""

import pathlib

import numpy as np

from .arrays import Array
from .attributes import ATTRIBUTES, SPACES
from .onnx_files import open_session

GRAPHS = ("mapping", "synthesis", "truth", "classifier", "quality")


class Model:
    """The graphs of a model folder and the normals of its boundaries. Only the phantom has a graph of truths."""

    def __init__(self, folder: pathlib.Path) -> None:
        names = [name for name in GRAPHS if (folder / f"{name}.onnx").exists()]
        self.sessions = {name: open_session(folder / f"{name}.onnx") for name in names}
        self.knows_truth = "truth" in names
        self.layers: int = self.sessions["synthesis"].get_inputs()[0].shape[1]
        self.normals: dict[tuple[str, str], Array] = {
            (attribute, space): np.load(folder / "boundaries" / f"{attribute}_{space}.npy")[0]
            for attribute in ATTRIBUTES
            for space in SPACES
            if (folder / "boundaries" / f"{attribute}_{space}.npy").exists()
        }

    def run(self, name: str, value: Array) -> Array:
        """The first output of a graph for a value of its only input."""
        session = self.sessions[name]
        output: Array = session.run(None, {session.get_inputs()[0].name: value})[0]
        return output

    def to_w(self, codes: Array, space: str) -> Array:
        """W codes [count, dim] of codes in z or w."""
        codes = codes.astype(np.float32)
        return self.run("mapping", codes) if space == "z" else codes

    def to_layers(self, codes: Array, space: str) -> Array:
        """w+ codes [count, layers, dim] of codes in z or w."""
        return np.repeat(self.to_w(codes, space)[:, None], self.layers, axis=1)

    def synthesize(self, codes: Array, space: str) -> Array:
        """Images [count, 3, height, width]."""
        return self.run("synthesis", self.to_layers(codes, space))

    def scores(self, codes: Array, space: str, batch: int = 8) -> Array:
        """Classifier scores [count, 5]."""
        parts = [codes[start : start + batch] for start in range(0, len(codes), batch)]
        return np.concatenate([self.run("classifier", self.synthesize(part, space)) for part in parts])

    def truth(self, codes: Array, space: str) -> Array:
        """True values [count, 5]."""
        return self.run("truth", self.to_layers(codes, space))

    def direction(self, primal: str, space: str, conditions: tuple[str, ...] = ()) -> Array:
        """The unit direction of an attribute, orthogonal to the conditions."""
        normal = self.normals[primal, space]
        if not conditions:
            return normal
        basis = np.linalg.qr(np.stack([self.normals[name, space] for name in conditions]).T)[0]
        rest = normal - basis @ (basis.T @ normal)
        direction: Array = rest / np.linalg.norm(rest)
        return direction
