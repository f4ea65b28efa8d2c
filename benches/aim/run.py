"""How near `to_score` comes to a score, and how well it holds others, against edits by a fixed distance.

Asks a running service, on seeds of the model: python benches/aim/run.py --url http://127.0.0.1:8080 --seeds 200
"""

import argparse
import json
import math
import statistics
import time
import urllib.request


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


class Service:
    def __init__(self, url):
        self.url = url

    def edit(self, seed, space, attribute, held, **move):
        body = {
            "seed": seed,
            "space": space,
            "format": "json",
            "edits": [{"attribute": attribute, **move}],
        }
        if held:
            body["conditions"] = held
        request = urllib.request.Request(
            f"{self.url}/v1/edit", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def change(answer, attribute, scale):
    before, after = (scale(face["scores"][attribute]) for face in (answer["before"], answer["faces"][0]))
    return abs(after - before)


def plain(service, seeds, space, attribute, wanted):
    """Edits without conditions: the share of faces that end within 0.05 of `wanted`."""

    def score(answer):
        return sigmoid(answer["faces"][0]["scores"][attribute])

    aimed, ended, rounds, pictures, seconds = [], [], [], [], []
    for seed in seeds:
        started = time.monotonic()
        answer = service.edit(seed, space, attribute, [], to_score=wanted)
        seconds.append(time.monotonic() - started)
        aimed.append((score(answer), answer["aim"]["moved"][attribute]))
        ended.append(answer["faces"][0]["distances"][attribute])
        rounds.append(answer["aim"]["rounds"])
        pictures.append(answer["aim"]["pictures"])
    # The best that one distance can be expected to do: the median of what the faces took.
    fixed = {
        "by": statistics.median(moved for _, moved in aimed),
        "to": statistics.median(ended),
    }
    ends = [service.edit(seed, space, attribute, [], by=fixed["by"]) for seed in seeds]
    by = [score(answer) for answer in ends]
    to = [score(service.edit(seed, space, attribute, [], to=fixed["to"])) for seed in seeds]

    def near(scores):
        return sum(abs(score - wanted) <= 0.05 for score in scores) / len(scores)

    return (
        f"| {attribute} | {space} | {wanted} | {near([score for score, _ in aimed]):.1%} | {near(by):.1%} (by {fixed['by']:.2f}) "
        f"| {near(to):.1%} (to {fixed['to']:.2f}) | {statistics.median(rounds):.0f} | {statistics.median(pictures):.0f} "
        f"| {1000 * statistics.median(seconds):.0f} |"
    )


def conditioned(service, seeds, space, attribute, held, wanted):
    """Edits with conditions: how far held scores move beside the conditional edit by the same distance."""
    near, ours, theirs, chances, their_chances, rounds = 0, [], [], [], [], []
    for seed in seeds:
        answer = service.edit(seed, space, attribute, held, to_score=wanted)
        other = service.edit(seed, space, attribute, held, by=answer["aim"]["moved"][attribute])
        near += abs(sigmoid(answer["faces"][0]["scores"][attribute]) - wanted) <= 0.05
        rounds.append(answer["aim"]["rounds"])
        for name in held:
            ours.append(change(answer, name, float))
            theirs.append(change(other, name, float))
            chances.append(change(answer, name, sigmoid))
            their_chances.append(change(other, name, sigmoid))
    mean = statistics.mean
    return (
        f"| {attribute} | {', '.join(held)} | {space} | {near / len(seeds):.1%} | {mean(theirs):.3f} | {mean(ours):.3f} "
        f"| {mean(theirs) / mean(ours):.1f} | {mean(their_chances):.3f} | {mean(chances):.3f} "
        f"| {statistics.median(rounds):.0f} |"
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--url", default="http://127.0.0.1:8080")
    arguments.add_argument("--seeds", type=int, default=200)
    chosen = arguments.parse_args()
    service, seeds = Service(chosen.url), range(1000, 1000 + chosen.seeds)
    print("| attribute | space | wanted | `to_score` | best `by` | best `to` | rounds | pictures | median ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for attribute, space in [("smile", "w"), ("age", "w"), ("age", "z")]:
        print(plain(service, seeds, space, attribute, 0.9), flush=True)
    print()
    print("| attribute | held | space | within 0.05 | logits: fixed | aimed | ratio | probabilities: fixed | aimed | rounds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for attribute, held, space in [
        ("age", ["eyeglasses", "gender"], "z"),
        ("age", ["eyeglasses", "gender"], "w"),
    ]:
        print(conditioned(service, seeds, space, attribute, held, 0.9), flush=True)


if __name__ == "__main__":
    main()
