"""Writes the model card, README.md, from figures.json through card.md, and draws the pictures that it shows."""

import argparse
import json
import pathlib
import string

import numpy as np
from PIL import Image

from .factors import ATTRIBUTES, LAYERS
from .mapping import seed_z
from .model import SPACES, Model, others
from .studio import to_bytes

SAMPLES, COLUMNS, SMALL, STRIP = 40, 8, 128, 144
ROWS = {"pose": 47, "smile": 193, "age": 87, "gender": 53, "eyeglasses": 74}
"""The seed of each attribute's row from -3 to 3."""

PAIRS = (("age", "eyeglasses", 7), ("gender", "eyeglasses", 150), ("age", "gender", 82))
"""Primal, condition and seed of each plain row with its conditional row below."""

COLOURS = {"refine": "#b6434a", "optimize": "#2f6fa5"}

SINGLES = {
    "seed": ("w", "smile", (), 0.0),
    "smile": ("w", "smile", (), 3.0),
    "age": ("z", "age", (), 3.0),
    "age-held": ("z", "age", ("eyeglasses",), 3.0),
}
"""Space, primal, conditions and amount of the pictures of seed 7 that the project's front page shows."""


def tiles(images: np.ndarray, columns: int, side: int) -> Image.Image:
    """Images [count, 3, 256, 256] as one picture, each scaled to that side."""
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side), "white")
    for place, image in enumerate(to_bytes(images).transpose(0, 2, 3, 1)):
        small = Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (place % columns * side, place // columns * side))
    return sheet


def save(sheet: Image.Image, path: pathlib.Path) -> None:
    """A PNG of all colours: the backdrops are gradients, and a palette breaks them into bands."""
    sheet.save(path, optimize=True)


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


def table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float) -> str:
    """97.3 %."""
    return f"{100 * share:.1f} %"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, -0.00 without."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return f"{0:.{digits}f}" if float(f"{value:.{digits}f}") == 0 else text


def shape(tensor: list) -> str:
    """`z [batch, 64]`."""
    name, axes = tensor
    return f"`{name}` [{', '.join(map(str, axes))}]"


def graphs(figures: dict) -> str:
    """The graphs, their tensors and sizes."""
    rows = []
    for name, ends in figures["tensors"].items():
        size = f"{figures['bytes'][f'{name}.onnx'] / 1000:.0f} kB"
        rows.append([f"`{name}.onnx`", shape(ends["input"]), shape(ends["output"]), size])
    return table(("graph", "input", "output", "size"), rows).replace("---:", "---", 2)


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


def boundaries(figures: dict) -> str:
    """How well the planes separate."""
    rows = []
    for name in ATTRIBUTES:
        found = [figures["boundaries"][f"{name}_{space}"] for space in SPACES]
        rows.append([name, *(percent(one[part]) for one in found for part in ("train", "held_out", "all"))])
    return table(
        ("attribute", *(f"{space}: {part}" for space in SPACES for part in ("train", "held out", "all"))), rows
    )


def cosines(figures: dict) -> str:
    """The planes' cosines beside the correlations."""
    rows = []
    for i, first in enumerate(ATTRIBUTES):
        for j, second in enumerate(ATTRIBUTES[:i]):
            values = [figures["truth_correlation"][i][j], figures["score_correlation"][i][j]]
            values += [figures["cosines"][space][i][j] for space in SPACES]
            rows.append([f"{second} · {first}", *map(signed, values)])
    rows.sort(key=lambda row: -abs(float(row[1].replace("−", "-"))))
    return table(("pair", "correlation of the truths", "of the scores", "cosine in z", "cosine in w"), rows)


def rising(figures: dict, space: str) -> str:
    """The share of seeds whose attribute rises."""
    rows = []
    for name in ATTRIBUTES:
        entry = figures["edits"][space][name]
        shares = [
            entry[kind][f"rises_by_{judge}"] for kind in ("plain", "conditional") for judge in ("classifier", "truth")
        ]
        rows.append([name, *map(percent, shares)])
    return table(
        ("edit", "plain, by classifier", "plain, by truth", "conditional, by classifier", "conditional, by truth"), rows
    )


