"""Writes the portraits' model card, README.md, from figures.json, inversion.json and quality.json through card.md."""

import pathlib

import numpy as np

from common import card, tables
from common.arrays import Array
from common.attributes import ATTRIBUTES, SPACES
from common.model import Model
from common.sampling import sample_z
from common.sheets import STEPS, attribute_row, conditioned_rows, write_sheet
from common.tables import Figures, percent, signed, table

from .networks import DIMENSION

SAMPLES, COLUMNS, SMALL, SIDE = 64, 8, 64, 96
PSI = 0.7
REACH = 3.0
ROWS = {"pose": 5, "smile": 12, "age": 24, "gender": 30, "eyeglasses": 36}
"""The seed of each attribute's row."""

PAIRS = (("age", "eyeglasses", 24), ("gender", "eyeglasses", 30), ("age", "gender", 12))
"""Primal, condition and seed of each plain row with its conditional row below."""


def write_sheets(model: Model, folder: pathlib.Path) -> None:
    """Writes all sheets of the card, with truncation."""
    w_avg = np.load(folder.parent / "w_avg.npy").reshape(-1)

    def synthesize(z: Array) -> Array:
        return model.synthesize(w_avg + PSI * (model.to_w(z, "z") - w_avg), "w")

    samples = np.concatenate([sample_z(1, seed, DIMENSION) for seed in range(SAMPLES)])
    write_sheet(synthesize(samples), COLUMNS, SMALL, folder / "samples.png")
    for attribute, seed in ROWS.items():
        codes = attribute_row(model, sample_z(1, seed, DIMENSION), attribute, REACH)
        write_sheet(synthesize(codes), STEPS, SIDE, folder / f"{attribute}.png")
    for primal, condition, seed in PAIRS:
        codes = conditioned_rows(model, sample_z(1, seed, DIMENSION), primal, condition, REACH)
        write_sheet(synthesize(codes), STEPS, SIDE, folder / f"{primal}_given_{condition}.png")


def score_table(figures: Figures) -> str:
    """How well the classifier's scores agree with the truth of renders, and how often samples are positive."""
    parts = ("classifier_accuracy", "score_against_truth", "positive_renders", "positive")
    rows = []
    for name in ATTRIBUTES:
        accuracy, correlation, renders, samples = (figures[part][name] for part in parts)
        rows.append([name, percent(accuracy), f"{correlation:.3f}", percent(renders), percent(samples)])
    head = ("attribute", "on the right side", "correlation with the truth", "positive renders", "positive samples")
    return table(head, rows)


def quality_fields(figures: Figures, quality: Figures) -> dict[str, str]:
    """The fields of the section on quality."""
    z, w = (figures["quality"][space] for space in SPACES)
    return {
        "quality_samples": f"{quality['samples']:,}",
        "quality_renders": percent(quality["renders"]),
        "quality_correlation": signed(quality["correlation"]),
        "quality_rises": percent(z["rises"]),
        "quality_spoiled": str(z["spoiled"]),
        "quality_mended": str(z["mended"]),
        "quality_rises_w": percent(w["rises"]),
        "quality_mended_w": str(w["mended"]),
    }


def fields(figures: Figures, inversion: Figures, quality: Figures) -> dict[str, str]:
    """The fields of card.md."""
    distances, encoder = figures["frechet"], figures["encoder"]
    return {
        **card.shared_fields(figures, inversion, quality, ROWS, PAIRS),
        **quality_fields(figures, quality),
        "scores": score_table(figures),
        "boundaries_paper": tables.boundaries(figures["boundaries_paper"]),
        "boundaries": tables.regressions(figures["boundaries"]),
        "cosines_in_w": ", ".join(
            f"{figures['boundaries'][f'{name}_w']['cosine']:.2f} for {name}" for name in (*ATTRIBUTES, "quality")
        ),
        "chosen_paper": f"{figures['chosen_paper']:,}",
        "frechet_renders": f"{distances['renders']:.2f}",
        "frechet_plain": f"{distances['1.0']:.2f}",
        "frechet_truncated": f"{distances['0.7']:.2f}",
        "encoder_own": f"{encoder['own_psnr']:.1f}",
        "encoder_renders": f"{encoder['renders_psnr']:.1f}",
        "encoder_cosine": f"{encoder['own_cosine']:.2f}",
        "images": f"{figures['training']['images']:,}",
        "hours": f"{figures['training']['hours']:.1f}",
        "compared": f"{figures['compared']:,}",
        "held_count": f"{figures['held']:,}",
        "psi": str(PSI),
    }


def main() -> None:
    card.run(__doc__, pathlib.Path(__file__).with_name("card.md"), fields, write_sheets)


if __name__ == "__main__":
    main()
