"""Writes the model card, README.md, from figures.json through card.md, and draws the pictures that it shows."""

import argparse
import json
import pathlib
import string

import numpy as np

from .factors import ATTRIBUTES, LAYERS
from .mapping import seed_z
from .model import SPACES, Model, others
from .tables import (
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

SAMPLES, COLUMNS, SMALL, STRIP = 40, 8, 128, 144
ROWS = {"pose": 47, "smile": 193, "age": 87, "gender": 53, "eyeglasses": 74}
"""The seed of each attribute's row from -3 to 3."""

PAIRS = (("age", "eyeglasses", 7), ("gender", "eyeglasses", 150), ("age", "gender", 82))
"""Primal, condition and seed of each plain row with its conditional row below."""

SINGLES = {
    "seed": ("w", "smile", (), 0.0),
    "smile": ("w", "smile", (), 3.0),
    "age": ("z", "age", (), 3.0),
    "age-held": ("z", "age", ("eyeglasses",), 3.0),
}
"""Space, primal, conditions and amount of the pictures of seed 7 that the project's front page shows."""


def draw(model: Model, target: pathlib.Path) -> None:
    """All pictures of the card."""
    target.mkdir(exist_ok=True)
    save(
        tiles(model.pictures(np.concatenate([seed_z(seed) for seed in range(SAMPLES)]), "z"), COLUMNS, SMALL),
        target / "samples.png",
    )
    for attribute, seed in ROWS.items():
        direction = model.direction(attribute, "z", others(attribute))
        codes = seed_z(seed) + np.linspace(-3.0, 3.0, 7)[:, None] * direction
        save(tiles(model.pictures(codes, "z"), 7, STRIP), target / f"{attribute}.png")
    for primal, condition, seed in PAIRS:
        steps = np.linspace(0.0, 3.0, 7)[:, None]
        codes = [seed_z(seed) + steps * model.direction(primal, "z", kept) for kept in ((), (condition,))]
        save(tiles(model.pictures(np.concatenate(codes), "z"), 7, STRIP), target / f"{primal}_given_{condition}.png")
    for name, (space, primal, conditions, amount) in SINGLES.items():
        start = seed_z(7) if space == "z" else model.w_of(seed_z(7), "z")[:, 0]
        codes = start + amount * model.direction(primal, space, conditions)
        save(tiles(model.pictures(codes, space), 1, 256), target / f"readme-{name}.png")


def layers() -> str:
    """What each layer of w+ drives."""
    rows = [
        [str(place), name, ", ".join(factor.replace("_", " ") for factor in LAYERS[name])]
        for place, name in enumerate(LAYERS)
    ]
    return table(("layer", "drives", "its eight factors"), rows).replace("---:", "---")


def scores(figures: dict) -> str:
    """How well the classifier reads the truth off the pictures."""
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


def card(figures: dict, found: dict, quality: dict, template: str) -> str:
    """The card's text."""
    z, w = (
        max(
            abs(one["conditional"]["distance_change"][other])
            for name, one in figures["edits"][space].items()
            for other in others(name)
        )
        for space in SPACES
    )
    drawn = figures["milliseconds_a_picture"]
    steps = figures["designed_correlations"]
    fields = {
        "graphs": graphs(figures),
        "layers": layers(),
        "scores": scores(figures),
        "boundaries": boundaries(figures["boundaries"]),
        "cosines": cosines(figures),
        "ratios": ratios(figures),
        "rising_z": rising(figures, "z"),
        "rising_w": rising(figures, "w"),
        "held_z": held(figures, "z"),
        "held_w": held(figures, "w"),
        "designed": table(
            ("factors", "correlation"), [[pair.replace("_", " "), signed(value)] for pair, value in steps.items()]
        ),
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
        "spoiled_z": percent(quality["z"]),
        "spoiled_w": percent(quality["w"]),
        "spoiled_least": str(quality["least"]),
        "spoiled_most": f"{quality['most']:.0f}",
        "by_distance": percent(quality["by_distance"]),
        "quality_held_out": percent(quality["held_out"]),
        "quality_learned": f"{quality['learned']:,}",
        "quality_unseen": f"{quality['pictures'] - quality['learned']:,}",
        "one": f"{drawn['1']:.0f}",
        "four": f"{drawn['4']:.0f}",
        "count": str(SAMPLES),
        "columns": ", ".join(ATTRIBUTES[:-1]) + " and " + ATTRIBUTES[-1],
        "gap": f"{figures['synthesis_against_pytorch']:.0e}",
        "samples": f"{figures['samples']:,}",
        "sample_seed": str(figures["sample_seed"]),
        "chosen": f"{figures['chosen']:,}",
        "checked": f"{figures['checked']:,}",
        "faint": percent(figures["faint_glasses"]),
        "seeds": str(figures["seeds"]),
        "last": str(figures["seeds"] - 1),
        "by": f"{figures['by']:.0f}",
        "real": f"{figures['real']:.2f}",
        "exact": f"{max(z, w, 1e-7):.0e}",
        "age_accuracy": percent(figures["classifier_accuracy"]["age"]),
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
    plot(found["psnr_by_step"], given.folder / "card" / "descent.svg")
    (given.folder / "README.md").write_text(card(figures, found, quality, (pathlib.Path(__file__).parent / "card.md").read_text()))
    if not given.text_only:
        draw(Model(given.folder), given.folder / "card")


if __name__ == "__main__":
    main()
