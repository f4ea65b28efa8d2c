"""Writes mapping.onnx, synthesis.onnx and w_avg.npy from the averaged weights of the training."""

import numpy as np
import torch

from common.command import parser
from common.onnx_files import write

from .networks import DIMENSION, LAYERS
from .weights import load

SAMPLES = 200_000
"""w_avg is the mean of this many codes."""


def main() -> None:
    arguments = parser(__doc__, cache="the training's weights").parse_args()
    torch.set_num_threads(2)
    generator = load(arguments.cache)
    random = np.random.RandomState(100)
    z = torch.from_numpy(random.randn(SAMPLES, DIMENSION).astype(np.float32))
    with torch.no_grad():
        w = torch.cat([generator.mapping(part) for part in z.split(10_000)])
    np.save(arguments.folder / "w_avg.npy", w.double().mean(dim=0).numpy().astype("<f4"))
    write(generator.mapping, z[:5], ("z", "w"), arguments.folder / "mapping.onnx")
    layered = w[:5, None].repeat(1, LAYERS, 1)
    write(generator.synthesis, layered, ("w", "image"), arguments.folder / "synthesis.onnx")


if __name__ == "__main__":
    main()
