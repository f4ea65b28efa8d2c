"""Makes a running service find the phantom's boundaries again, and compares them with the shipped ones and the truth.

python benches/retraining/run.py --url http://127.0.0.1:8080, with numpy (onnx/tools/requirements.txt), from any folder;
about twenty minutes on two cores. Start the service without --store: the new boundaries are only for comparison.
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
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "onnx" / "tools"))
from phantom.factors import INDEX, TRUTH, rotation  # noqa: E402

Array = npt.NDArray[Any]

ATTRIBUTES = tuple(TRUTH)
SHIPPED = {"samples": 100_000, "seed": 2020}
"""The options that found the shipped boundaries."""


class Service:
    """A running service."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: Any = None, accept: str = "application/json") -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a response; a POST if there is a body, else a GET."""
        headers = {"Content-Type": "application/json", "Accept": accept}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=600) as response:
            return response.read(), dict(response.headers)

    def normals(self) -> dict[str, Array]:
        """The unit normals of the boundaries in w."""
        normals = {}
        for attribute in ATTRIBUTES:
            file, _ = self.ask(f"/v1/models/phantom/boundaries/{attribute}/w?format=npy", accept="*/*")
            normal = np.load(io.BytesIO(file)).reshape(-1).astype(float)
            normals[attribute] = normal / np.linalg.norm(normal)
        return normals

    def train(self, **options: Any) -> str:
        """Starts a training job and returns its URL."""
        body = {"attributes": ATTRIBUTES, "space": "w", **options}
        return self.ask("/v1/models/phantom/boundaries", body)[1]["location"]

    def job(self, location: str) -> Any:
        return json.loads(self.ask(location)[0])

    def finish(self, location: str) -> None:
        """Waits until a job is done."""
        while (job := self.job(location))["status"] in ("queued", "sampling", "fitting"):
            time.sleep(1)
        if job["status"] != "done":
            raise SystemExit(job)


def scoring_rate(service: Service, seconds: float, callers: int) -> float:
    """Faces per second that the service synthesizes and scores for concurrent callers."""
    seeds, finished, end = itertools.count(1_000_000), [], time.monotonic() + seconds

    def ask() -> None:
        while time.monotonic() < end:
            service.ask("/v1/score", {"seed": next(seeds)})
            finished.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(finished) / seconds


def single_latency(service: Service, count: int, first: int) -> float:
    """The median latency, in milliseconds, of single images requested with a pause between them."""
    times = []
    for seed in range(first, first + count):
        started = time.monotonic()
        service.ask(f"/v1/sample?seed={seed}", accept="image/png")
        times.append((time.monotonic() - started) * 1000)
        time.sleep(0.1)
    return statistics.median(times)


def print_cosines(title: str, table: Mapping[str, Mapping[str, Array]], reference: Mapping[str, Array]) -> None:
    """Prints the cosine of each set of normals with the reference's."""
    print(f"| {title} | " + " | ".join(ATTRIBUTES) + " |\n| --- |" + " ---: |" * len(ATTRIBUTES))
    for name, normals in table.items():
        cosines = (f"{normals[attribute] @ reference[attribute]:.5f}" for attribute in ATTRIBUTES)
        print(f"| {name} | " + " | ".join(cosines) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--samples", type=int, default=SHIPPED["samples"])
    parser.add_argument("--fewer", type=int, default=20_000, help="samples of the other trainings")
    arguments = parser.parse_args()
    service = Service(arguments.url)
    shipped = service.normals()
    truth = {name: rotation()[INDEX[factor]] for name, factor in TRUTH.items()}

    scored = scoring_rate(service, 15, 8)
    alone = single_latency(service, 60, 2_000_000)
    location = service.train(**{**SHIPPED, "samples": arguments.samples})
    time.sleep(3)
    before, started = service.job(location)["samples_done"], time.monotonic()
    time.sleep(40)
    rate = (service.job(location)["samples_done"] - before) / (time.monotonic() - started)
    beside = single_latency(service, 100, 3_000_000)
    print(f"faces per second: scored for eight callers {scored:.1f}, by the job {rate:.1f}, ratio {rate / scored:.2f}")
    print(f"a single image, median ms: alone {alone:.1f}, beside the job {beside:.1f}, {beside / alone:.1f} times\n")
    service.finish(location)
    trained = {"as shipped, again": service.normals()}
    for name, options in (
        ("fewer, another seed", {}),
        ("fewer, svm", {"method": "svm", "ratio": 0.1}),
        ("fewer, least squares", {"method": "least-squares"}),
    ):
        service.finish(service.train(samples=arguments.fewer, seed=1, **options))
        trained[name] = service.normals()
    print_cosines("cosine with the shipped boundary", trained, shipped)
    print()
    print_cosines("cosine with the truth", {"shipped": shipped, **trained}, truth)


if __name__ == "__main__":
    main()
