"""Renders many portraits quickly: several worker processes, each with a single-threaded ONNX Runtime session."""

import multiprocessing
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from common.arrays import Array, to_bytes
from common.onnx_files import export, open_session

from .renderer import Renderer

BATCH = 8
CHUNK = 256
"""Images that a worker renders at a time."""

_sessions: dict[str, Any] = {}


def _open(path: str) -> None:
    _sessions["renderer"] = open_session(pathlib.Path(path), threads=1)


def _render(factors: Array) -> Array:
    parts = [
        _sessions["renderer"].run(None, {"factors": factors[i : i + BATCH]})[0] for i in range(0, len(factors), BATCH)
    ]
    return to_bytes(np.concatenate(parts))


class RenderPool:
    """Workers that render images of one size."""

    def __init__(self, size: int, workers: int = 2) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name) / "renderer.onnx"
        export(Renderer(size), torch.randn(3, 64), ("factors", "image"), path)
        context = multiprocessing.get_context("spawn")
        self.pool = context.Pool(workers, _open, (str(path),))

    def __enter__(self) -> "RenderPool":
        return self

    def __exit__(self, *error: object) -> None:
        self.pool.terminate()
        self.folder.cleanup()

    def render(self, factors: Array) -> Array:
        """Bytes [count, 3, size, size] of factors [count, 64]."""
        return np.concatenate(list(self.chunks(factors)))

    def chunks(self, factors: Array) -> Iterator[Array]:
        """The same bytes, `CHUNK` images at a time, as soon as they are finished."""
        factors = np.ascontiguousarray(factors, dtype=np.float32)
        chunks = [factors[i : i + CHUNK] for i in range(0, len(factors), CHUNK)]
        for done, part in enumerate(self.pool.imap(_render, chunks), start=1):
            if done % 40 == 0:
                print(f"rendered {done * CHUNK} of {len(factors)}", flush=True)
            yield part
