#!/usr/bin/env python3
"""Writes the tables and the plot of `benches/README.md` from the figures of a run.

    benches/publish.py target/bench/serving.json "two shared AVX-512 cores" [pggan]

It replaces the part of the README between the model's two marks, and the plot: `benches/serving.svg` or
`benches/serving-pggan.svg`.
"""

import datetime
import html
import json
import pathlib
import statistics
import sys
from collections.abc import Iterable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
LOOP = "bare loop"
ENCODING = "encoding 1024×1024"

Figures = dict[str, float]
"""The median of each figure of one server."""

Medians = dict[str, Figures]
"""The figures of each server, of the bare loop and of the encoder."""


def read(file: pathlib.Path) -> tuple[Any, Medians]:
    """The run and the medians of its figures."""
    run = json.loads(file.read_text())
    medians: Medians = {}
    for figure in run["figures"]:
        medians.setdefault(figure["of"], {})[figure["what"]] = statistics.median(figure["rounds"])
    return run, medians


def row(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cells) + " |\n"


def cell(figures: Figures, what: str, digits: int) -> str:
    """A figure with that many significant digits, or a dash if it is unknown."""
    if what not in figures:
        return "–"
    value = figures[what]
    return f"{value:.{max(0, digits - len(str(int(abs(value)))))}f}"


def concurrencies(medians: Medians) -> list[int]:
    """The numbers of concurrent requests that were measured."""
    suffix = " at once: images/s"
    counts = {what.split()[0] for name in servers(medians) for what in medians[name] if what.endswith(suffix)}
    return sorted(int(count) for count in counts if count.isdigit())


def table(medians: Medians) -> str:
    """Throughput and latency of each server under a constant number of concurrent requests."""
    columns = []
    for count in concurrencies(medians):
        quantile = "p50" if count == 1 else "p99"
        columns.append((f"images/s at {count}", f"{count} at once: images/s", 4))
        columns.append((f"{quantile} ms", f"{count} at once: {quantile} ms", 3))
    columns += [
        ("CPU ms an image", f"{concurrencies(medians)[-1]} at once: server's CPU ms an image", 3),
        ("peak MiB", "peak MiB", 4),
        ("first image after ms", "first image after ms", 4),
    ]
    text = row(["", *(title for title, _, _ in columns)]) + row(["---", *["---:"] * len(columns)])
    for name in servers(medians):
        text += row([name, *(cell(medians[name], what, digits) for _, what, digits in columns)])
    return text


def loop(medians: Medians) -> str:
    """The bare loop by batch size."""
    text = row(["bare loop, images a run", "images/s", "ms a run", "CPU ms an image"])
    text += row(["---", "---:", "---:", "---:"])
    figures = medians[LOOP]
    for batch in (1, 2, 4, 8):
        of = f"batch {batch}: "
        if of + "images/s" in figures:
            whats = [(of + "images/s", 4), (of + "p50 ms", 4), (of + "CPU ms an image", 4)]
            text += row([str(batch), *(cell(figures, what, digits) for what, digits in whats)])
    beside = cell(figures, "a loop of one thread on each core: images/s", 4)
    return text + row(["1, a loop of one thread on each core", beside, "–", "–"])


def open_loops(medians: Medians) -> str:
    """Latency and refusals at fixed request rates, in percent of the capacity."""
    rates = {what.split()[1] for of in servers(medians) for what in medians[of] if what.startswith("at ")}
    loads = sorted(rates, key=int)
    titles = [f"{title} at {load} %" for load in loads for title in ("p50 ms", "p99 ms", "refused %")]
    text = row(["", *titles]) + row(["---", *["---:"] * len(titles)])
    for name in servers(medians):
        cells = [
            cell(medians[name], f"at {load} %: {what}", 3)
            for load in loads
            for what in ("p50 ms", "p99 ms", "refused %")
        ]
        text += row([name, *cells])
    return text


