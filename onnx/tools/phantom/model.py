"""A finished model folder, driven through its own ONNX files as the service drives it."""

import pathlib

import numpy as np

from .export import session
from .factors import ATTRIBUTES

SPACES = ("z", "w")


def others(attribute: str) -> tuple[str, ...]:
    """The other four attributes."""
    return tuple(name for name in ATTRIBUTES if name != attribute)


class Model:
    """The graphs of a model folder, `truth` where it knows it, and the boundaries that it has."""

    def __init__(self, folder: pathlib.Path) -> None:
        known = ("mapping", "synthesis", "truth", "classifier", "quality")
        names = [name for name in known if (folder / f"{name}.onnx").exists()]
        self.graphs = {name: session(folder / f"{name}.onnx") for name in names}
        self.knows_truth = "truth" in names
        self.layers = self.graphs["synthesis"].get_inputs()[0].shape[1]
        self.normals = {
            (attribute, space): np.load(folder / "boundaries" / f"{attribute}_{space}.npy")[0]
            for attribute in ATTRIBUTES
            for space in SPACES
            if (folder / "boundaries" / f"{attribute}_{space}.npy").exists()
        }

    def run(self, name: str, given: np.ndarray) -> np.ndarray:
        """A graph's output for its only input."""
        graph = self.graphs[name]
        return graph.run(None, {graph.get_inputs()[0].name: given})[0]

    def w_of(self, codes: np.ndarray, space: str) -> np.ndarray:
        """w+ codes [count, layers, dim] of codes in z or w."""
        codes = codes.astype(np.float32)
        w = self.run("mapping", codes) if space == "z" else codes
        return np.repeat(w[:, None], self.layers, axis=1)

    def pictures(self, codes: np.ndarray, space: str) -> np.ndarray:
        """Images [count, 3, height, width]."""
        return self.run("synthesis", self.w_of(codes, space))

    def scores(self, codes: np.ndarray, space: str, batch: int = 8) -> np.ndarray:
        """Classifier scores [count, 5]."""
        parts = [codes[start : start + batch] for start in range(0, len(codes), batch)]
        return np.concatenate([self.run("classifier", self.pictures(part, space)) for part in parts])

    def truth(self, codes: np.ndarray, space: str) -> np.ndarray:
        """True values [count, 5]."""
        return self.run("truth", self.w_of(codes, space))

    def direction(self, primal: str, space: str, conditions: tuple[str, ...] = ()) -> np.ndarray:
        """The unit direction of an attribute, orthogonal to the conditions."""
        normal = self.normals[primal, space]
        if not conditions:
            return normal
        basis = np.linalg.qr(np.stack([self.normals[name, space] for name in conditions]).T)[0]
        rest = normal - basis @ (basis.T @ normal)
        return rest / np.linalg.norm(rest)
