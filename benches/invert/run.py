"""Measures how well and how fast a running service inverts images.

python benches/invert/run.py --url http://127.0.0.1:8080 --count 100 --steps 100, with numpy and Pillow. The images
are those of seeds that the encoder never saw, or the files of --images. Before they are sent, they are moved
right by a hundredth of their width and compressed as JPEG of quality 85. --json and --sheet write what the model's
card shows.
"""

import argparse
import base64
import io
import json
import pathlib
import statistics
import time
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]
Curve = dict[int, float]
"""PSNR in dB by step."""

FIRST_SENT, FIRST_OWN = 10_000, 20_000
ONNX = pathlib.Path(__file__).parents[2] / "onnx"
ATTRIBUTES = ("pose", "smile", "age", "gender", "eyeglasses")
OPTIMIZERS = ("refine", "optimize")
SHOWN, SIDE = 8, 112
"""How many inversions the sheet shows, and the side of each image in it."""


class Service:
    """A running service."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def post(
        self, path: str, body: bytes, content_type: str = "application/json", accept: str = "application/json"
    ) -> bytes:
        headers = {"Content-Type": content_type, "Accept": accept, "Faceplane-Timeout": "600"}
        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=600) as response:
            content: bytes = response.read()
            return content

    def sample(self, seed: int) -> tuple[bytes, Array]:
        """A seed's PNG without its code, and its code in w."""
        with urllib.request.urlopen(f"{self.url}/v1/sample?seed={seed}&space=w&metadata=none") as response:
            image = response.read()
        body = json.dumps({"seed": seed, "space": "w", "format": "json"}).encode()
        return image, code_of(json.loads(self.post("/v1/sample", body))["faces"][0])

    def encode(self, image: bytes, content_type: str) -> Any:
        """The JSON response of an inversion by the encoder."""
        return json.loads(self.post("/v1/invert?method=encoder", image, content_type))

    def optimize(self, image: bytes, query: str, content_type: str) -> tuple[Any, Curve]:
        """The JSON response of an inversion, and the PSNR at each step that reported one."""
        text = self.post(f"/v1/invert?{query}", image, content_type, "text/event-stream").decode()
        curve: Curve = {}
        response: Any = None
        for event in text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if lines.get("event") == "end":
                response = json.loads(lines["data"])
                if "type" in response:
                    raise SystemExit(lines["data"])
            elif lines.get("event") == "progress":
                step = json.loads(lines["data"])
                if "psnr" in step:
                    curve[step["step"]] = step["psnr"]
        curve[response["optimization"]["steps"]] = response["psnr"]
        return response, curve

    def edit(self, face: Any, attribute: str, by: float) -> Any:
        """The face after an edit."""
        body = {"latent": face["latent"], "edits": [{"attribute": attribute, "by": by}], "format": "json"}
        return json.loads(self.post("/v1/edit", json.dumps(body).encode()))["faces"][0]


def code_of(face: Any) -> Array:
    """The latent code of a face in a JSON response."""
    return np.array(face["latent"]["values"], dtype=float).reshape(-1)


def degraded(png: bytes) -> bytes:
    """The image as another program may send it: moved right, then compressed as JPEG."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    moved = image.copy()
    moved.paste(image, (max(1, image.width // 128), 0))
    file = io.BytesIO()
    moved.save(file, "JPEG", quality=85)
    return file.getvalue()


def cosine(one: Array, other: Array) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def summary(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Mean, median and least."""
    figures = {"mean": statistics.mean(values), "median": statistics.median(values), "least": min(values)}
    return {name: round(value, digits) for name, value in figures.items()}


def row(name: str, figures: Mapping[str, float], digits: int = 2) -> str:
    """A table row of a summary."""
    return f"| {name} | " + " | ".join(f"{figures[part]:.{digits}f}" for part in ("mean", "median", "least")) + " |"


def mean_curve(curves: Sequence[Curve]) -> dict[str, float]:
    """The mean PSNR at the steps of the longest curve. After its last step a curve keeps its last value."""
    steps = sorted(max(curves, key=max))

    def at(curve: Curve, step: int) -> float:
        return curve[max(own for own in curve if own <= step)]

    return {str(step): round(statistics.mean(at(curve, step) for curve in curves), 2) for step in steps}


