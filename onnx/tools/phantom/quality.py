"""Trains the quality classifier, and tests whether a boundary separates spoiled codes from clean ones.

Codes are spoiled by scaling w - w_avg. The accuracies of the classifier and of the boundaries go into quality.json.
"""

import numpy as np
import torch
from sklearn.svm import LinearSVC
from torch.nn import functional

from common.arrays import Array
from common.command import parser
from common.evaluation import write_json
from common.quality_classifier import HELD_OUT, SEED, SIDE, scores_of, train, write

from .factors import rotation
from .mapping import Mapping, sample_z
from .render_pool import RenderPool

SAMPLES = 20_000
SPOILED, LEAST, MOST = 0.5, 1.6, 3.0
"""The share of spoiled codes, and the least and the greatest factor that scales them."""

RENDERED = 128
"""Images are rendered at this side, and then shrunk for the network."""


def spoil(count: int, w_avg: Array) -> tuple[Array, Array, Array]:
    """Codes in z and in w - w_avg, [count, 64] each, and which of them are spoiled."""
    z = sample_z(count, SEED)
    with torch.no_grad():
        w = Mapping()(torch.tensor(z)).numpy() - w_avg
    random = np.random.RandomState(SEED)
    spoiled = random.rand(count) < SPOILED
    factor = np.where(spoiled, random.uniform(LEAST, MOST, count), 1.0)[:, None]
    return z * factor, w * factor, spoiled


def separability(z: Array, w: Array, spoiled: Array) -> dict[str, float]:
    """The held-out accuracy of the best distance from the mean, and of the best boundary in each space."""
    train_count = int(len(z) * (1 - HELD_OUT))
    length = np.linalg.norm(w, axis=1)
    limit = np.sort(length[:train_count])[int(train_count * (1 - spoiled[:train_count].mean()))]
    accuracies = {"by_distance": round(float(((length > limit) == spoiled)[train_count:].mean()), 4)}
    for space, codes in (("z", z), ("w", w)):
        machine = LinearSVC(C=1.0, dual=False).fit(codes[:train_count], spoiled[:train_count])
        accuracies[space] = round(float(machine.score(codes[train_count:], spoiled[train_count:])), 4)
    return accuracies


def main() -> None:
    arguments_of = parser(__doc__)
    arguments_of.add_argument("--images", type=int, default=10_000, help="how many images to render")
    arguments_of.add_argument("--epochs", type=int, default=8)
    arguments = arguments_of.parse_args()
    count, folder = arguments.images, arguments.folder
    torch.set_num_threads(2)
    w_avg = np.load(folder / "w_avg.npy").reshape(-1)
    z, w, spoiled = spoil(SAMPLES, w_avg)
    figures = {"seed": SEED, "samples": SAMPLES, "least": LEAST, "most": MOST, **separability(z, w, spoiled)}
    factors = ((w[:count] + w_avg) @ rotation().T).astype(np.float32)
    with RenderPool(RENDERED) as pool:
        rendered = torch.from_numpy(pool.render(factors)).float()
    pixels = functional.avg_pool2d(rendered, RENDERED // SIDE).round().byte()
    clean = torch.from_numpy(~spoiled[:count])
    train_count = int(count * (1 - HELD_OUT))
    network = train(pixels[:train_count], clean[:train_count], 256, arguments.epochs)
    right = (scores_of(network, pixels[train_count:]) > 0) == clean[train_count:]
    figures.update(images=count, learned=train_count, held_out=round(right.float().mean().item(), 4))
    write(network, 256, folder)
    write_json(folder / "quality.json", figures)
    print(figures)


if __name__ == "__main__":
    main()
