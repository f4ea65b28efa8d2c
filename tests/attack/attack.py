#!/usr/bin/env python3
"""Attacks the program over loopback and prints what it withstood.

    tests/attack/attack.py PROGRAM [--only NAME,…] [--json FILE]

Starts `PROGRAM serve` with default settings and a store, in a cgroup of 2 GiB where one can be made, warms up every
route, and runs each attack of attacks.py. In the meantime it asks for health and for single images. The exit status
is 1 if a limit is broken: resident memory, the time of health responses, the time of a single image, the memory a
minute later, or a rule of an attack. Takes some ten minutes. Needs Python 3.11 or later, and nothing else.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from attacks import ATTACKS, BOUNDARIES, Report, Target, ask, photograph, png, post_json
from probe import Probe, Times
from service import GIB, MIB, MemoryLimit, Service

MOST_RESIDENT = GIB
MEMORY_LIMIT = 2 * GIB
HEALTH_P99 = 0.1
SLOWER_SAMPLE = 3.0
MEMORY_LEFT = 100 * MIB
DRAIN_SECONDS = 30.0
# Some 2.4 MB each: more than the response cache holds.
SHEETS = 32
# The seconds between the last attack and the last measurement of memory.
PAUSE = 60


class Row(NamedTuple):
    """A line of the table."""

    name: str
    peak: int
    times: Times
    report: Report
    seconds: float


def warm_up(port: int) -> None:
    """Asks every route at least once, and fills the response cache with sheets of 64 faces."""
    file = photograph(port, 3)
    posted = {"Content-Type": "image/jpeg"}
    for _ in range(3):
        for path in [
            "/v1/sample?count=64&seed=9",
            "/v1/sample?seed=2&format=webp",
            "/v1/edit?seed=7&edit=smile:3&format=json",
            "/v1/conditional-edit?seed=7&edit=smile:3&condition=age",
            "/v1/edit?seed=7&edit=smile:to_score:0.9",
            "/v1/score?seed=7",
            "/v1/interpolate?seeds=7,8&frames=30&format=webp",
            "/v1/mix?rows=7,8&columns=9,10&layers=0-1",
            "/v1/sample?seeds=0-199&pictures=none",
            "/v1/score?seeds=0-199&format=npz",
            "/v1/models/phantom",
            BOUNDARIES,
            "/openapi.json",
            "/docs/",
            "/metrics",
        ]:
            ask(port, "GET", path)
        ask(port, "POST", "/v1/invert?method=encoder", png(2_000, 2_000), {"Content-Type": "image/png"})
        ask(port, "POST", "/v1/invert", file, posted)
        ask(port, "POST", "/v1/edit?edit=smile:2", file, posted)
    for number in range(SHEETS):
        ask(port, "GET", f"/v1/sample?count=64&seed={1_000 * number}")
    post_json(port, BOUNDARIES, {"attributes": ["smile"], "space": "w", "samples": 1_000})
    post_json(port, "/v1/models/phantom/report", {"seed": 1, "samples": 500})
    end = time.monotonic() + 120
    while time.monotonic() < end:
        jobs = json.loads(ask(port, "GET", "/v1/jobs")[1])["jobs"]
        if all(job["status"] in {"done", "failed", "cancelled"} for job in jobs):
            return
        time.sleep(0.5)


def checked(times: Times, peak: int, usual: float) -> list[str]:
    """The limits that a row breaks."""
    broken = []
    if peak > MOST_RESIDENT:
        broken.append(f"resident memory {peak / MIB:.0f} MiB, at most {MOST_RESIDENT / MIB:.0f}")
    if times.health_p99() > HEALTH_P99:
        broken.append(f"health p99 {times.health_p99() * 1e3:.0f} ms, at most {HEALTH_P99 * 1e3:.0f}")
    if times.sample and times.sample_p50() > SLOWER_SAMPLE * usual:
        broken.append(f"single image p50 {times.sample_p50() / usual:.1f} times the usual, at most {SLOWER_SAMPLE:.0f}")
    if times.failures:
        broken.append(f"{len(times.failures)} probes failed, the first: {times.failures[0]}")
    return broken


def attack(target: Target, probe: Probe, run: Callable[[Target], Report]) -> Row:
    target.service.reset_peak()
    probe.read()
    started = time.monotonic()
    report = run(target)
    seconds = time.monotonic() - started
    # A short attack is over before the probe saw enough.
    time.sleep(max(0.0, 2 - seconds))
    return Row(run.__name__, target.service.peak(), probe.read(), report, seconds)


def print_row(name: str, peak: str, health: str, sample: str, seconds: str, text: str) -> None:
    print(f"{name:20} {peak:>8} {health:>10} {sample:>9} {seconds:>6}  {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default="", help="names of attacks, separated by commas; default: all")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    names = list(filter(None, arguments.only.split(",")))
    attacks = [run for run in ATTACKS if not names or run.__name__ in names]
    if len(attacks) < len(names):
        parser.error(f"--only: found {arguments.only}, expected some of {', '.join(run.__name__ for run in ATTACKS)}")

    limit = MemoryLimit(MEMORY_LIMIT)
    rows: list[Row] = []
    broken: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"

        def start(options: list[str], **how: object) -> Service:
            return Service(arguments.program, options, **{"log": log.with_suffix(".other"), **how})  # type: ignore[arg-type]

        store = Path(folder) / "store"
        service = Service(arguments.program, ["--store", str(store)], log, limit)
        print(f"memory limit: {'a cgroup of 2 GiB' if limit.folder else 'none, no cgroup can be made here'}")
        warm_up(service.port)
        probe = Probe(service.port)
        time.sleep(10)
        quiet = probe.read()
        usual, warm = quiet.sample_p50(), service.resident()
        print(f"after the warm-up: {warm / MIB:.0f} MiB; a single image takes {usual * 1e3:.1f} ms (p50)")
        print_row("attack", "peak MiB", "health p99", "image p50", "s", "what happened")
        target = Target(service, store, start, DRAIN_SECONDS)
        for run in attacks:
            row = attack(target, probe, run)
            rows.append(row)
            found = row.report.broken + checked(row.times, row.peak, usual)
            print_row(
                row.name,
                f"{row.peak / MIB:.0f}",
                f"{row.times.health_p99() * 1e3:.0f} ms",
                f"{row.times.sample_p50() / usual:.1f}×",
                f"{row.seconds:.0f}",
                row.report.text,
            )
            for rule in found:
                print(f"{'':20} BROKEN: {rule}", flush=True)
            if found:
                broken[row.name] = found
            if not service.is_alive():
                broken["service"] = [f"it ended with {service.process.returncode} in {row.name}"]
                print(broken["service"][0])
                break
        else:
            time.sleep(PAUSE)
            left = service.resident() - warm
            print(f"a minute later: {left / MIB:+.0f} MiB beside the warm-up")
            if left > MEMORY_LEFT:
                broken["memory"] = [f"{left / MIB:.0f} MiB are left a minute later, at most {MEMORY_LEFT / MIB:.0f}"]
            probe.stop()
            status, seconds = service.stop()
            print(f"SIGTERM: exit {status} after {seconds:.1f} s")
            if status != 0:
                broken["end"] = [f"the exit status is {status}"]
    limit.remove()
    if arguments.json:
        figures = {
            "broken": broken,
            "attacks": {
                row.name: {
                    "peak_bytes": row.peak,
                    "health_p99_seconds": row.times.health_p99(),
                    "image_p50_ratio": row.times.sample_p50() / usual,
                    "text": row.report.text,
                }
                for row in rows
            },
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    print("all limits held" if not broken else f"broken: {', '.join(broken)}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