def sheet(columns: Sequence[Sequence[bytes]], path: pathlib.Path) -> None:
    """Writes a sheet with a column for each inversion: as sent, by the encoder, refined, refined and smiling."""
    canvas = Image.new("RGB", (len(columns) * SIDE, len(columns[0]) * SIDE), "white")
    for x, column in enumerate(columns):
        for y, file in enumerate(column):
            small = Image.open(io.BytesIO(file)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            canvas.paste(small, (x * SIDE, y * SIDE))
    canvas.save(path, optimize=True)


def invert_degraded(service: Service, png: bytes, steps: int) -> dict[str, Any]:
    """Figures of one image, sent degraded: seconds, PSNR and curve by method, and whether edits raise the scores."""
    image = degraded(png)
    started = time.monotonic()
    encoded = service.encode(image, "image/jpeg")
    seconds, psnr, curves = {"encoder": time.monotonic() - started}, {"encoder": encoded["psnr"]}, {}
    responses = {}
    for name in OPTIMIZERS:
        started = time.monotonic()
        query = f"method={name}&steps={steps}&patience={steps}"
        responses[name], curves[name] = service.optimize(image, query, "image/jpeg")
        seconds[name], psnr[name] = time.monotonic() - started, responses[name]["psnr"]
    face = responses["refine"]["face"]
    edited = {attribute: service.edit(face, attribute, 3) for attribute in ATTRIBUTES}
    return {
        "seconds": seconds,
        "psnr": psnr,
        "curves": curves,
        "converged": responses["refine"]["optimization"]["converged"],
        "rising": {name: one["scores"][name] > face["scores"][name] for name, one in edited.items()},
        "shown": [image, *(base64.b64decode(one["image"]) for one in (encoded["face"], face, edited["smile"]))],
    }


def invert_own(service: Service, seed: int, steps: int, w_avg: Array) -> dict[str, Any]:
    """Figures of one of the model's own samples: PSNR and the cosine to the true code, both relative to w_avg."""
    image, code = service.sample(seed)
    refined, _ = service.optimize(image, f"method=refine&steps={steps}&patience={steps}", "image/png")
    responses = {"encoder": service.encode(image, "image/png"), "refine": refined}
    return {
        "cosine": {name: cosine(code_of(one["face"]) - w_avg, code - w_avg) for name, one in responses.items()},
        "psnr": {name: one["psnr"] for name, one in responses.items()},
    }


def figures_of(
    arguments: argparse.Namespace, sent: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The figures of all images, as the model's card reads them from inversion.json."""
    psnr = {name: [one["psnr"][name] for one in sent] for name in ("encoder", *OPTIMIZERS)}
    return {
        "count": arguments.count,
        "steps": arguments.steps,
        "own_steps": arguments.own_steps,
        "psnr": {name: summary(values) for name, values in psnr.items()},
        "seconds": {name: round(statistics.median(one["seconds"][name] for one in sent), 2) for name in psnr},
        "beats": {
            name: sum(mine > its for mine, its in zip(psnr["refine"], psnr[name], strict=True))
            for name in ("encoder", "optimize")
        },
        "converged": sum(one["converged"] for one in sent),
        "rising": {name: sum(one["rising"][name] for one in sent) for name in ATTRIBUTES},
        "psnr_by_step": {name: mean_curve([one["curves"][name] for one in sent]) for name in OPTIMIZERS},
        "own_cosine": {name: summary([one["cosine"][name] for one in own], 3) for name in ("encoder", "refine")},
        "own_psnr": {name: summary([one["psnr"][name] for one in own]) for name in ("encoder", "refine")},
        "own_beyond_0.95": sum(one["cosine"]["refine"] >= 0.95 for one in own),
    }


def report(figures: Mapping[str, Any]) -> None:
    """Prints the figures."""
    print(f"\n{figures['count']} images sent, {figures['steps']} steps:\n")
    print("| method | mean PSNR, dB | median | least |\n| --- | ---: | ---: | ---: |")
    print("\n".join(row(name, one) for name, one in figures["psnr"].items()))
    print(f"\nrefine has the higher PSNR, images by other method: {figures['beats']}")
    print(f"converged: {figures['converged']}; median seconds: {figures['seconds']}")
    print(f"faces with a higher score of the attribute when moved by +3: {figures['rising']}")
    print(f"PSNR by step: {figures['psnr_by_step']}")
    print(f"\n{figures['count']} of the model's own samples, {figures['own_steps']} steps, cosine:\n")
    print("\n".join(row(name, one, 3) for name, one in figures["own_cosine"].items()))
    print(f"\nat least 0.95: {figures['own_beyond_0.95']}; PSNR {figures['own_psnr']}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", nargs="+", default=["http://127.0.0.1:8080"], help="services that share the work")
    parser.add_argument("--model", default="phantom", help="the default model of the services")
    parser.add_argument("--images", type=pathlib.Path, help="a folder of PNG files to send")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument(
        "--own-steps", type=int, default=200, help="for the model's own samples, which have known codes"
    )
    parser.add_argument("--concurrency", type=int, default=2, help="images sent at a time")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to this file")
    parser.add_argument("--sheet", type=pathlib.Path, help="write a sheet of the first images to this file")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    services = [Service(url) for url in arguments.url]
    w_avg = np.load(ONNX / arguments.model / "w_avg.npy").reshape(-1).astype(float)
    files = sorted(arguments.images.glob("*.png")) if arguments.images else []

    def sent(index: int) -> dict[str, Any]:
        service = services[index % len(services)]
        png = files[index].read_bytes() if files else service.sample(FIRST_SENT + index)[0]
        figures = invert_degraded(service, png, arguments.steps)
        if (index + 1) % 10 == 0:
            print("image", index + 1, flush=True)
        return figures

    def own(index: int) -> dict[str, Any]:
        return invert_own(services[index % len(services)], FIRST_OWN + index, arguments.own_steps, w_avg)

    with ThreadPoolExecutor(arguments.concurrency) as pool:
        images = list(pool.map(sent, range(arguments.count)))
        samples = list(pool.map(own, range(arguments.count)))
    figures = figures_of(arguments, images, samples)
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    if arguments.sheet:
        sheet([one["shown"] for one in images[:SHOWN]], arguments.sheet)


if __name__ == "__main__":
    main()