def in_turns(medians: Medians) -> str:
    """The service and the bare loop in turns, and single images beside a large request."""
    text = ""
    for name in servers(medians):
        figures = medians[name]
        for share in [what for what in figures if what.endswith("at once: % of the loop")]:
            count = share.removeprefix("in turns, ").removesuffix(": % of the loop")
            served, bare = figures[f"in turns, {count}: images/s"], figures["in turns: bare loop's images/s"]
            alone, run = figures["in turns, alone: p50 ms"], figures["in turns: bare run's p50 ms"]
            more = figures["in turns, alone: ms above the bare run"]
            text += (
                f"\n{name} and the bare loop in turns, medians: {count} {served:.4g} images/s beside {bare:.4g}, "
                f"in the median turn **{figures[share]:.1f} %**; alone an image takes {alone:.1f} ms "
                f"beside a bare run's {run:.1f}, in the median turn **{more:+.1f} ms**.\n"
            )
        for runs in [what for what in figures if what.endswith(": p50 in runs")]:
            count, single = runs.split(":")[0].split()[1], figures[runs.replace(" in runs", " ms")]
            text += (
                f"\nWhile {name} serves requests of {count} images, a single image takes {single:.0f} ms, "
                f"which is {figures[runs]:.1f} times a run.\n"
            )
    return text


def servers(medians: Medians) -> list[str]:
    """The names of the servers that were measured."""
    return [name for name in medians if name not in (LOOP, ENCODING)]


def plot(medians: Medians) -> str:
    """An SVG: bars for images per second of each server and concurrency, and a line for the bare loop."""
    counts = concurrencies(medians)
    colours = dict(zip(counts, ("#9ecae1", "#4292c6", "#084594"), strict=False))
    ceiling = medians[LOOP]["images/s"]
    values = [medians[name].get(f"{count} at once: images/s", 0) for name in servers(medians) for count in counts]
    left, width, bar, gap = 170, 480, 14, 14
    scale = width / (1.1 * max([ceiling, *values]))
    y, parts = 40, []
    for name in servers(medians):
        middle = y + bar * len(counts) / 2 + 5
        parts.append(f'<text x="{left - 8}" y="{middle:.0f}" text-anchor="end">{html.escape(name)}</text>')
        for count in counts:
            value = medians[name].get(f"{count} at once: images/s", 0)
            parts.append(
                f'<rect x="{left}" y="{y}" width="{value * scale:.1f}" height="{bar - 2}" fill="{colours[count]}"/>'
                f'<text x="{left + value * scale + 4:.1f}" y="{y + 10}" font-size="10">{value:.3g}</text>'
            )
            y += bar
        y += gap
    line = left + ceiling * scale
    parts.append(f'<path d="M{line:.1f} 32V{y - gap + 4}" stroke="#d94801" stroke-dasharray="4 3"/>')
    parts.append(f'<text x="{line:.1f}" y="26" text-anchor="middle" fill="#d94801">bare loop {ceiling:.3g}</text>')
    for index, count in enumerate(counts):
        x = left + 130 * index
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colours[count]}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 10}">{count} at once</text>')
    height = y + 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {height}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="Images per second of each server">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<text x="8" y="16">images/s</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def main() -> None:
    if len(sys.argv) not in (3, 4):
        raise SystemExit((__doc__ or "").strip())
    file, machine, model = (*sys.argv[1:4], "phantom")[:3]
    source = pathlib.Path(file)
    run, medians = read(source)
    day = datetime.date.fromtimestamp(source.stat().st_mtime).isoformat()
    rounds = max(len(figure["rounds"]) for figure in run["figures"] if figure["of"] == LOOP)
    before, after = run["load"]
    repeats = "one round" if rounds == 1 else f"medians of {rounds} rounds"
    plot_file = "serving.svg" if model == "phantom" else f"serving-{model}.svg"
    text = (
        f"{day}, {machine}; {repeats}. Load averages before: {before}; after: {after}.\n\n"
        f"![Images per second]({plot_file})\n\n{table(medians)}\n{open_loops(medians)}\n"
        f"{loop(medians)}{in_turns(medians)}"
    )
    if model == "phantom" and ENCODING in medians:
        figures = medians[ENCODING]
        text += f"\nEncoding a 1024×1024 image as PNG takes {figures['faceplane: ms']:.1f} ms"
        if "Pillow: ms" in figures:
            text += f", and {figures['Pillow: ms']:.0f} ms by Pillow's defaults"
        text += ".\n"
    for word in run["words"]:
        text += f"\n{word['of']}: {word['what']}: {word['text']}\n"
    readme = HERE / "README.md"
    begin, end = f"<!-- figures: {model} -->\n", f"<!-- end of figures: {model} -->"
    head, rest = readme.read_text().split(begin)
    tail = rest.split(end)[1]
    readme.write_text(head + begin + text + end + tail)
    (HERE / plot_file).write_text(plot(medians))


if __name__ == "__main__":
    main()
