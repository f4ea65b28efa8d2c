"""Compares one request for the codes and scores of 2,000 faces with a bare loop over the same networks.

See benches/README.md. It needs a running service of the bundled model that nobody else uses, and the packages
onnxruntime and numpy.
"""

import argparse
import io
import os
import statistics
import time
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

FACES = 2000


class BareLoop:
    """The model's networks in one or several workers, each with its share of the threads."""

    def __init__(self, folder: Path, workers: int, batch: int) -> None:
        manifest = tomllib.loads((folder / "manifest.toml").read_text())
        cores = os.cpu_count() or 1
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(cores // workers, 1)
        files = [manifest["generator"]["mapping"], manifest["generator"]["synthesis"]]
        files += [entry["file"] for entry in manifest["classifiers"]]
        self.sessions = [
            [onnxruntime.InferenceSession(folder / file, options) for file in files] for _ in range(workers)
        ]
        self.layers = self.sessions[0][1].get_inputs()[0].shape[1]
        self.dim = self.sessions[0][0].get_inputs()[0].shape[1]
        self.batch = batch

    def work(self, sessions: list[onnxruntime.InferenceSession], seeds: range) -> None:
        mapping, synthesis, *classifiers = sessions
        for first in range(0, len(seeds), self.batch):
            part = seeds[first : first + self.batch]
            codes = [np.random.RandomState(seed).randn(self.dim) for seed in part]
            w = self.run(mapping, np.array(codes, np.float32))
            images = self.run(synthesis, np.repeat(w[:, None], self.layers, axis=1))
            for classifier in classifiers:
                self.run(classifier, images)

    @staticmethod
    def run(session: onnxruntime.InferenceSession, values: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs: list[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: values})
        return outputs[0]

    def seconds(self, first: int) -> float:
        """The time of all faces."""
        share = FACES // len(self.sessions)
        started = time.perf_counter()
        with ThreadPoolExecutor(len(self.sessions)) as pool:
            done = [
                pool.submit(self.work, sessions, range(first + worker * share, first + (worker + 1) * share))
                for worker, sessions in enumerate(self.sessions)
            ]
            for worker in done:
                worker.result()
        return time.perf_counter() - started


def request(url: str, model: str, first: int) -> float:
    """The time of the request for all faces."""
    seeds = f"{first}-{first + FACES - 1}"
    address = f"{url}/v1/sample?model={model}&seeds={seeds}&pictures=none&format=npz"
    started = time.perf_counter()
    with urllib.request.urlopen(address) as response:
        arrays = np.load(io.BytesIO(response.read()))
    taken = time.perf_counter() - started
    if len(arrays["scores"]) != FACES:
        raise SystemExit(f"found the scores of {len(arrays['scores'])} faces, expected {FACES}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8080")
    parser.add_argument("--model", type=Path, default=Path("onnx/phantom"), help="the folder of the service's model")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cores = os.cpu_count() or 1
    loops = {
        f"bare loop, {workers} workers, batches of {batch}": BareLoop(arguments.model, workers, batch)
        for workers in sorted({1, cores})
        for batch in (1, 4, 8)
    }
    # Each round is about other faces, so that none is remembered.
    seeds = count(1_000_000 * (int(time.time()) % 4000), FACES)
    times: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        times.setdefault("one request", []).append(request(arguments.url, arguments.model.name, next(seeds)))
        for name, loop in loops.items():
            times.setdefault(name, []).append(loop.seconds(next(seeds)))
    ceiling = min(statistics.median(found) for name, found in times.items() if name != "one request")
    print(f"| {FACES} codes and scores, {arguments.rounds} rounds | faces a second, median | of the fastest loop |")
    print("| --- | --- | --- |")
    for name, found in times.items():
        middle = statistics.median(found)
        print(f"| {name} | {FACES / middle:.0f} | {ceiling / middle:.2f} |")


if __name__ == "__main__":
    main()
