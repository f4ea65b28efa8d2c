"""Draws many portraits quickly: one single-threaded ONNX Runtime session in each of a few workers."""

import multiprocessing
import pathlib
import tempfile
from collections.abc import Iterator

import numpy as np
import onnxruntime
import torch

from .export import export
from .renderer import Renderer

BATCH = 8
CHUNK = 256
_graphs: dict[str, onnxruntime.InferenceSession] = {}


def _open(renderer: str) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    _graphs["renderer"] = onnxruntime.InferenceSession(renderer, options, providers=["CPUExecutionProvider"])


def _draw(factors: np.ndarray) -> np.ndarray:
    parts = [
        _graphs["renderer"].run(None, {"factors": factors[i : i + BATCH]})[0] for i in range(0, len(factors), BATCH)
    ]
    return to_bytes(np.concatenate(parts))


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Pictures in [-1, 1] as bytes, rounded half up."""
    return np.clip((image + 1.0) * 127.5 + 0.5, 0, 255).astype(np.uint8)


class Studio:
    """A renderer of a given size, behind some workers."""

    def __init__(self, size: int, workers: int = 2) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name) / "renderer.onnx"
        export(Renderer(size), torch.randn(3, 64), "factors", "image", path)
        context = multiprocessing.get_context("spawn")
        self.pool = context.Pool(workers, _open, (str(path),))

    def __enter__(self) -> "Studio":
        return self

    def __exit__(self, *error: object) -> None:
        self.pool.terminate()
        self.folder.cleanup()

    def pictures(self, factors: np.ndarray) -> np.ndarray:
        """Bytes [count, 3, size, size]."""
        return np.concatenate(list(self.chunks(factors)))

    def chunks(self, factors: np.ndarray) -> Iterator[np.ndarray]:
        """The same bytes as they are finished, `CHUNK` pictures at a time."""
        factors = np.ascontiguousarray(factors, dtype=np.float32)
        chunks = [factors[i : i + CHUNK] for i in range(0, len(factors), CHUNK)]
        for done, part in enumerate(self.pool.imap(_draw, chunks), start=1):
            if done % 40 == 0:
                print(f"{done * CHUNK} of {len(factors)}", flush=True)
            yield part
