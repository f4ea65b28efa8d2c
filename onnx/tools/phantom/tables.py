"""What model cards are made of: tables in Markdown, sheets of pictures, a plot."""

import pathlib

import numpy as np
from PIL import Image

from .factors import ATTRIBUTES
from .model import SPACES
from .studio import to_bytes

COLOURS = {"refine": "#b6434a", "optimize": "#2f6fa5"}


def tiles(images: np.ndarray, columns: int, side: int) -> Image.Image:
    """Images [count, 3, height, width] as one picture, each scaled to that side."""
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side), "white")
    for place, image in enumerate(to_bytes(images).transpose(0, 2, 3, 1)):
        small = Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (place % columns * side, place // columns * side))
    return sheet


def save(sheet: Image.Image, path: pathlib.Path) -> None:
    """A PNG of all colours: the backdrops are gradients, and a palette breaks them into bands."""
    sheet.save(path, optimize=True)


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
        rows.append([f"`{name}.onnx`", *(", ".join(map(shape, ends[end])) for end in ("input", "output")), size])
    return table(("graph", "input", "output", "size"), rows).replace("---:", "---", 2)


def boundaries(found_of: dict[str, dict]) -> str:
    """How well the planes separate."""
    rows = []
    for name in (*ATTRIBUTES, "quality"):
        if f"{name}_{SPACES[0]}" not in found_of:
            continue
        found = [found_of[f"{name}_{space}"] for space in SPACES]
        rows.append([name, *(percent(one[part]) for one in found for part in ("train", "held_out", "all"))])
    return table(
        ("attribute", *(f"{space}: {part}" for space in SPACES for part in ("train", "held out", "all"))), rows
    )


def cosines(figures: dict) -> str:
    """The planes' cosines beside the correlations of what is known: of truths, where there are any, and of scores."""
    known = [of for of in ("truth", "score") if f"{of}_correlation" in figures]
    rows = []
    for i, first in enumerate(ATTRIBUTES):
        for j, second in enumerate(ATTRIBUTES[:i]):
            values = [figures[f"{of}_correlation"][i][j] for of in known]
            values += [figures["cosines"][space][i][j] for space in SPACES]
            rows.append([f"{second} · {first}", *map(signed, values)])
    rows.sort(key=lambda row: -abs(float(row[1].replace("−", "-"))))
    return table(("pair", *(f"correlation of the {of}s" for of in known), "cosine in z", "cosine in w"), rows)


def rising(figures: dict, space: str) -> str:
    """The share of seeds whose attribute rises, by the classifier and, where it is known, by the truth."""
    edits = figures["edits"][space]
    judges = [one for one in ("classifier", "truth") if f"rises_by_{one}" in edits["smile"]["plain"]]
    columns = [(kind, judge) for kind in ("plain", "conditional") for judge in judges]
    rows = [[name, *(percent(edits[name][kind][f"rises_by_{judge}"]) for kind, judge in columns)] for name in ATTRIBUTES]
    return table(("edit", *(f"{kind}, by {judge}" for kind, judge in columns)), rows)


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
