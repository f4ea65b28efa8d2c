"""The images of the model cards: sheets of faces, and the plot of PSNR by step."""

import pathlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

from .arrays import Array, to_bytes
from .attributes import others
from .model import Model

COLOURS = {"refine": "#b6434a", "optimize": "#2f6fa5"}
STEPS = 7
"""Faces in a row."""


def write_sheet(images: Array, columns: int, side: int, path: pathlib.Path) -> None:
    """Writes images [count, 3, height, width], each scaled to a side, as one PNG.

    It has all colours: backgrounds are gradients, and a palette would break them into bands.
    """
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side), "white")
    for index, image in enumerate(to_bytes(images).transpose(0, 2, 3, 1)):
        small = Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (index % columns * side, index // columns * side))
    sheet.save(path, optimize=True)


def attribute_row(model: Model, start: Array, attribute: str, reach: float) -> Array:
    """Codes of z from -reach to +reach along an attribute, with the other attributes as conditions."""
    steps = np.linspace(-reach, reach, STEPS)[:, None]
    codes: Array = start + steps * model.direction(attribute, "z", others(attribute))
    return codes


def conditioned_rows(model: Model, start: Array, primal: str, condition: str, reach: float) -> Array:
    """Two rows of codes of z from 0 to +reach along an attribute, without and with a condition."""
    steps = np.linspace(0.0, reach, STEPS)[:, None]
    choices: tuple[tuple[str, ...], ...] = ((), (condition,))
    return np.concatenate([start + steps * model.direction(primal, "z", conditions) for conditions in choices])


def write_plot(curves: Mapping[str, Mapping[str, float]], path: pathlib.Path) -> None:
    """Writes mean PSNR by step as an SVG, a line for each method."""
    width, height, left, top = 640, 300, 48, 16
    values = [value for curve in curves.values() for value in curve.values()]
    low, high = 4 * (min(values) // 4), 4 * (max(values) // 4 + 1)
    last = max(int(step) for curve in curves.values() for step in curve)

    def x(step: float) -> float:
        return left + step / last * (width - left - 90)

    def y(value: float) -> float:
        return top + (high - value) / (high - low) * (height - top - 40)

    size = f'viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for value in range(int(low), int(high) + 1, 4):
        parts.append(f'<path d="M{left} {y(value):.1f}H{x(last):.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    parts += [
        f'<text x="{x(step):.1f}" y="{y(low) + 18:.1f}" text-anchor="middle">{step}</text>'
        for step in range(0, last + 1, last // 5)
    ]
    parts.append(f'<text x="{x(last / 2):.1f}" y="{height - 6}" text-anchor="middle">steps (mean PSNR in dB)</text>')
    for name, curve in curves.items():
        points = " ".join(f"{x(int(step)):.1f},{y(value):.1f}" for step, value in curve.items())
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        end = y(list(curve.values())[-1]) + 4
        parts.append(f'<text x="{x(last) + 8:.1f}" y="{end:.1f}" fill="{COLOURS[name]}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")
