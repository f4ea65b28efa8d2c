#!/usr/bin/env python3
"""Write a table and a plot of `benches/README.md` from the figures of a run.

    benches/publish.py target/bench/serving.json "two shared AVX-512 cores" [pggan]

The README's part between the model's two marks is written anew, and `benches/serving.svg` or `serving-pggan.svg` beside it.
"""

import datetime
import html
import json
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
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
    """A figure with so many digits that count."""
    if what not in medians:
        return "–"
    value = medians[what]
    return f"{value:.{max(0, digits - len(str(int(abs(value)))))}f}"


def ways(medians):
    """The numbers of requests under way at once."""
    found = {what.split()[0] for name in servers(medians) for what in medians[name] if what.endswith(" at once: images/s")}
    return sorted((int(way) for way in found if way.isdigit()))


def table(medians):
    columns = []
    for way in ways(medians):
        columns.append((f"images/s at {way}", f"{way} at once: images/s", 4))
        columns.append(("p50 ms" if way == 1 else "p99 ms", f"{way} at once: {'p50' if way == 1 else 'p99'} ms", 3))
    columns += [
        ("CPU ms an image", f"{ways(medians)[-1]} at once: server's CPU ms an image", 3),
        ("peak MiB", "peak MiB", 4),
        ("first picture after ms", "first picture after ms", 4),
    ]
    text = row(["", *(title for title, _, _ in columns)]) + row(["---", *["---:"] * len(columns)])
    for name in servers(medians):
        text += row([name, *(cell(medians[name], what, digits) for _, what, digits in columns)])
    return text


def loop(medians):
    text = row(["bare loop, images a run", "images/s", "ms a run", "CPU ms an image"])
    text += row(["---", "---:", "---:", "---:"])
    found = medians[LOOP]
    for batch in (1, 2, 4, 8):
        of = f"batch {batch}: "
        if of + "images/s" in found:
            whats = [(of + "images/s", 4), (of + "p50 ms", 4), (of + "CPU ms an image", 4)]
            text += row([str(batch), *(cell(found, what, digits) for what, digits in whats)])
    beside = cell(found, "a loop of one thread on each core: images/s", 4)
    return text + row(["1, a loop of one thread on each core", beside, "–", "–"])


def open_loops(medians):
    loads = sorted({what.split()[1] for of in servers(medians) for what in medians[of] if what.startswith("at ")}, key=int)
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


def in_turns(medians):
    """What the service and the bare loop gave in turns, and single pictures beside a large request."""
    text = ""
    for name in servers(medians):
        found = medians[name]
        for share in [what for what in found if what.endswith("at once: % of the loop")]:
            way = share.removeprefix("in turns, ").removesuffix(": % of the loop")
            served, bare = found[f"in turns, {way}: images/s"], found["in turns: bare loop's images/s"]
            alone, run = found["in turns, alone: p50 ms"], found["in turns: bare run's p50 ms"]
            more = found["in turns, alone: ms above the bare run"]
            text += (
                f"\n{name} and the bare loop in turns, medians: {way} {served:.4g} images/s beside {bare:.4g}, "
                f"in the median turn **{found[share]:.1f} %**; alone a picture takes {alone:.1f} ms "
                f"beside a bare run's {run:.1f}, in the median turn **{more:+.1f} ms**.\n"
            )
        for runs in [what for what in found if what.endswith(": p50 in runs")]:
            count, single = runs.split(":")[0].split()[1], found[runs.replace(" in runs", " ms")]
            text += (
                f"\nWhile {name} is asked for {count} pictures again and again, a single one takes {single:.0f} ms: "
                f"{found[runs]:.1f} runs.\n"
            )
    return text


def servers(medians):
    return [name for name in medians if name not in (LOOP, ENCODING)]


def plot(medians):
    """Bars: images a second of each server, by requests under way at once; the line is the bare loop."""
    tried = ways(medians)
    colours = dict(zip(tried, ("#9ecae1", "#4292c6", "#084594")))
    ceiling = medians[LOOP]["images/s"]
    values = [medians[name].get(f"{way} at once: images/s", 0) for name in servers(medians) for way in tried]
    left, width, bar, gap = 170, 480, 14, 14
    scale = width / (1.1 * max([ceiling, *values]))
    place, parts = 40, []
    for name in servers(medians):
        middle = place + bar * len(tried) / 2 + 5
        parts.append(f'<text x="{left - 8}" y="{middle:.0f}" text-anchor="end">{html.escape(name)}</text>')
        for way in tried:
            value = medians[name].get(f"{way} at once: images/s", 0)
            parts.append(
                f'<rect x="{left}" y="{place}" width="{value * scale:.1f}" height="{bar - 2}" fill="{colours[way]}"/>'
                f'<text x="{left + value * scale + 4:.1f}" y="{place + 10}" font-size="10">{value:.3g}</text>'
            )
            place += bar
        place += gap
    line = left + ceiling * scale
    parts.append(f'<path d="M{line:.1f} 32V{place - gap + 4}" stroke="#d94801" stroke-dasharray="4 3"/>')
    parts.append(f'<text x="{line:.1f}" y="26" text-anchor="middle" fill="#d94801">bare loop {ceiling:.3g}</text>')
    for position, way in enumerate(tried):
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
    file, machine, model = (*sys.argv[1:4], "phantom")[:3]
    run, medians = read(file)
    day = datetime.date.fromtimestamp(pathlib.Path(file).stat().st_mtime).isoformat()
    rounds = max(len(figure["rounds"]) for figure in run["figures"] if figure["of"] == LOOP)
    before, after = run["load"]
    picture = "serving.svg" if model == "phantom" else f"serving-{model}.svg"
    text = (
        f"{day}, {machine}; {'one round' if rounds == 1 else f'medians of {rounds} rounds'}. Load averages before: {before}; after: {after}.\n\n"
        f"![Images a second]({picture})\n\n{table(medians)}\n{open_loops(medians)}\n{loop(medians)}{in_turns(medians)}"
    )
    if model == "phantom" and ENCODING in medians:
        found = medians[ENCODING]
        text += f"\nA 1024×1024 picture is encoded in {found['faceplane: ms']:.1f} ms"
        if "Pillow: ms" in found:
            text += f", by Pillow's defaults in {found['Pillow: ms']:.0f} ms"
        text += ".\n"
    for word in run["words"]:
        text += f"\n{word['of']}: {word['what']}: {word['text']}\n"
    readme = HERE / "README.md"
    begin, end = f"<!-- figures: {model} -->\n", f"<!-- end of figures: {model} -->"
    head, rest = readme.read_text().split(begin)
    tail = rest.split(end)[1]
    readme.write_text(head + begin + text + end + tail)
    (HERE / picture).write_text(plot(medians))


main()
