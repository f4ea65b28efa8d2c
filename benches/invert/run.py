"""How well and how fast a running service inverts pictures.

python benches/invert/run.py --url http://127.0.0.1:8080 --count 100 --steps 100, with numpy and Pillow, from anywhere.
Pictures of seeds that the encoder never saw, or those of --pictures; *sent* ones are moved right by a hundredth of their
width and went through JPEG of quality 85. With --json and --sheet it writes what the model's card shows.
"""

import argparse
import base64
import io
import json
import pathlib
import statistics
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

FIRST_SENT, FIRST_OWN = 10_000, 20_000
ONNX = pathlib.Path(__file__).parents[2] / "onnx"
ATTRIBUTES = ("pose", "smile", "age", "gender", "eyeglasses")
SHOWN, SIDE = 8, 112
"""How many inversions the sheet shows, and how large."""


class Service:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def post(self, path, body, kind="application/json", accept="application/json"):
        headers = {"Content-Type": kind, "Accept": accept, "Faceplane-Timeout": "600"}
        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read()

    def sample(self, seed):
        """The PNG of a seed, without its code, and its code in w."""
        with urllib.request.urlopen(f"{self.url}/v1/sample?seed={seed}&space=w&metadata=none") as answer:
            picture = answer.read()
        body = json.dumps({"seed": seed, "space": "w", "format": "json"}).encode()
        return picture, values(json.loads(self.post("/v1/sample", body))["faces"][0])

    def encode(self, picture, kind):
        return json.loads(self.post("/v1/invert?method=encoder", picture, kind))

    def descend(self, picture, options, kind):
        """The answer, and the PSNR at the steps at which the service showed one."""
        text = self.post(f"/v1/invert?{options}", picture, kind, "text/event-stream").decode()
        way, answer = {}, None
        for event in text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if lines.get("event") == "done":
                answer = json.loads(lines["data"])
            elif lines.get("event") == "problem":
                raise SystemExit(lines["data"])
            elif lines.get("event") == "progress":
                step = json.loads(lines["data"])
                if "psnr" in step:
                    way[step["step"]] = step["psnr"]
        way[answer["descent"]["steps"]] = answer["psnr"]
        return answer, way

    def edit(self, face, attribute, by):
        body = {"latent": face["latent"], "edits": [{"attribute": attribute, "by": by}], "format": "json"}
        return json.loads(self.post("/v1/edit", json.dumps(body).encode()))["faces"][0]


def values(face):
    return np.array(face["latent"]["values"], dtype=float).reshape(-1)


