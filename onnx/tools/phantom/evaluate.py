"""Measures the finished phantom through its ONNX files, and writes all figures of the card to figures.json."""

import numpy as np
import torch

from common.arrays import Array
from common.attributes import ATTRIBUTES
from common.command import parser
from common.evaluation import (
    SAMPLE_SEED,
    SEEDS,
    by_attribute,
    column_correlations,
    shared_figures,
    write_json,
)
from common.model import Model
from common.onnx_files import difference

from .anatomy import STEPS
from .factors import INDEX, TRUTH, rotation
from .mapping import CORRELATIONS, sample_z
from .renderer import Synthesis

CHECKED = 20_000
"""How many of the samples behind the boundaries are scored again for the other figures."""


def faint_glasses(truth: Array) -> float:
    """The share of samples with eyeglasses that are between 5 % and 95 % visible."""
    steepness = abs(STEPS["wears_glasses"][1])
    visibility = 1.0 / (1.0 + np.exp(-np.clip(steepness * truth[:, -1], -50.0, 50.0)))
    return round(float(((visibility > 0.05) & (visibility < 0.95)).mean()), 4)


def main() -> None:
    arguments_of = parser(__doc__)
    arguments_of.add_argument("--seeds", type=int, default=SEEDS)
    arguments = arguments_of.parse_args()
    torch.set_num_threads(2)
    folder = arguments.folder
    model = Model(folder)
    samples = sample_z(CHECKED, SAMPLE_SEED)
    scores, truth = model.scores(samples, "z"), model.truth(samples, "z")
    z = np.concatenate([sample_z(1, seed) for seed in range(arguments.seeds)])
    codes = {"z": z, "w": model.to_w(z, "z")}
    example = torch.tensor(model.to_layers(z[:8], "z"))
    figures = {
        **shared_figures(folder, model, codes, model.scores(z, "z"), scores),
        "synthesis_against_pytorch": difference(Synthesis(), folder / "synthesis.onnx", example),
        "classifier_accuracy": by_attribute(((scores > 0) == (truth > 0)).mean(axis=0)),
        "score_against_truth": by_attribute(column_correlations(scores, truth)),
        "truth_correlation": np.corrcoef(truth.T).round(3).tolist(),
        "faint_glasses": faint_glasses(truth),
        "designed_correlations": {f"{first} · {second}": value for (first, second), value in CORRELATIONS.items()},
        "cosine_to_factor": by_attribute(
            model.normals[name, "w"] @ rotation()[INDEX[TRUTH[name]]] for name in ATTRIBUTES
        ),
    }
    write_json(folder / "figures.json", figures)


if __name__ == "__main__":
    main()
