"""Writes the portraits' model card, README.md, from three files of figures through card.md, and draws its pictures."""

import argparse
import json
import pathlib
import string

import numpy as np

from phantom.factors import ATTRIBUTES
from phantom.model import SPACES, Model, others
from phantom.tables import (
    boundaries,
    cosines,
    graphs,
    held,
    inversions,
    percent,
    plot,
    ratios,
    rising,
    save,
    signed,
    table,
    tiles,
)

from .evaluate import sample

SAMPLES, COLUMNS, SHOWN = 64, 8, 64
PSI = 0.7
STRIP = 96
ROWS = {"pose": 5, "smile": 12, "age": 24, "gender": 30, "eyeglasses": 36}
"""The seed of each attribute's row from -3 to 3."""

PAIRS = (("age", "eyeglasses", 24), ("gender", "eyeglasses", 30), ("age", "gender", 12))
"""Primal, condition and seed of each plain row with its conditional row below."""

AMOUNT = 3.0
"""How far a row goes at each side."""


def draw(model: Model, w_avg: np.ndarray, target: pathlib.Path) -> None:
    """All pictures of the card."""
    target.mkdir(exist_ok=True)

    def drawn(z: np.ndarray) -> np.ndarray:
        return model.pictures(w_avg + PSI * (model.w_of(z, "z")[:, 0] - w_avg), "w")

    samples = np.concatenate([sample(1, seed) for seed in range(SAMPLES)])
    save(tiles(drawn(samples), COLUMNS, SHOWN), target / "samples.png")
    for attribute, seed in ROWS.items():
        steps = np.linspace(-AMOUNT, AMOUNT, 7)[:, None]
        codes = sample(1, seed) + steps * model.direction(attribute, "z", others(attribute))
        save(tiles(drawn(codes), 7, STRIP), target / f"{attribute}.png")
    for primal, condition, seed in PAIRS:
        steps = np.linspace(0.0, AMOUNT, 7)[:, None]
        codes = [sample(1, seed) + steps * model.direction(primal, "z", kept) for kept in ((), (condition,))]
        save(tiles(drawn(np.concatenate(codes)), 7, STRIP), target / f"{primal}_given_{condition}.png")


def scores(figures: dict) -> str:
    """How well the classifier reads the truth off renders, and how often samples are positive."""
    parts = ("classifier_accuracy", "score_against_truth", "positive_renders", "positive")
    rows = []
    for name in ATTRIBUTES:
        accuracy, correlation, wanted, found = (figures[part][name] for part in parts)
        rows.append([name, percent(accuracy), f"{correlation:.3f}", percent(wanted), percent(found)])
    head = ("attribute", "on the right side", "correlation with the truth", "positive renders", "positive samples")
    return table(head, rows)


def card(figures: dict, found: dict, quality: dict, template: str) -> str:
    """The card's text."""
    distances, encoder = figures["frechet"], figures["encoder"]
    exact = max(
        abs(one["conditional"]["distance_change"][other])
        for space in SPACES
        for name, one in figures["edits"][space].items()
        for other in others(name)
    )
    fields = {
        "graphs": graphs(figures),
        "scores": scores(figures),
        "boundaries": boundaries(figures["boundaries"]),
        "boundaries_paper": boundaries(figures["boundaries_paper"]),
        "chosen_paper": f"{figures['chosen_paper']:,}",
        "cosines": cosines(figures),
        "ratios": ratios(figures),
        **{f"rising_{space}": rising(figures, space) for space in SPACES},
        **{f"held_{space}": held(figures, space) for space in SPACES},
        "inversions": inversions(found),
        "inverted": str(found["count"]),
        "steps": str(found["steps"]),
        "beats_encoder": str(found["beats"]["encoder"]),
        "beats_optimize": str(found["beats"]["optimize"]),
        "rising_least": str(min(found["rising"].values())),
        "own_steps": str(found["own_steps"]),
        "own_cosine": f"{found['own_cosine']['refine']['mean']:.3f}",
        "own_cosine_least": f"{found['own_cosine']['refine']['least']:.2f}",
        "own_cosine_encoder": f"{found['own_cosine']['encoder']['mean']:.2f}",
        "own_psnr": f"{found['own_psnr']['refine']['mean']:.0f}",
        "frechet_renders": f"{distances['renders']:.2f}",
        "frechet_whole": f"{distances['1.0']:.2f}",
        "frechet_truncated": f"{distances['0.7']:.2f}",
        "encoder_own": f"{encoder['own_psnr']:.1f}",
        "encoder_renders": f"{encoder['renders_psnr']:.1f}",
        "encoder_cosine": f"{encoder['own_cosine']:.2f}",
        "pictures": f"{figures['training']['pictures']:,}",
        "hours": f"{figures['training']['hours']:.1f}",
        "milliseconds": f"{figures['milliseconds_a_picture']['1']:.0f}",
        "gap": f"{figures['synthesis_against_pytorch']:.0e}",
        "samples": f"{figures['samples']:,}",
        "sample_seed": str(figures["sample_seed"]),
        "chosen": f"{figures['chosen']:,}",
        "checked": f"{figures['checked']:,}",
        "compared": f"{figures['compared']:,}",
        "held_count": f"{figures['held']:,}",
        "last": str(figures["seeds"] - 1),
        "by": f"{figures['by']:.0f}",
        "real": f"{figures['real']:.2f}",
        "exact": f"{max(exact, 1e-7):.0e}",
        "quality_samples": f"{quality['samples']:,}",
        "quality_held_out": percent(quality["held_out"]),
        "quality_renders": percent(quality["renders"]),
        "quality_correlation": signed(quality["correlation"]),
        "quality_rises": percent(figures["quality"]["z"]["rises"]),
        "quality_spoiled": str(figures["quality"]["z"]["spoiled"]),
        "quality_mended": str(figures["quality"]["z"]["mended"]),
        "quality_rises_w": percent(figures["quality"]["w"]["rises"]),
        "quality_mended_w": str(figures["quality"]["w"]["mended"]),
        "psi": str(PSI),
        **{f"seed_{name}": str(seed) for name, seed in ROWS.items()},
        **{f"pair_{place}": str(seed) for place, (_, _, seed) in enumerate(PAIRS)},
    }
    return string.Template(template).substitute(fields)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--text-only", action="store_true", help="leave the pictures as they are")
    given = parser.parse_args()
    figures, found, quality = (
        json.loads((given.folder / f"{name}.json").read_text()) for name in ("figures", "inversion", "quality")
    )
    if not given.text_only:
        draw(Model(given.folder), np.load(given.folder / "w_avg.npy").reshape(-1), given.folder / "card")
    plot(found["psnr_by_step"], given.folder / "card" / "descent.svg")
    template = (pathlib.Path(__file__).parent / "card.md").read_text()
    (given.folder / "README.md").write_text(card(figures, found, quality, template))


if __name__ == "__main__":
    main()