def sent(png):
    """The picture as another program may send it: moved right, then JPEG."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    moved = picture.copy()
    moved.paste(picture, (max(1, picture.width // 128), 0))
    file = io.BytesIO()
    moved.save(file, "JPEG", quality=85)
    return file.getvalue()


def cosine(one, other):
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def summary(found, digits=2):
    """Mean, median and least."""
    picked = {"mean": statistics.mean(found), "median": statistics.median(found), "least": min(found)}
    return {name: round(value, digits) for name, value in picked.items()}


def row(name, found, digits=2):
    return f"| {name} | {found['mean']:.{digits}f} | {found['median']:.{digits}f} | {found['least']:.{digits}f} |"


def curve(ways):
    """The mean PSNR of all pictures at the steps of the longest way; a way that ended before stays where it ended."""
    steps = sorted(max(ways, key=max))

    def at(way, step):
        return way[max(mine for mine in way if mine <= step)]

    return {str(step): round(statistics.mean(at(way, step) for way in ways), 2) for step in steps}


def sheet(columns, path):
    """A row of pictures sent, one of encoders' answers, one refined, one refined and smiling."""
    picture = Image.new("RGB", (len(columns) * SIDE, len(columns[0]) * SIDE), "white")
    for x, column in enumerate(columns):
        for y, file in enumerate(column):
            small = Image.open(io.BytesIO(file)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            picture.paste(small, (x * SIDE, y * SIDE))
    picture.save(path, optimize=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--url", nargs="+", default=["http://127.0.0.1:8080"], help="of services that share the pictures")
    arguments.add_argument("--model", default="phantom", help="its default model")
    arguments.add_argument("--pictures", type=pathlib.Path, help="a folder of PNG files to send")
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--steps", type=int, default=100)
    arguments.add_argument("--own-steps", type=int, default=200, help="for the model's own samples, whose codes are known")
    arguments.add_argument("--beside", type=int, default=2, help="pictures under way at a time")
    arguments.add_argument("--json", type=pathlib.Path, help="write the figures to this file")
    arguments.add_argument("--sheet", type=pathlib.Path, help="draw the first pictures to this file")
    given = arguments.parse_args()
    services, w_avg = [Service(url) for url in given.url], np.load(ONNX / given.model / "w_avg.npy").reshape(-1).astype(float)
    methods = {name: f"method={name}&steps={given.steps}" for name in ("refine", "optimize")}

    files = sorted(given.pictures.glob("*.png")) if given.pictures else []

    def invert_sent(seed):
        service = services[seed % len(services)]
        picture = sent(files[seed - FIRST_SENT].read_bytes() if files else service.sample(seed)[0])
        found = {"seconds": {}, "psnr": {}, "way": {}}
        began = time.monotonic()
        encoded = service.encode(picture, "image/jpeg")
        found["seconds"]["encoder"], found["psnr"]["encoder"] = time.monotonic() - began, encoded["psnr"]
        for name, options in methods.items():
            began = time.monotonic()
            answer, found["way"][name] = service.descend(picture, options, "image/jpeg")
            found["seconds"][name], found["psnr"][name] = time.monotonic() - began, answer["psnr"]
            if name == "refine":
                face, found["converged"] = answer["face"], answer["descent"]["converged"]
        edited = {attribute: service.edit(face, attribute, 3) for attribute in ATTRIBUTES}
        found["rising"] = {name: one["scores"][name] > face["scores"][name] for name, one in edited.items()}
        shown = [encoded["face"], face, edited["smile"]]
        found["shown"] = [picture, *(base64.b64decode(one["image"]) for one in shown)]
        if (seed + 1) % 10 == 0:
            print("picture", seed - FIRST_SENT + 1, flush=True)
        return found

    def invert_own(seed):
        service = services[seed % len(services)]
        picture, code = service.sample(seed)
        encoded = service.encode(picture, "image/png")
        refined, _ = service.descend(picture, f"method=refine&steps={given.own_steps}", "image/png")
        both = {"encoder": encoded, "refine": refined}
        return {
            "cosine": {name: cosine(values(one["face"]) - w_avg, code - w_avg) for name, one in both.items()},
            "psnr": {name: one["psnr"] for name, one in both.items()},
        }

    with ThreadPoolExecutor(given.beside) as pool:
        pictures = list(pool.map(invert_sent, range(FIRST_SENT, FIRST_SENT + given.count)))
        own = list(pool.map(invert_own, range(FIRST_OWN, FIRST_OWN + given.count)))
    psnr = {name: [one["psnr"][name] for one in pictures] for name in ("encoder", *methods)}
    figures = {
        "count": given.count,
        "steps": given.steps,
        "own_steps": given.own_steps,
        "psnr": {name: summary(found) for name, found in psnr.items()},
        "seconds": {name: round(statistics.median(one["seconds"][name] for one in pictures), 2) for name in psnr},
        "beats": {
            name: sum(mine > its for mine, its in zip(psnr["refine"], psnr[name], strict=True))
            for name in ("encoder", "optimize")
        },
        "converged": sum(one["converged"] for one in pictures),
        "rising": {name: sum(one["rising"][name] for one in pictures) for name in ATTRIBUTES},
        "way": {name: curve([one["way"][name] for one in pictures]) for name in methods},
        "own_cosine": {name: summary([one["cosine"][name] for one in own], 3) for name in ("encoder", "refine")},
        "own_psnr": {name: summary([one["psnr"][name] for one in own]) for name in ("encoder", "refine")},
        "own_beyond_0.95": sum(one["cosine"]["refine"] >= 0.95 for one in own),
    }
    print(f"\n{given.count} pictures sent, {given.steps} steps:\n")
    print("| method | mean PSNR, dB | median | least |\n| --- | ---: | ---: | ---: |")
    print("\n".join(row(name, found) for name, found in figures["psnr"].items()))
    print(f"\nrefine is nearer than {figures['beats']}; {figures['converged']} converged; median seconds {figures['seconds']}")
    print(f"+3 moves the attribute's own score up: {figures['rising']}")
    print(f"way: {figures['way']}")
    print(f"\n{given.count} of the model's own samples, {given.own_steps} steps, cosine:\n")
    print("\n".join(row(name, found, 3) for name, found in figures["own_cosine"].items()))
    print(f"\nat least 0.95: {figures['own_beyond_0.95']}; PSNR {figures['own_psnr']}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")
    if given.sheet:
        sheet([one["shown"] for one in pictures[:SHOWN]], given.sheet)


if __name__ == "__main__":
    main()
