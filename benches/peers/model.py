"""The model as every peer runs it: seeds in, PNG files out."""

import io
import os
import pathlib
import tomllib
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

FOLDER = pathlib.Path(os.environ.get("MODEL", "onnx/phantom"))

Pixels = npt.NDArray[np.uint8]


def session(file: str) -> Any:
    """An ONNX Runtime session on the CPU, with THREADS threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("THREADS", "0"))
    return onnxruntime.InferenceSession(FOLDER / file, options, providers=["CPUExecutionProvider"])


class Model:
    """Mapping, synthesis and Pillow's encoder, each with its default settings."""

    def __init__(self) -> None:
        generator = tomllib.loads((FOLDER / "manifest.toml").read_text())["generator"]
        self.mapping = session(generator["mapping"]) if "mapping" in generator else None
        self.synthesis = session(generator["synthesis"])
        self.rescale = generator.get("rescale_z", True)
        self.dim = (self.mapping or self.synthesis).get_inputs()[0].shape[1]
        shape = self.synthesis.get_inputs()[0].shape
        self.layers = shape[1] if len(shape) == 3 else None

    def synthesize(self, seeds: list[int]) -> Pixels:
        """Pixels [batch, height, width, 3] of a list of seeds."""
        codes = np.concatenate([np.random.RandomState(seed).randn(1, self.dim) for seed in seeds])
        if self.rescale:
            codes *= np.sqrt(self.dim) / np.linalg.norm(codes, axis=1, keepdims=True)
        codes = codes.astype(np.float32)
        if self.mapping:
            codes = self.mapping.run(None, {self.mapping.get_inputs()[0].name: codes})[0]
        if self.layers:
            codes = np.repeat(codes[:, None], self.layers, axis=1)
        images: npt.NDArray[np.float32] = self.synthesis.run(None, {self.synthesis.get_inputs()[0].name: codes})[0]
        return np.clip((images + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def png(pixels: Pixels) -> bytes:
    """A PNG file of one image."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
