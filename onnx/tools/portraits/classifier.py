"""Trains the portraits' attribute classifier, the phantom's network for images of 64 pixels a side, on renders."""

import pathlib

import torch
from torch import Tensor

from common.arrays import Array
from common.attribute_classifier import SEED, Trunk, report, train
from common.attributes import ATTRIBUTES
from common.command import parser
from common.onnx_files import write
from phantom.labels import sample_factors, side_and_distance, truth_of

from .renders import SIDE, aligned, render

WIDTHS = (3, 32, 64, 96, 128)
"""Channels of the image and after each halving of the side."""

HELD_OUT, HELD_OUT_SEED = 4_000, 5011
"""Renders that are not learned from; the first half of them has the mapping's own correlations."""


def labelled_renders(count: int, seed: int, cache: pathlib.Path) -> tuple[Array, Tensor]:
    """Renders in bytes [count, 3, 64, 64], and their true values [count, 5]."""
    factors = aligned(sample_factors(count, seed).numpy())
    return render(factors, f"classifier-{seed}", cache), truth_of(torch.from_numpy(factors))


def main() -> None:
    arguments_of = parser(__doc__, cache="renders and unfinished weights")
    arguments_of.add_argument("--images", type=int, default=30_720, help="how many images to render and learn from")
    arguments_of.add_argument("--epochs", type=int, default=10)
    arguments_of.add_argument("--threads", type=int, default=2)
    arguments = arguments_of.parse_args()
    torch.set_num_threads(arguments.threads)
    pixels, truth = labelled_renders(arguments.images, 11, arguments.cache)
    held, held_truth = labelled_renders(HELD_OUT, HELD_OUT_SEED, arguments.cache)
    torch.manual_seed(SEED)
    trunk = Trunk(WIDTHS, len(ATTRIBUTES))
    checkpoint = arguments.cache / "classifier.pt"
    trunk = train(trunk, torch.from_numpy(pixels), truth, arguments.epochs, checkpoint, side_and_distance)
    report(trunk, torch.from_numpy(held), held_truth)
    trunk = trunk.to(memory_format=torch.contiguous_format)
    write(trunk, torch.randn(3, 3, SIDE, SIDE), ("image", "scores"), arguments.folder / "classifier.onnx")


if __name__ == "__main__":
    main()
