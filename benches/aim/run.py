"""Measures how close `to_score` comes to a score and how well it holds others, against edits by a fixed distance.

It asks a running service: python benches/aim/run.py --url http://127.0.0.1:8080 --seeds 200
"""

import argparse
import json
import math
import statistics
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

TOLERANCE = 0.05
"""A face is on target when its probability differs from the target by no more than this."""


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


class Service:
    """A running service."""

    def __init__(self, url: str) -> None:
        self.url = url

    def edit(self, seed: int, space: str, attribute: str, conditions: Sequence[str], **move: float) -> Any:
        """The JSON response to an edit of one seed."""
        body: dict[str, Any] = {
            "seed": seed,
            "space": space,
            "format": "json",
            "edits": [{"attribute": attribute, **move}],
        }
        if conditions:
            body["conditions"] = conditions
        request = urllib.request.Request(
            f"{self.url}/v1/edit", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)


def probability(response: Any, attribute: str) -> float:
    """The probability of an attribute in the edited face."""
    return sigmoid(response["faces"][0]["scores"][attribute])


def change(response: Any, attribute: str, scale: Callable[[float], float]) -> float:
    """How much an attribute's score changed, on a scale: float for logits, sigmoid for probabilities."""
    before, after = (scale(face["scores"][attribute]) for face in (response["before"], response["faces"][0]))
    return abs(after - before)


def unconditioned_row(service: Service, seeds: Sequence[int], space: str, attribute: str, target: float) -> str:
    """A table row for edits without conditions: the share of faces on target."""
    aimed, moved, distances, rounds, images, seconds = [], [], [], [], [], []
    for seed in seeds:
        started = time.monotonic()
        response = service.edit(seed, space, attribute, [], to_score=target)
        seconds.append(time.monotonic() - started)
        aimed.append(probability(response, attribute))
        moved.append(response["score_search"]["moved"][attribute])
        distances.append(response["faces"][0]["distances"][attribute])
        rounds.append(response["score_search"]["batches"])
        images.append(response["score_search"]["images"])
    # The medians of what `to_score` needed: the best that one distance for all faces can be expected to do.
    best_by, best_to = statistics.median(moved), statistics.median(distances)
    by = [probability(service.edit(seed, space, attribute, [], by=best_by), attribute) for seed in seeds]
    to = [probability(service.edit(seed, space, attribute, [], to=best_to), attribute) for seed in seeds]

    def on_target(probabilities: list[float]) -> float:
        return sum(abs(one - target) <= TOLERANCE for one in probabilities) / len(probabilities)

    return (
        f"| {attribute} | {space} | {target} | {on_target(aimed):.1%} | {on_target(by):.1%} (by {best_by:.2f}) "
        f"| {on_target(to):.1%} (to {best_to:.2f}) | {statistics.median(rounds):.0f} | {statistics.median(images):.0f} "
        f"| {1000 * statistics.median(seconds):.0f} |"
    )


def conditioned_row(
    service: Service, seeds: Sequence[int], space: str, attribute: str, conditions: Sequence[str], target: float
) -> str:
    """A table row for edits with conditions: how far the conditions' scores move, by `to_score` and by a fixed edit.

    The fixed edit is the conditional edit of the same seed by the distance that `to_score` moved it.
    """
    hits = 0
    aimed_logits, fixed_logits, aimed_probabilities, fixed_probabilities, rounds = [], [], [], [], []
    for seed in seeds:
        aimed = service.edit(seed, space, attribute, conditions, to_score=target)
        fixed = service.edit(seed, space, attribute, conditions, by=aimed["score_search"]["moved"][attribute])
        hits += abs(probability(aimed, attribute) - target) <= TOLERANCE
        rounds.append(aimed["score_search"]["batches"])
        for name in conditions:
            aimed_logits.append(change(aimed, name, float))
            fixed_logits.append(change(fixed, name, float))
            aimed_probabilities.append(change(aimed, name, sigmoid))
            fixed_probabilities.append(change(fixed, name, sigmoid))
    mean = statistics.mean
    return (
        f"| {attribute} | {', '.join(conditions)} | {space} | {hits / len(seeds):.1%} | {mean(fixed_logits):.3f} "
        f"| {mean(aimed_logits):.3f} | {mean(fixed_logits) / mean(aimed_logits):.1f} "
        f"| {mean(fixed_probabilities):.3f} | {mean(aimed_probabilities):.3f} | {statistics.median(rounds):.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds, from 1000 on")
    arguments = parser.parse_args()
    service, seeds = Service(arguments.url), range(1000, 1000 + arguments.seeds)
    print("| attribute | space | target | `to_score` | best `by` | best `to` | rounds | images | median ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for attribute, space in [("smile", "w"), ("age", "w"), ("age", "z")]:
        print(unconditioned_row(service, seeds, space, attribute, 0.9), flush=True)
    print()
    print(
        "| attribute | conditions | space | within 0.05 | logits: fixed | aimed | ratio "
        "| probabilities: fixed | aimed | rounds |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for space in ("z", "w"):
        print(conditioned_row(service, seeds, space, "age", ["eyeglasses", "gender"], 0.9), flush=True)


if __name__ == "__main__":
    main()
