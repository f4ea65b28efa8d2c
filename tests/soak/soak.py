#!/usr/bin/env python3
"""Runs the program for a long time, and prints what it withstood.

    tests/soak/run PROGRAM [--only load,kills,rolling] [--minutes 30] [--kills 100]

- load: mixed load with a key, at 80 % of the ceiling that the same mix has. No 5xx but 503; memory, descriptors
  and threads stay.
- kills: kill −9 at random moments under load, training and importing included. Nothing that was acknowledged is lost.
- rolling: three replicas on one store behind HAProxy are restarted one after the other under load. No request is lost.

The exit status is 1 if a rule is broken. Takes some 40 minutes. Needs Python 3.11 or later, and for `rolling` HAProxy.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kills import kill_again_and_again
from mixed_load import LEFT, Load, mix_of
from rolling import restart_in_turns
from service import MIB, Service

PORTRAITS = Path(__file__).resolve().parents[2] / "onnx/portraits"
SHARE = 0.8
CEILING_SECONDS = 60
SECONDS_BETWEEN_LOOKS = 1
# How much more memory, descriptors and threads the last third of the time may use than the third before.
GROWTH = 0.05
UNAVAILABLE = 503
QUIET_SECONDS = 80


@dataclass
class Look:
    """What the process uses at a moment."""

    seconds: float
    resident: int
    descriptors: int
    threads: int


class Watch(threading.Thread):
    """Looks at the process again and again."""

    def __init__(self, service: Service) -> None:
        super().__init__(daemon=True)
        self.service, self.looks, self.is_over = service, list[Look](), threading.Event()
        self.began = time.monotonic()

    def look(self) -> Look:
        process = Path(f"/proc/{self.service.pid}")
        descriptors = sum(1 for _ in (process / "fd").iterdir())
        threads = sum(1 for _ in (process / "task").iterdir())
        return Look(time.monotonic() - self.began, self.service.resident(), descriptors, threads)

    def run(self) -> None:
        while not self.is_over.wait(SECONDS_BETWEEN_LOOKS):
            self.looks.append(self.look())

    def third(self, number: int) -> list[Look]:
        length = self.looks[-1].seconds / 3
        return [look for look in self.looks if number <= look.seconds / length < number + 1]


def mixed(program: Path, minutes: float) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        key, keys = new_key(program, Path(folder))
        options = ["--store", f"{folder}/store", "--model", str(PORTRAITS), "--api-keys", str(keys)]
        service = Service(program, options, log)
        mix = mix_of(service.port, key)
        ceiling = Load(mix, 0).run(CEILING_SECONDS, None, seed=1)
        time.sleep(QUIET_SECONDS)
        watch = Watch(service)
        before = watch.look()
        watch.start()
        load = Load(mix, 1_000_000)
        done = load.run(60 * minutes, SHARE * ceiling, seed=2)
        watch.is_over.set()
        watch.join()
        # Idle connections are closed by then.
        time.sleep(QUIET_SECONDS)
        after = watch.look()
        status, _ = service.stop()
        logs_key = key in log.read_text()
    print(f"ceiling of the mix {ceiling:.1f}/s; load {done:.1f}/s for {minutes:.0f} minutes, {load.sent} requests")
    total: Counter[int] = Counter()
    broken = []
    for name, counted in sorted(load.statuses.items()):
        total += counted
        wrong = {status: count for status, count in counted.items() if is_wrong(name, status)}
        if wrong:
            broken.append(f"{name}: found the statuses {wrong}")
    print("statuses: " + ", ".join(f"{count}×{'left' if s == LEFT else s}" for s, count in sorted(total.items())))
    print(f"most requests that waited for a client: {load.waiting}")
    thirds = [watch.third(number) for number in range(3)]
    for what in ("resident", "descriptors", "threads"):
        means = [statistics.mean(getattr(look, what) for look in third) for third in thirds]
        unit, name = (MIB, "MiB resident") if what == "resident" else (1, what)
        shown = " | ".join(f"{mean / unit:.1f}" for mean in means)
        ends = f"idle before {getattr(before, what) / unit:.0f}, after {getattr(after, what) / unit:.0f}"
        print(f"{name}: means of the thirds {shown}; {ends}")
        if means[2] > means[1] * (1 + GROWTH):
            broken.append(f"{what}: the last third has {means[2] / means[1]:.3f} times that of the third before")
    if after.descriptors > before.descriptors:
        broken.append(f"{after.descriptors} descriptors when idle, {before.descriptors} before")
    if status != 0:
        broken.append(f"the service ended with {status}")
    if logs_key:
        broken.append("the key is in the log")
    return broken


def new_key(program: Path, folder: Path) -> tuple[str, Path]:
    """A key that allows everything, and the file that names it."""
    made = subprocess.run(
        [program, "key", "new", "--name", "soak", "--scope", "admin"], capture_output=True, text=True, check=True
    )
    file = folder / "keys"
    file.write_text(made.stdout)
    found = re.search(r"faceplane_[\w-]+", made.stderr)
    assert found, made.stderr
    return found.group(), file


def is_wrong(name: str, status: int) -> bool:
    """Whether no request of the mix may get this status."""
    if name.startswith("bad:"):
        return not (400 <= status < 500 or status == UNAVAILABLE)
    return status not in {LEFT, UNAVAILABLE} and not 200 <= status < 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default="load,kills,rolling")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, default=100)
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    parts = {
        "load": lambda: mixed(program, arguments.minutes),
        "kills": lambda: kill_again_and_again(program, arguments.kills),
        "rolling": lambda: restart_in_turns(program),
    }
    names = arguments.only.split(",")
    if unknown := set(names) - parts.keys():
        parser.error(f"--only: found {', '.join(unknown)}, expected some of {', '.join(parts)}")
    broken = []
    for name in names:
        print(f"\n{name}", flush=True)
        found = parts[name]()
        broken += found
        print("\n".join(f"BROKEN: {rule}" for rule in found) or "all rules held", flush=True)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