def held(figures: dict, space: str) -> str:
    """What an edit does to each attribute: plain → conditional, in deviations of the score."""
    rows = []
    for name in ATTRIBUTES:
        plain, conditional = (figures["edits"][space][name][kind]["score_change"] for kind in ("plain", "conditional"))
        rows.append([name, *(f"{signed(plain[other])} → {signed(conditional[other])}" for other in ATTRIBUTES)])
    return table(("edit", *ATTRIBUTES), rows)


def ratios(figures: dict) -> str:
    """Every ratio of the real side effects."""
    rows = []
    for space in SPACES:
        for name in ATTRIBUTES:
            entry = figures["edits"][space][name]
            for other, ratio in entry["ratio"].items():
                pair = [entry[kind] for kind in ("plain", "conditional")]
                rows.append(
                    [
                        f"{name} in {space}, {other} held",
                        *(signed(one["distance_change"][other], 5) for one in pair),
                        *(signed(one["score_change"][other]) for one in pair),
                        f"{ratio:.2f}",
                    ]
                )
    return table(
        ("edit", "distance, plain", "distance, conditional", "score, plain", "score, conditional", "ratio"), rows
    )


def inversions(found: dict) -> str:
    """How near each way from a picture to a code comes."""
    rows = [
        [name, *(f"{found['psnr'][name][part]:.1f}" for part in ("mean", "median", "least"))]
        for name in ("encoder", "optimize", "refine")
    ]
    return table(("method", "mean PSNR, dB", "median", "least"), rows)


def plot(ways: dict[str, dict[str, float]], path: pathlib.Path) -> None:
    """Mean PSNR against steps as an SVG."""
    width, height, left, top = 640, 300, 48, 16
    values = [value for way in ways.values() for value in way.values()]
    low, high = 4 * (min(values) // 4), 4 * (max(values) // 4 + 1)
    last = max(int(step) for way in ways.values() for step in way)

    def x(step: float) -> float:
        return left + step / last * (width - left - 90)

    def y(value: float) -> float:
        return top + (high - value) / (high - low) * (height - top - 40)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for value in range(int(low), int(high) + 1, 4):
        parts.append(f'<path d="M{left} {y(value):.1f}H{x(last):.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for step in range(0, last + 1, last // 5):
        parts.append(f'<text x="{x(step):.1f}" y="{y(low) + 18:.1f}" text-anchor="middle">{step}</text>')
    parts.append(f'<text x="{x(last / 2):.1f}" y="{height - 6}" text-anchor="middle">steps (mean PSNR in dB)</text>')
    for name, way in ways.items():
        points = " ".join(f"{x(int(step)):.1f},{y(value):.1f}" for step, value in way.items())
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        end = y(list(way.values())[-1]) + 4
        parts.append(f'<text x="{x(last) + 8:.1f}" y="{end:.1f}" fill="{COLOURS[name]}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


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
        "boundaries": boundaries(figures),
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
        "own_cosine": f"{found['own_cosine']['refine']['mean']:.2f}",
        "own_cosine_least": f"{found['own_cosine']['refine']['least']:.2f}",
        "own_cosine_encoder": f"{found['own_cosine']['encoder']['mean']:.2f}",
        "own_psnr": f"{found['own_psnr']['refine']['mean']:.0f}",
        "spoiled_z": percent(quality["z"]),
        "spoiled_w": percent(quality["w"]),
        "spoiled_least": str(quality["least"]),
        "spoiled_most": f"{quality['most']:.0f}",
        "by_distance": percent(quality["by_distance"]),
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
    plot(found["way"], given.folder / "card" / "descent.svg")
    (given.folder / "README.md").write_text(card(figures, found, quality, (pathlib.Path(__file__).parent / "card.md").read_text()))
    if not given.text_only:
        draw(Model(given.folder), given.folder / "card")


if __name__ == "__main__":
    main()
