"""Compares an animation of 60 frames with 60 single pictures of the same faces.

See benches/README.md. It needs a running service that nobody else uses, and nothing but Python.
"""

import argparse
import statistics
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import count

FRAMES = 60
# Connections that ask for single pictures at the same time.
CONNECTIONS = 8

# What is compared with the first: options of a request for all frames.
FORMS = {
    "60 PNGs of one request (layout=zip)": "layout=zip&format=png",
    "APNG": "format=png",
    "WebP": "format=webp",
    "GIF": "format=gif",
}


def seconds(url: str) -> tuple[float, int]:
    """The time of a response, and its bytes."""
    started = time.perf_counter()
    with urllib.request.urlopen(url) as response:
        size = len(response.read())
    return time.perf_counter() - started, size


def seconds_of_requests(urls: list[str]) -> tuple[float, int]:
    """The time of many responses over several connections, and their bytes."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        sizes = [size for _, size in pool.map(seconds, urls)]
    return time.perf_counter() - started, sum(sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8080")
    parser.add_argument("--model", default="phantom")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    # Each request is for other faces, so that none comes from the cache.
    seeds = count(1_000_000 * (int(time.time()) % 4000), 100)
    times: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    for _ in range(arguments.rounds):
        for name, options in FORMS.items():
            seed = next(seeds)
            motion = f"seeds={seed},{seed + 1},{seed + 2}&frames={FRAMES}&loop=true"
            url = f"{arguments.url}/v1/interpolate?model={arguments.model}&{motion}&{options}"
            taken, sizes[name] = seconds(url)
            times.setdefault(name, []).append(taken)
        seed = next(seeds)
        sample = f"{arguments.url}/v1/sample?model={arguments.model}&seed="
        name = f"60 requests for a PNG, {CONNECTIONS} at a time"
        taken, sizes[name] = seconds_of_requests([f"{sample}{seed + face}" for face in range(FRAMES)])
        times.setdefault(name, []).append(taken)
    base = statistics.median(times[next(iter(FORMS))])
    print(
        f"| {FRAMES} faces of {arguments.model}, {arguments.rounds} rounds "
        "| ms, median | of the first | fastest | slowest | kB |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, found in times.items():
        middle = statistics.median(found)
        low, high = min(found), max(found)
        print(
            f"| {name} | {middle * 1e3:.0f} | {middle / base:.2f} "
            f"| {low * 1e3:.0f} | {high * 1e3:.0f} | {sizes[name] / 1e3:.0f} |"
        )


if __name__ == "__main__":
    main()
