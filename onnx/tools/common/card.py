"""Writes a model card, README.md, from three files of figures and a template, and its sheets of faces."""

import json
import pathlib
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import tables
from .attributes import SPACES, others
from .command import parser
from .model import Model
from .sheets import write_plot
from .tables import Figures, percent

Rows = Mapping[str, int]
"""The seed of each attribute's row of faces."""

Pairs = Sequence[tuple[str, str, int]]
"""Primal, condition and seed of each plain row with its conditional row below."""


def shared_fields(figures: Figures, inversion: Figures, quality: Figures, rows: Rows, pairs: Pairs) -> dict[str, str]:
    """The template's fields that both cards have."""
    kept_distance = max(
        abs(one["conditional"]["distance_change"][other])
        for space in SPACES
        for name, one in figures["edits"][space].items()
        for other in others(name)
    )
    return {
        "graphs": tables.graphs(figures),
        "cosines": tables.cosines(figures),
        "ratios": tables.ratios(figures),
        **{f"rising_{space}": tables.rising(figures, space) for space in SPACES},
        **{f"changes_{space}": tables.changes(figures, space) for space in SPACES},
        "gap": f"{figures['synthesis_against_pytorch']:.0e}",
        "milliseconds": f"{figures['milliseconds_per_image']['1']:.0f}",
        "samples": f"{figures['samples']:,}",
        "sample_seed": str(figures["sample_seed"]),
        "checked": f"{figures['checked']:,}",
        "last_seed": str(figures["seeds"] - 1),
        "by": f"{figures['by']:.0f}",
        "side_effect": f"{figures['side_effect']:.2f}",
        "kept_distance": f"{max(kept_distance, 1e-7):.0e}",
        "inversions": tables.inversions(inversion),
        "inverted": str(inversion["count"]),
        "steps": str(inversion["steps"]),
        "beats_encoder": str(inversion["beats"]["encoder"]),
        "beats_optimize": str(inversion["beats"]["optimize"]),
        "rising_least": str(min(inversion["rising"].values())),
        "own_steps": str(inversion["own_steps"]),
        "own_cosine": f"{inversion['own_cosine']['refine']['mean']:.3f}",
        "own_cosine_least": f"{inversion['own_cosine']['refine']['least']:.2f}",
        "own_cosine_encoder": f"{inversion['own_cosine']['encoder']['mean']:.2f}",
        "own_psnr": f"{inversion['own_psnr']['refine']['mean']:.0f}",
        "quality_held_out": percent(quality["held_out"]),
        **{f"seed_{name}": str(seed) for name, seed in rows.items()},
        **{f"pair_{index}": str(seed) for index, (_, _, seed) in enumerate(pairs)},
    }


def run(
    doc: str | None,
    template: pathlib.Path,
    fields: Callable[[Any, Any, Any], dict[str, str]],
    write_sheets: Callable[[Model, pathlib.Path], None],
) -> None:
    """The command of a card: writes README.md and the plot and, without --text-only, the sheets."""
    arguments_of = parser(doc)
    arguments_of.add_argument("--text-only", action="store_true", help="leave the sheets of faces as they are")
    arguments = arguments_of.parse_args()
    folder: pathlib.Path = arguments.folder
    figures, inversion, quality = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("figures", "inversion", "quality")
    )
    card = folder / "card"
    card.mkdir(exist_ok=True)
    write_plot(inversion["psnr_by_step"], card / "psnr.svg")
    text = string.Template(template.read_text()).substitute(fields(figures, inversion, quality))
    (folder / "README.md").write_text(text)
    if not arguments.text_only:
        write_sheets(Model(folder), card)
