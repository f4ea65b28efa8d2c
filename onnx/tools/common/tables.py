"""The Markdown tables of the model cards."""

from collections.abc import Callable, Mapping
from typing import Any

from .attributes import ATTRIBUTES, SPACES

Figures = Mapping[str, Any]
"""The contents of figures.json, inversion.json or quality.json."""


def table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """A Markdown table. The first column is text, the others are numbers."""
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float) -> str:
    """97.3 %."""
    return f"{100 * share:.1f} %"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, and zero without."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return f"{0:.{digits}f}" if float(f"{value:.{digits}f}") == 0 else text


def shape(tensor: list[Any]) -> str:
    """`z [batch, 64]`."""
    name, axes = tensor
    return f"`{name}` [{', '.join(map(str, axes))}]"


def graphs(figures: Figures) -> str:
    """The graphs, their tensors and sizes."""
    rows = []
    for name, ends in figures["tensors"].items():
        size = f"{figures['bytes'][f'{name}.onnx'] / 1000:.0f} kB"
        rows.append([f"`{name}.onnx`", *(", ".join(map(shape, ends[end])) for end in ("input", "output")), size])
    return table(("graph", "input", "output", "size"), rows).replace("---:", "---", 2)


def boundaries(accuracies: Mapping[str, Figures]) -> str:
    """How well the boundaries of support vector machines separate."""
    return boundary_table(accuracies, {"train": percent, "held_out": percent, "all": percent})


def regressions(accuracies: Mapping[str, Figures]) -> str:
    """How well the boundaries of regressions do on samples that they were not fitted to."""
    return boundary_table(accuracies, {"held_out": percent, "held_out_all": percent, "correlation": "{:.3f}".format})


def boundary_table(accuracies: Mapping[str, Figures], parts: Mapping[str, Callable[[float], str]]) -> str:
    """These figures of the boundaries in each space."""
    rows = []
    for name in (*ATTRIBUTES, "quality"):
        if f"{name}_{SPACES[0]}" not in accuracies:
            continue
        entries = [accuracies[f"{name}_{space}"] for space in SPACES]
        rows.append([name, *(text(one[part]) for one in entries for part, text in parts.items())])
    names = {"held_out": "held out", "held_out_all": "all held out"}
    return table(("attribute", *(f"{space}: {names.get(part, part)}" for space in SPACES for part in parts)), rows)


def cosines(figures: Figures) -> str:
    """The boundaries' cosines beside the correlations of the truths, if they are known, and of the scores."""
    known = [of for of in ("truth", "score") if f"{of}_correlation" in figures]
    rows = []
    for i, first in enumerate(ATTRIBUTES):
        for j, second in enumerate(ATTRIBUTES[:i]):
            values = [figures[f"{of}_correlation"][i][j] for of in known]
            values += [figures["cosines"][space][i][j] for space in SPACES]
            rows.append([f"{second} · {first}", *map(signed, values)])
    rows.sort(key=lambda row: -abs(float(row[1].replace("−", "-"))))
    return table(("pair", *(f"correlation of the {of}s" for of in known), "cosine in z", "cosine in w"), rows)


def rising(figures: Figures, space: str) -> str:
    """The share of seeds with a rising attribute, by the classifier and, if it is known, by the truth."""
    edits = figures["edits"][space]
    judges = [one for one in ("classifier", "truth") if f"rises_by_{one}" in edits["smile"]["plain"]]
    columns = [(kind, judge) for kind in ("plain", "conditional") for judge in judges]
    rows = [
        [name, *(percent(edits[name][kind][f"rises_by_{judge}"]) for kind, judge in columns)] for name in ATTRIBUTES
    ]
    return table(("edit", *(f"{kind}, by {judge}" for kind, judge in columns)), rows)


def changes(figures: Figures, space: str) -> str:
    """The change of each attribute by each edit, plain → conditional, in deviations of the score."""
    rows = []
    for name in ATTRIBUTES:
        plain, conditional = (figures["edits"][space][name][kind]["score_change"] for kind in ("plain", "conditional"))
        rows.append([name, *(f"{signed(plain[other])} → {signed(conditional[other])}" for other in ATTRIBUTES)])
    return table(("edit", *ATTRIBUTES), rows)


def ratios(figures: Figures) -> str:
    """The side effects of plain edits, and what conditions leave of them."""
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


def inversions(inversion: Figures) -> str:
    """The PSNR that each inversion method reaches."""
    rows = [
        [name, *(f"{inversion['psnr'][name][part]:.1f}" for part in ("mean", "median", "least"))]
        for name in ("encoder", "optimize", "refine")
    ]
    return table(("method", "mean PSNR, dB", "median", "least"), rows)
