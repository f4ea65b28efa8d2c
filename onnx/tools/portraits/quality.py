"""Trains the portraits' quality classifier, which tells the generator's spoiled faces from clean ones.

Each code of the generator has a render, which shows what it should look like: in the basis of the training, the first
64 values of the code are a code of the phantom. The third of the generator's images with the greatest edge error in
the face counts as spoiled; the third with the least error, and renders, count as clean. The network learns from images
alone. Its accuracies go into quality.json.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.attributes import ATTRIBUTES
from common.command import parser
from common.evaluation import write_json
from common.model import Model
from common.quality_classifier import HELD_OUT, SEED, Quality, scores_of, train, write
from phantom.labels import truth_of

from .losses import EYES, MOUTH, edges, window
from .networks import DIMENSION
from .renders import SIDE, Renders, factors_of, training_renders
from .train import basis

SAMPLES, BATCH, EPOCHS = 10_000, 20, 12
UNSEEN_RENDERS = 2_000


def edge_error(image: Tensor, target: Tensor) -> Tensor:
    """The error of edges around mouth and eyes [count], as a share of the target's edges."""
    shares = []
    for part in (MOUTH, EYES):
        one, other = edges(window(image, part)), edges(window(target, part))
        shares.append((one - other).abs().mean(dim=1) / other.abs().mean(dim=1))
    return sum(shares)


def compare(model: Model, renders: Renders) -> tuple[Tensor, Tensor]:
    """The generator's images of the renders' codes, in bytes, and the edge error of each."""
    noise = np.random.RandomState(SEED).randn(SAMPLES, DIMENSION - renders.z.shape[1])
    z = np.concatenate([renders.z[:SAMPLES], noise], axis=1) @ basis()
    pixels, errors = [], []
    for start in range(0, SAMPLES, BATCH):
        image = torch.from_numpy(model.synthesize(z[start : start + BATCH], "z")).clamp(-1.0, 1.0)
        target = torch.from_numpy(renders.pixels[start : start + BATCH]).float() / 127.5 - 1.0
        pixels.append(image.add(1.0).mul(127.5).round().byte())
        errors.append(edge_error(image, target))
    return torch.cat(pixels), torch.cat(errors)


def train_on_thirds(pixels: Tensor, errors: Tensor, renders: Renders) -> tuple[Quality, dict[str, Any]]:
    """A network trained on the best and the worst third and on renders, and its figures on unseen images."""
    train_count = int(SAMPLES * (1 - HELD_OUT))
    good, bad = torch.quantile(errors[:train_count], torch.tensor([1 / 3, 2 / 3]))
    clean, labelled = errors < good, (errors < good) | (errors > bad)
    learned, held_out = labelled.clone(), labelled.clone()
    learned[train_count:] = False
    held_out[:train_count] = False
    extra = torch.from_numpy(renders.pixels[SAMPLES : SAMPLES + train_count // 3])
    labels = torch.cat([clean[learned], torch.ones(len(extra), dtype=torch.bool)])
    network = train(torch.cat([pixels[learned], extra]), labels, SIDE, EPOCHS)
    unseen_scores = scores_of(network, pixels[train_count:])
    unseen_renders = torch.from_numpy(renders.pixels[-UNSEEN_RENDERS:])
    right = (scores_of(network, pixels[held_out]) > 0) == clean[held_out]
    correlation = np.corrcoef(unseen_scores.numpy(), -errors[train_count:].numpy())[0, 1]
    return network, {
        "good": round(good.item(), 4),
        "bad": round(bad.item(), 4),
        "held_out": round(right.float().mean().item(), 4),
        "correlation": round(float(correlation), 4),
        "renders": round((scores_of(network, unseen_renders) > 0).float().mean().item(), 4),
        "clean": round((unseen_scores > 0).float().mean().item(), 4),
    }


def main() -> None:
    arguments = parser(__doc__, cache="renders").parse_args()
    torch.set_num_threads(2)
    renders = training_renders(arguments.cache)
    pixels, errors = compare(Model(arguments.folder), renders)
    truth = truth_of(torch.from_numpy(factors_of(renders.z[:SAMPLES])))
    leaning = {
        name: round(float(np.corrcoef(errors.numpy(), truth[:, index].numpy())[0, 1]), 3)
        for index, name in enumerate(ATTRIBUTES)
    }
    network, accuracies = train_on_thirds(pixels, errors, renders)
    figures = {"seed": SEED, "samples": SAMPLES, **accuracies, "leaning": leaning}
    write(network, SIDE, arguments.folder)
    write_json(arguments.folder / "quality.json", figures)
    print(figures)


if __name__ == "__main__":
    main()
