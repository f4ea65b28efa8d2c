"""Writes the phantom's model card, README.md, from figures.json, inversion.json and quality.json through card.md."""

import pathlib

import numpy as np

from common import card, tables
from common.attributes import ATTRIBUTES
from common.model import Model
from common.sheets import STEPS, attribute_row, conditioned_rows, write_sheet
from common.tables import Figures, percent, signed, table

from .factors import LAYERS
from .mapping import sample_z

SAMPLES, COLUMNS, SMALL, SIDE = 40, 8, 128, 144
REACH = 3.0
ROWS = {"pose": 47, "smile": 193, "age": 87, "gender": 53, "eyeglasses": 74}
"""The seed of each attribute's row."""

PAIRS = (("age", "eyeglasses", 7), ("gender", "eyeglasses", 150), ("age", "gender", 82))
"""Primal, condition and seed of each plain row with its conditional row below."""

SINGLES: dict[str, tuple[str, str, tuple[str, ...], float]] = {
    "seed": ("w", "smile", (), 0.0),
    "smile": ("w", "smile", (), REACH),
    "age": ("z", "age", (), REACH),
    "age-held": ("z", "age", ("eyeglasses",), REACH),
}
"""Space, primal, conditions and distance of the images of seed 7 that the project's README shows."""


def write_sheets(model: Model, folder: pathlib.Path) -> None:
    """Writes all sheets of the card."""
    samples = np.concatenate([sample_z(1, seed) for seed in range(SAMPLES)])
    write_sheet(model.synthesize(samples, "z"), COLUMNS, SMALL, folder / "samples.png")
    for attribute, seed in ROWS.items():
        codes = attribute_row(model, sample_z(1, seed), attribute, REACH)
        write_sheet(model.synthesize(codes, "z"), STEPS, SIDE, folder / f"{attribute}.png")
    for primal, condition, seed in PAIRS:
        codes = conditioned_rows(model, sample_z(1, seed), primal, condition, REACH)
        write_sheet(model.synthesize(codes, "z"), STEPS, SIDE, folder / f"{primal}_given_{condition}.png")
    for name, (space, primal, conditions, distance) in SINGLES.items():
        start = sample_z(1, 7) if space == "z" else model.to_w(sample_z(1, 7), "z")
        code = start + distance * model.direction(primal, space, conditions)
        write_sheet(model.synthesize(code, space), 1, 256, folder / f"readme-{name}.png")


def layer_table() -> str:
    """What each layer of w+ controls."""
    rows = [
        [str(index), name, ", ".join(factor.replace("_", " ") for factor in LAYERS[name])]
        for index, name in enumerate(LAYERS)
    ]
    return table(("layer", "controls", "its eight factors"), rows).replace("---:", "---")


def score_table(figures: Figures) -> str:
    """How well the classifier's scores agree with the truth."""
    rows = [
        [
            name,
            percent(figures["classifier_accuracy"][name]),
            f"{figures['score_against_truth'][name]:.3f}",
            f"{figures['score_deviation'][name]:.2f}",
        ]
        for name in ATTRIBUTES
    ]
    return table(("attribute", "on the right side", "correlation with the truth", "deviation of the score"), rows)


def to_factors(figures: Figures) -> str:
    """The cosines of the normals in w with the directions of their factors."""
    return table(ATTRIBUTES, [[f"{figures['cosine_to_factor'][name]:.4f}" for name in ATTRIBUTES]]).replace(
        "| ---", "| ---:", 1
    )


def fields(figures: Figures, inversion: Figures, quality: Figures) -> dict[str, str]:
    """The fields of card.md."""
    correlations = figures["designed_correlations"].items()
    return {
        **card.shared_fields(figures, inversion, quality, ROWS, PAIRS),
        "boundaries": tables.regressions(figures["boundaries"]),
        "to_factors": to_factors(figures),
        "layers": layer_table(),
        "scores": score_table(figures),
        "designed": tables.table(
            ("factors", "correlation"), [[pair.replace("_", " "), signed(value)] for pair, value in correlations]
        ),
        "milliseconds_of_four": f"{figures['milliseconds_per_image']['4']:.0f}",
        "count": str(SAMPLES),
        "columns": ", ".join(ATTRIBUTES[:-1]) + " and " + ATTRIBUTES[-1],
        "faint": percent(figures["faint_glasses"]),
        "age_accuracy": percent(figures["classifier_accuracy"]["age"]),
        "spoiled_z": percent(quality["z"]),
        "spoiled_w": percent(quality["w"]),
        "spoiled_least": str(quality["least"]),
        "spoiled_most": f"{quality['most']:.0f}",
        "by_distance": percent(quality["by_distance"]),
        "quality_learned": f"{quality['learned']:,}",
        "quality_unseen": f"{quality['images'] - quality['learned']:,}",
    }


def main() -> None:
    card.run(__doc__, pathlib.Path(__file__).with_name("card.md"), fields, write_sheets)


if __name__ == "__main__":
    main()
