"""Has a running service find the phantom's planes anew, and compares them with those that it came with and with the truth.

python benches/retraining/run.py --url http://127.0.0.1:8080, with numpy and torch (onnx/tools/requirements.txt), from anywhere;
some twenty minutes on two cores. The service must not be started with --store: the new boundaries are only looked at.
"""

import argparse
import io
import itertools
import json
import pathlib
import statistics
import sys
import threading
import time
import urllib.request

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "onnx" / "tools"))
from phantom.factors import INDEX, TRUTH, rotation  # noqa: E402

ATTRIBUTES = tuple(TRUTH)
SHIPPED = {"samples": 100_000, "seed": 2020, "ratio": 0.1}
"""What the shipped boundaries were found with."""


class Service:
    def __init__(self, url):
        self.url = url

    def ask(self, path, body=None, accept="application/json", method=None):
        headers = {"Content-Type": "application/json", "Accept": accept}
        body = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read(), dict(answer.headers)

    def normals(self):
        """The unit normals in w."""
        found = {}
        for attribute in ATTRIBUTES:
            file, _ = self.ask(f"/v1/models/phantom/boundaries/{attribute}/w?format=npy", accept="*/*")
            normal = np.load(io.BytesIO(file)).reshape(-1).astype(float)
            found[attribute] = normal / np.linalg.norm(normal)
        return found

    def train(self, **options):
        """Begins a job; its URL."""
        body = {"attributes": ATTRIBUTES, "space": "w", **options}
        return self.ask("/v1/models/phantom/boundaries", body)[1]["location"]

    def job(self, location):
        return json.loads(self.ask(location)[0])

    def finish(self, location):
        while (found := self.job(location))["stage"] in ("waiting", "sampling", "fitting"):
            time.sleep(1)
        if found["stage"] != "done":
            raise SystemExit(found)


def closed(service, seconds, beside):
    """Faces a second that the service draws and scores for so many callers at a time."""
    seeds, done, end = itertools.count(1_000_000), [], time.monotonic() + seconds

    def ask():
        while time.monotonic() < end:
            service.ask("/v1/score", {"seed": next(seeds)})
            done.append(time.monotonic())

    callers = [threading.Thread(target=ask) for _ in range(beside)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return len(done) / seconds


def singles(service, count, first):
    """Milliseconds of single pictures, one at a time with a pause between them."""
    times = []
    for seed in range(first, first + count):
        began = time.monotonic()
        service.ask(f"/v1/sample?seed={seed}", accept="image/png")
        times.append((time.monotonic() - began) * 1000)
        time.sleep(0.1)
    return statistics.median(times)


def row(name, cosines):
    return f"| {name} | " + " | ".join(f"{cosines[attribute]:.5f}" for attribute in ATTRIBUTES) + " |"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--url", default="http://127.0.0.1:8080")
    arguments.add_argument("--samples", type=int, default=SHIPPED["samples"])
    arguments.add_argument("--fewer", type=int, default=20_000, help="samples of the other trainings")
    given = arguments.parse_args()
    service = Service(given.url)
    shipped = service.normals()
    truth = {name: rotation()[INDEX[factor]] for name, factor in TRUTH.items()}

    own = closed(service, 15, 8)
    alone = singles(service, 60, 2_000_000)
    location = service.train(**{**SHIPPED, "samples": given.samples})
    time.sleep(3)
    before, began = service.job(location)["samples_done"], time.monotonic()
    time.sleep(40)
    rate = (service.job(location)["samples_done"] - before) / (time.monotonic() - began)
    beside = singles(service, 100, 3_000_000)
    print(f"faces a second: scored for eight callers {own:.1f}, by the job {rate:.1f}, ratio {rate / own:.2f}")
    print(f"a single picture, median ms: alone {alone:.1f}, beside the job {beside:.1f}, {beside / alone:.1f} times\n", flush=True)
    service.finish(location)
    found = {"as shipped, again": service.normals()}
    for name, options in (("fewer, another seed", {}), ("fewer, least squares", {"method": "least-squares"})):
        service.finish(service.train(samples=given.fewer, seed=1, ratio=0.1, **options))
        found[name] = service.normals()
    print("| cosine with the shipped boundary | " + " | ".join(ATTRIBUTES) + " |\n| --- |" + " ---: |" * len(ATTRIBUTES))
    for name, normals in found.items():
        print(row(name, {attribute: normals[attribute] @ shipped[attribute] for attribute in ATTRIBUTES}))
    print("\n| cosine with the truth | " + " | ".join(ATTRIBUTES) + " |\n| --- |" + " ---: |" * len(ATTRIBUTES))
    for name, normals in {"shipped": shipped, **found}.items():
        print(row(name, {attribute: normals[attribute] @ truth[attribute] for attribute in ATTRIBUTES}))


if __name__ == "__main__":
    main()
