"""How well and how fast a running service inverts pictures of the phantom.

python benches/invert/run.py --url http://127.0.0.1:8080 --count 100 --steps 100, with numpy and Pillow, from anywhere.
Pictures of seeds that the encoder never saw; *sent* ones are moved right by two pixels and went through JPEG of quality 85.
"""

import argparse
import io
import json
import math
import pathlib
import statistics
import time
import urllib.request

import numpy as np
from PIL import Image

FIRST_SENT, FIRST_OWN = 10_000, 20_000
FOLDER = pathlib.Path(__file__).parents[2] / "onnx" / "phantom"


class Service:
    def __init__(self, url):
        self.url = url

    def post(self, path, body, kind="application/json"):
        headers = {"Content-Type": kind, "Accept": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers)) as answer:
            return json.load(answer)

    def sample(self, seed):
        """The PNG of a seed, without its code, and its code in w."""
        with urllib.request.urlopen(f"{self.url}/v1/sample?seed={seed}&space=w&metadata=none") as answer:
            picture = answer.read()
        body = json.dumps({"seed": seed, "space": "w", "format": "json"}).encode()
        return picture, values(self.post("/v1/sample", body)["faces"][0])

    def invert(self, picture, options, kind):
        return self.post(f"/v1/invert?{options}", picture, kind)

    def edit(self, face, attribute, by):
        body = {"latent": face["latent"], "edits": [{"attribute": attribute, "by": by}], "format": "json"}
        return self.post("/v1/edit", json.dumps(body).encode())


def values(face):
    return np.array(face["latent"]["values"], dtype=float).reshape(-1)


def sent(png):
    """The picture as another program may send it: moved right by two pixels, then JPEG."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    moved = picture.copy()
    moved.paste(picture, (2, 0))
    file = io.BytesIO()
    moved.save(file, "JPEG", quality=85)
    return file.getvalue()


def cosine(one, other):
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def row(name, found):
    return f"| {name} | {statistics.mean(found):.2f} | {statistics.median(found):.2f} | {min(found):.2f} |"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--url", default="http://127.0.0.1:8080")
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--steps", type=int, default=100)
    arguments.add_argument("--own", type=int, help="how many of the model's own samples [default: as many]")
    given = arguments.parse_args()
    service, w_avg = Service(given.url), np.load(FOLDER / "w_avg.npy").reshape(-1).astype(float)

    methods = {"encoder": "method=encoder", "refine": f"method=refine&steps={given.steps}"}
    methods["optimize"] = f"method=optimize&steps={given.steps}"
    psnr, seconds, converged, faces = {name: [] for name in methods}, {name: [] for name in methods}, 0, []
    for seed in range(FIRST_SENT, FIRST_SENT + given.count):
        picture = sent(service.sample(seed)[0])
        for name, options in methods.items():
            began = time.monotonic()
            answer = service.invert(picture, options, "image/jpeg")
            seconds[name].append(time.monotonic() - began)
            psnr[name].append(answer["psnr"])
            if name == "refine":
                converged += answer["descent"]["converged"]
                faces.append(answer["face"])
    print(f"{given.count} pictures sent, {given.steps} steps:\n")
    print("| method | mean PSNR, dB | median | worst |\n| --- | ---: | ---: | ---: |")
    for name, found in psnr.items():
        print(row(name, found))
    for other in ("encoder", "optimize"):
        better = sum(mine > its for mine, its in zip(psnr["refine"], psnr[other], strict=True))
        print(f"\nrefine beats {other} on {better} of {given.count}.")
    print(f"\n{converged} converged. Median seconds:", {name: round(statistics.median(all), 2) for name, all in seconds.items()})

    print("\n| attribute | +3 moves its score up |\n| --- | ---: |", flush=True)
    for attribute in ("pose", "smile", "age", "gender", "eyeglasses"):
        rising = 0
        for face in faces:
            answer = service.edit(face, attribute, 3)
            rising += answer["faces"][0]["scores"][attribute] > face["scores"][attribute]
        print(f"| {attribute} | {rising / len(faces):.0%} |", flush=True)

    own = given.own if given.own is not None else given.count
    found = {name: [] for name in ("encoder", "refine")}
    near = {name: [] for name in found}
    for seed in range(FIRST_OWN, FIRST_OWN + own):
        picture, code = service.sample(seed)
        for name in found:
            answer = service.invert(picture, methods[name], "image/png")
            found[name].append(cosine(values(answer["face"]) - w_avg, code - w_avg))
            near[name].append(answer["psnr"])
    if not own:
        return
    print(f"\n{own} of the model's own samples:\n\n| method | mean cosine | median | least |\n| --- | ---: | ---: | ---: |")
    for name in found:
        print(row(name, found[name]))
    for name in found:
        short = sum(cosine < 0.95 for cosine in found[name])
        print(f"\n{name}: {short} below 0.95; PSNR {statistics.mean(near[name]):.2f} dB, worst {min(near[name]):.2f}")
    assert all(math.isfinite(cosine) for cosine in found["refine"])


if __name__ == "__main__":
    main()
