"""The portraits' quality classifier: it tells the generator's torn faces from whole ones.

What the generator does wrong is known, because each of its codes has a render: in its first 64 values (in the training's basis) it
is a code of the phantom. The third of its pictures whose edges in the face are farthest from their renders' are spoiled, the
nearest third and renders are clean; the network learns from pictures alone. What it comes to is written to quality.json.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from torch import Tensor

from phantom.factors import ATTRIBUTES
from phantom.classifier import truth_of
from phantom.model import Model
from phantom.quality import HELD_OUT, SEED, learn, scores_of, write

from .likeness import EYES, MOUTH, edges, window
from .networks import DIMENSION
from .pictures import SIDE, Pictures, factors_of
from .train import PICTURES, basis, draw
from .train import SEED as LEARNED

SAMPLES, BATCH, EPOCHS = 10_000, 20, 12


def off(drawn: Tensor, wanted: Tensor) -> Tensor:
    """How much of the edges round mouth and eyes [count] is wrong, as a share of all edges that should be there."""
    shares = []
    for place in (MOUTH, EYES):
        one, other = edges(window(drawn, place)), edges(window(wanted, place))
        shares.append((one - other).abs().mean(dim=1) / other.abs().mean(dim=1))
    return sum(shares)


def compare(model: Model, renders: Pictures) -> tuple[Tensor, Tensor]:
    """The generator's pictures of the renders' codes in bytes, and how far off each is."""
    noise = np.random.RandomState(SEED).randn(SAMPLES, DIMENSION - renders.z.shape[1])
    z = np.concatenate([renders.z[:SAMPLES], noise], axis=1) @ basis()
    drawn, wrong = [], []
    for start in range(0, SAMPLES, BATCH):
        image = torch.from_numpy(model.pictures(z[start : start + BATCH], "z")).clamp(-1.0, 1.0)
        wanted = torch.from_numpy(renders.pixels[start : start + BATCH]).float() / 127.5 - 1.0
        drawn.append(image.add(1.0).mul(127.5).round().byte())
        wrong.append(off(image, wanted))
    return torch.cat(drawn), torch.cat(wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where the renders are kept")
    given = parser.parse_args()
    torch.set_num_threads(2)
    renders = draw(PICTURES, LEARNED, given.cache)
    drawn, wrong = compare(Model(given.folder), renders)
    truth = truth_of(torch.from_numpy(factors_of(renders.z[:SAMPLES])))
    leaning = {
        name: round(float(np.corrcoef(wrong.numpy(), truth[:, place].numpy())[0, 1]), 3)
        for place, name in enumerate(ATTRIBUTES)
    }
    train = int(SAMPLES * (1 - HELD_OUT))
    good, bad = torch.quantile(wrong[:train], torch.tensor([1 / 3, 2 / 3]))
    told = (wrong < good) | (wrong > bad)
    clean = wrong < good
    learned = told.clone()
    learned[train:] = False
    whole = torch.from_numpy(renders.pixels[SAMPLES : SAMPLES + train // 3])
    pictures = torch.cat([drawn[learned], whole])
    network = learn(pictures, torch.cat([clean[learned], torch.ones(len(whole), dtype=torch.bool)]), SIDE, EPOCHS)
    told[:train] = False
    unseen = torch.from_numpy(renders.pixels[-2_000:])
    held = scores_of(network, drawn[told]) > 0
    found = {
        "seed": SEED,
        "samples": SAMPLES,
        "good": round(good.item(), 4),
        "bad": round(bad.item(), 4),
        "held_out": round((held == clean[told]).float().mean().item(), 4),
        "correlation": round(float(np.corrcoef(scores_of(network, drawn[train:]).numpy(), -wrong[train:].numpy())[0, 1]), 4),
        "renders": round((scores_of(network, unseen) > 0).float().mean().item(), 4),
        "clean": round((scores_of(network, drawn[train:]) > 0).float().mean().item(), 4),
        "leaning": leaning,
    }
    write(network, SIDE, given.folder)
    (given.folder / "quality.json").write_text(json.dumps(found, indent=1) + "\n")
    print(found)


if __name__ == "__main__":
    main()
