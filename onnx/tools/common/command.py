"""The command line options that the steps share."""

import argparse
import pathlib


def parser(doc: str | None, cache: str | None = None) -> argparse.ArgumentParser:
    """A parser with --folder, and with --cache if its contents are given; `doc` is the docstring of the step."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    if cache:
        made.add_argument("--cache", type=pathlib.Path, required=True, help=f"a folder that keeps {cache}")
    return made
