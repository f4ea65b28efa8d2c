#!/usr/bin/env python3
"""Writes the table of all methods in `docs/judging.md` from the tables that `faceplane judge` wrote.

    benches/judging.py target/judge/phantom/judging.md

It replaces the part of the page between its two marks.
"""

import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "judging.md"
BEGIN, END = "<!-- all methods -->\n", "<!-- end of all methods -->"
TABLES = ("**Attribute dependency**", "**Attribute dependency by truth**")

Row = dict[str, str]
"""The cell of each column."""


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(text: str, caption: str) -> dict[str, Row]:
    """The rows of the first table after a caption, by their first cell."""
    lines = iter(text[text.index(caption) :].splitlines())
    head = next(cells(line) for line in lines if line.startswith("|"))
    next(lines)
    rows: dict[str, Row] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        values = cells(line)
        rows[values[0]] = dict(zip(head, values, strict=True))
    return rows


def main() -> None:
    text = pathlib.Path(sys.argv[1]).read_text()
    by_score, by_truth = (table(text, caption) for caption in TABLES)
    columns = ["faces", "others by score", "reach 2", "similarity", "seconds", "faces by truth", "others by truth"]
    lines = ["| method | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for method, row in by_score.items():
        truth = by_truth.get(method, {})
        found = [row[column] for column in ("faces", "1", "reached", "similarity at 1", "seconds")]
        found += [truth.get(column, "–") for column in ("faces", "1")]
        lines.append(f"| {method} | " + " | ".join(found) + " |")
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    PAGE.write_text(head + BEGIN + "\n".join(lines) + "\n" + END + tail)


if __name__ == "__main__":
    main()
