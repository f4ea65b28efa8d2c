"""Tests whether a plane parts the codes of spoiled pictures from those of good ones, and writes the answer to quality.json."""

import argparse
import json
import pathlib

import numpy as np
import torch
from sklearn.svm import LinearSVC

from .mapping import Mapping, sample_z

SEED, SAMPLES = 2020, 20_000
SCALED, LEAST, MOST = 0.5, 1.6, 3.0
"""The share of the codes that are spoiled by scaling w - w_avg, and the least and the greatest factor."""

HELD_OUT = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    z = sample_z(SAMPLES, SEED)
    w_avg = np.load(folder / "w_avg.npy").reshape(-1)
    with torch.no_grad():
        w = Mapping()(torch.tensor(z)).numpy() - w_avg
    random = np.random.RandomState(SEED)
    spoiled = random.rand(SAMPLES) < SCALED
    factor = np.where(spoiled, random.uniform(LEAST, MOST, SAMPLES), 1.0)[:, None]
    train = int(SAMPLES * (1 - HELD_OUT))
    found = {"seed": SEED, "samples": SAMPLES, "least": LEAST, "most": MOST}
    length = np.linalg.norm(w * factor, axis=1)
    limit = np.sort(length[:train])[int(train * (1 - spoiled[:train].mean()))]
    found["by_distance"] = round(float(((length > limit) == spoiled)[train:].mean()), 4)
    for space, codes in (("z", z * factor), ("w", w * factor)):
        machine = LinearSVC(C=1.0, dual=False).fit(codes[:train], spoiled[:train])
        found[space] = round(float(machine.score(codes[train:], spoiled[train:])), 4)
    (folder / "quality.json").write_text(json.dumps(found, indent=1) + "\n")
    print(found)


if __name__ == "__main__":
    main()
