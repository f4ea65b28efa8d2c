#!/usr/bin/env python3
"""Write the table and the plot of `benches/README.md` from the figures of a run.

    benches/publish.py target/bench/serving.json "two shared AVX-512 cores"

The README's part between the two marks is written anew, and `benches/serving.svg` beside it.
"""

import datetime
import html
import json
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
MARKS = "<!-- figures -->", "<!-- end of figures -->"
COLUMNS = [
    ("images/s at 1", "1 at once: images/s", 1),
    ("p50 ms", "1 at once: p50 ms", 1),
    ("images/s at 8", "8 at once: images/s", 1),
    ("p99 ms", "8 at once: p99 ms", 0),
    ("images/s at 32", "32 at once: images/s", 1),
    ("p99 ms", "32 at once: p99 ms", 0),
    ("CPU ms an image", "32 at once: server's CPU ms an image", 1),
    ("peak MiB", "peak MiB", 0),
    ("first picture after ms", "first picture after ms", 0),
]
LOOP = "bare loop"
ENCODING = "encoding 1024×1024"


def read(file):
    """The run, and the median of each figure by whose it is."""
    run = json.loads(pathlib.Path(file).read_text())
    medians = {}
    for figure in run["figures"]:
        medians.setdefault(figure["of"], {})[figure["what"]] = statistics.median(figure["rounds"])
    return run, medians


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def cell(medians, what, digits):
    return f"{medians[what]:.{digits}f}" if what in medians else "–"


def table(medians):
    text = row(["", *(title for title, _, _ in COLUMNS)]) + row(["---", *["---:"] * len(COLUMNS)])
    for name in servers(medians):
        text += row([name, *(cell(medians[name], what, digits) for _, what, digits in COLUMNS)])
    return text


def loop(medians):
    text = row(["bare loop, images a run", "images/s", "ms a run", "CPU ms an image"])
    text += row(["---", "---:", "---:", "---:"])
    found = medians[LOOP]
    for batch in (1, 2, 4, 8):
        of = f"batch {batch}: "
        if of + "images/s" in found:
            whats = [(of + "images/s", 1), (of + "p50 ms", 1), (of + "CPU ms an image", 1)]
            text += row([str(batch), *(cell(found, what, digits) for what, digits in whats)])
    beside = cell(found, "a loop of one thread on each core: images/s", 1)
    return text + row(["1, a loop of one thread on each core", beside, "–", "–"])


def open_loops(medians):
    loads = sorted({what.split()[1] for of in servers(medians) for what in medians[of] if what.startswith("at ")}, key=int)
    titles = [f"{title} at {load} %" for load in loads for title in ("p50 ms", "p99 ms", "refused %")]
    text = row(["", *titles]) + row(["---", *["---:"] * len(titles)])
    for name in servers(medians):
        cells = [
            cell(medians[name], f"at {load} %: {what}", 0)
            for load in loads
            for what in ("p50 ms", "p99 ms", "refused %")
        ]
        text += row([name, *cells])
    return text


def servers(medians):
    return [name for name in medians if name not in (LOOP, ENCODING)]


def plot(medians):
    """Bars: images a second of each server, by requests under way at once; the line is the bare loop."""
    ways = [way for way in (1, 8, 32) if any(f"{way} at once: images/s" in medians[name] for name in servers(medians))]
    colours = {1: "#9ecae1", 8: "#4292c6", 32: "#084594"}
    ceiling = medians[LOOP]["images/s"]
    values = [medians[name].get(f"{way} at once: images/s", 0) for name in servers(medians) for way in ways]
    left, width, bar, gap = 170, 480, 14, 14
    scale = width / (1.1 * max([ceiling, *values]))
    place, parts = 40, []
    for name in servers(medians):
        middle = place + bar * len(ways) / 2 + 5
        parts.append(f'<text x="{left - 8}" y="{middle:.0f}" text-anchor="end">{html.escape(name)}</text>')
        for way in ways:
            value = medians[name].get(f"{way} at once: images/s", 0)
            parts.append(
                f'<rect x="{left}" y="{place}" width="{value * scale:.1f}" height="{bar - 2}" fill="{colours[way]}"/>'
                f'<text x="{left + value * scale + 4:.1f}" y="{place + 10}" font-size="10">{value:.0f}</text>'
            )
            place += bar
        place += gap
    line = left + ceiling * scale
    parts.append(f'<path d="M{line:.1f} 32V{place - gap + 4}" stroke="#d94801" stroke-dasharray="4 3"/>')
    parts.append(f'<text x="{line:.1f}" y="26" text-anchor="middle" fill="#d94801">bare loop {ceiling:.0f}</text>')
    for position, way in enumerate(ways):
        x = left + 130 * position
        parts.append(f'<rect x="{x}" y="{place}" width="12" height="12" fill="{colours[way]}"/>')
        parts.append(f'<text x="{x + 18}" y="{place + 10}">{way} at once</text>')
    height = place + 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {height}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="Images a second of each server">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<text x="8" y="16">images/s</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def main():
    file, machine = sys.argv[1:3]
    run, medians = read(file)
    day = datetime.date.fromtimestamp(pathlib.Path(file).stat().st_mtime).isoformat()
    rounds = max(len(figure["rounds"]) for figure in run["figures"])
    before, after = run["load"]
    text = (
        f"{day}, {machine}; medians of {rounds} rounds. Load averages before: {before}; after: {after}.\n\n"
        f"![Images a second](serving.svg)\n\n{table(medians)}\n{open_loops(medians)}\n{loop(medians)}"
    )
    if ENCODING in medians:
        found = medians[ENCODING]
        text += f"\nA 1024×1024 picture is encoded in {found['faceplane: ms']:.1f} ms"
        if "Pillow: ms" in found:
            text += f", by Pillow's defaults in {found['Pillow: ms']:.0f} ms"
        text += ".\n"
    for word in run["words"]:
        text += f"\n{word['of']}: {word['what']}: {word['text']}\n"
    readme = HERE / "README.md"
    head, rest = readme.read_text().split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    readme.write_text(head + MARKS[0] + "\n" + text + MARKS[1] + tail)
    (HERE / "serving.svg").write_text(plot(medians))


main()
