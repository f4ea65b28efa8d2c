"""Compares edits along the gradient of a score with edits along a plane, at an equal change of the score.

See benches/README.md. It needs a running service with the phantom, NumPy and onnxruntime.
The truth is that of onnx/phantom/truth.onnx.
"""

import argparse
import json
import math
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Json = dict[str, Any]

ATTRIBUTES = ["pose", "smile", "age", "gender", "eyeglasses"]
ROOT = Path(__file__).resolve().parents[2]
# Beyond this distance, the plane's edit counts as saturated: the longest path along a gradient.
LONGEST = 20.0


def edited(url: str, body: Json) -> Json:
    data = json.dumps({**body, "model": "phantom", "format": "json"}).encode()
    request = urllib.request.Request(f"{url}/v1/edit", data, {"Content-Type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request) as response:
                answer: Json = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise RuntimeError(error.read().decode()) from error
            time.sleep(1)


class Truth:
    def __init__(self) -> None:
        file = ROOT / "onnx/phantom/truth.onnx"
        mapping = ROOT / "onnx/phantom/mapping.onnx"
        self.truth = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        self.mapping = onnxruntime.InferenceSession(mapping, providers=["CPUExecutionProvider"])

    def of(self, face: Json) -> NDArray[np.float32]:
        code = np.array(face["latent"]["values"], np.float32).reshape(1, -1)
        if face["latent"]["space"] == "z":
            code = self.mapping.run(None, {"z": code})[0]
        values: NDArray[np.float32] = self.truth.run(None, {"w": np.repeat(code[:, None], 8, 1)})[0][0]
        return values


def along_plane(url: str, body: Json, attribute: str, target: float) -> tuple[Json | None, Json]:
    """The face at which the plane's edit gives the target logit, by bisection; None beyond the longest distance."""

    def at(distance: float) -> Json:
        return edited(url, {**body, "edits": [{"attribute": attribute, "by": distance}]})

    def logit(face: Json) -> float:
        return float(face["scores"][attribute])

    first = at(0.0)
    start = logit(first["before"])
    sign = math.copysign(1.0, target - start)
    low, high = 0.0, 1.0
    while sign * (logit(at(sign * high)["faces"][0]) - target) < 0:
        if high >= LONGEST:
            return None, first["before"]
        low, high = high, min(LONGEST, 1.6 * high)
    face = None
    for _ in range(8):
        middle = (low + high) / 2
        face = at(sign * middle)["faces"][0]
        if abs(logit(face) - target) < 0.05:
            break
        if sign * (logit(face) - target) < 0:
            low = middle
        else:
            high = middle
    return face, first["before"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=10_000)
    parser.add_argument("--spaces", default="z,w")
    parser.add_argument(
        "--change", type=float, default=3.0, help="the change of the edited score in logits, towards the other side"
    )
    options = parser.parse_args()
    truth = Truth()
    for space in options.spaces.split(","):
        rows: dict[str, list[NDArray[np.float64]]] = {"plane": [], "gradient": []}
        reached = {"plane": 0, "gradient": 0, "gradient only": 0}
        seconds, walks = [], []
        for seed in range(options.first, options.first + options.seeds):
            attribute = ATTRIBUTES[seed % len(ATTRIBUTES)]
            held = [other for other in ATTRIBUTES if other != attribute]
            body = {"seed": seed, "space": space, "conditions": held}
            before = edited(options.url, {**body, "edits": [{"attribute": attribute, "by": 0}]})["before"]
            start = before["scores"][attribute]
            target = start + math.copysign(options.change, -start)
            plane, _ = along_plane(options.url, body, attribute, target)
            probability = 1 / (1 + math.exp(-target))
            began = time.perf_counter()
            walked = edited(
                options.url,
                {**body, "along": "gradient", "edits": [{"attribute": attribute, "to_score": probability}]},
            )
            seconds.append(time.perf_counter() - began)
            walk, face = walked["walks"][0], walked["faces"][0]
            walks.append((walk["steps"], walk["gradients"], abs(walk["length"])))
            reached["plane"] += plane is not None
            reached["gradient"] += walk["reached"]
            reached["gradient only"] += walk["reached"] and plane is None
            if plane is None or not walk["reached"]:
                continue
            for name, after in [("plane", plane), ("gradient", face)]:
                by_score = np.mean([abs(after["scores"][other] - before["scores"][other]) for other in held])
                places = [ATTRIBUTES.index(other) for other in held]
                moved = np.abs(truth.of(after) - truth.of(before))
                own = moved[ATTRIBUTES.index(attribute)]
                # Both come near the target only.
                scale = options.change / abs(after["scores"][attribute] - start)
                rows[name].append(scale * np.array([by_score, moved[places].mean(), own]))
            if (seed + 1) % 10 == 0:
                report(space, seed + 1 - options.first, rows, reached, seconds, walks)
        report(space, options.seeds, rows, reached, seconds, walks)


def report(
    space: str,
    count: int,
    rows: dict[str, list[NDArray[np.float64]]],
    reached: dict[str, int],
    seconds: list[float],
    walks: list[tuple[int, int, float]],
) -> None:
    print(f"{space}: {count} seeds, reached {reached}, {np.median(seconds):.2f} s a walk (median), ", end="")
    print("steps, gradients, length: " + ", ".join(f"{value:.1f}" for value in np.mean(walks, 0)))
    for name, values in rows.items():
        if values:
            by_score, by_truth, own = np.mean(values, 0)
            print(
                f"  {name}: others by score {by_score:.3f}, by truth {by_truth:.4f}, own by truth {own:.3f}", flush=True
            )
    if rows["plane"]:
        worse = np.array(rows["gradient"]) - np.array(rows["plane"])
        error = worse.std(0, ddof=1) / math.sqrt(len(worse)) if len(worse) > 1 else np.full(3, np.nan)
        print(f"  gradient minus plane, by truth: {worse[:, 1].mean():+.4f} ± {error[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
