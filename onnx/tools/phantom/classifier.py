"""Trains the attribute classifier, a small convolutional network that learns from rendered images alone."""

import time

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.attribute_classifier import SEED, Trunk, report, train
from common.attributes import ATTRIBUTES
from common.command import parser
from common.onnx_files import write

from .labels import sample_factors, side_and_distance, truth_of
from .render_pool import RenderPool

SIDE = 128
"""The network shrinks images to this side; the training images are rendered at it."""

WIDTHS = (3, 16, 32, 64, 96, 128)
"""Channels of the image and after each halving of the side."""

HELD_OUT = 4_000


class Classifier(nn.Module):
    """Scores [batch, 5] of images [batch, 3, 256, 256], shrunk to 128."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, image: Tensor) -> Tensor:
        return self.trunk(functional.avg_pool2d(image, 2))


def main() -> None:
    arguments_of = parser(__doc__, cache="unfinished weights")
    arguments_of.add_argument("--images", type=int, default=50_000, help="how many images to render and learn from")
    arguments_of.add_argument("--epochs", type=int, default=7)
    arguments = arguments_of.parse_args()
    torch.set_num_threads(2)
    started = time.time()
    factors, held = sample_factors(arguments.images, seed=11), sample_factors(HELD_OUT, seed=5011)
    with RenderPool(SIDE) as pool:
        pixels, held_pixels = (torch.from_numpy(pool.render(some.numpy())) for some in (factors, held))
    print(f"rendered in {time.time() - started:.0f} s", flush=True)
    torch.manual_seed(SEED)
    trunk = Trunk(WIDTHS, len(ATTRIBUTES))
    checkpoint = arguments.cache / "classifier.pt"
    trunk = train(trunk, pixels, truth_of(factors), arguments.epochs, checkpoint, side_and_distance)
    report(trunk, held_pixels, truth_of(held))
    classifier = Classifier(trunk.to(memory_format=torch.contiguous_format)).eval()
    example = torch.randn(3, 3, 256, 256)
    write(classifier, example, ("image", "scores"), arguments.folder / "classifier.onnx")


if __name__ == "__main__":
    main()
