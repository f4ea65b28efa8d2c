"""Finds the code of a picture as the service does: the encoder's answer, then Adam down the gradient graph."""

import argparse
import json
import pathlib
import statistics
import time
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from .encoder import jpeg, transform
from .export import session
from .factors import LAYER_COUNT
from .mapping import seed_z
from .model import Model
from .studio import to_bytes

FIRST_SENT, FIRST_CLEAN = 10_000, 20_000
"""The first seeds of the pictures that are inverted; the encoder was trained on others."""

BATCH = 4
SHOWN, SHOWN_SIDE = 8, 112
"""How many inversions the card's picture shows, and how large."""

STARTS = ("encoder", "optimize", "refine")


@dataclass(frozen=True)
class Descent:
    """How a code is improved. The step sizes follow StyleGAN2's projector: a ramp up, and half a cosine down."""

    steps: int = 100
    rate: float = 0.1
    """Adam's learning rate between the ramps, in units of w, whose elements deviate by about 1."""
    first_beta: float = 0.9
    second_beta: float = 0.999
    epsilon: float = 1e-8
    rise: float = 0.05
    fall: float = 0.25
    """The ramps' shares of all steps."""
    pull: float = 0.001
    """Weight of the mean square distance to the start, beside a pixel loss of about 0.01."""

    def pace(self, step: int) -> float:
        """The learning rate of step 0, 1, …: rate · min(1, t / rise) · (1 - cos(π min(1, (1 - t) / fall))) / 2.

        t = (step + 0.5) / steps runs from 0 to 1.
        """
        t = (step + 0.5) / self.steps
        falling = 0.5 - 0.5 * np.cos(np.pi * min(1.0, (1.0 - t) / self.fall))
        return self.rate * min(1.0, t / self.rise) * falling


class Inverter:
    """The encoder and the gradient graph of a model folder."""

    def __init__(self, folder: pathlib.Path, threads: int = 2) -> None:
        self.encoder = session(folder / "encoder.onnx", threads)
        self.gradient = session(folder / "gradient.onnx", threads, rewritten=False)
        self.w_avg = np.load(folder / "w_avg.npy").reshape(-1)

    def encode(self, target: np.ndarray) -> np.ndarray:
        """w codes [count, 64] of pictures [count, 3, 256, 256]."""
        parts = [target[i : i + 8] for i in range(0, len(target), 8)]
        return np.concatenate([self.encoder.run(None, {"image": part})[0] for part in parts])

    def descend(
        self, target: np.ndarray, start: np.ndarray, descent: Descent
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Codes like start, [count, 64] in w or [count, 8, 64] in w+; the loss [steps, count] and the mean square error
        of the image [steps, count] before each step.

        The loss descended is the graph's plus pull · mean((code - start)²); in w, one code for all layers, the gradient is
        the layers' sum.
        """
        one = start.ndim == 2
        code, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
        per_code = start[0].size
        losses, errors = [], []
        for step in range(descent.steps):
            w = np.repeat(code[:, None], LAYER_COUNT, axis=1) if one else code
            loss, gradient, image = self.gradient.run(["loss", "gradient", "image"], {"w": w, "target": target})
            losses.append(loss)
            errors.append(((image - target) ** 2).mean(axis=(1, 2, 3)))
            gradient = gradient.sum(axis=1) if one else gradient
            gradient = gradient + descent.pull * 2.0 / per_code * (code - start)
            mean = descent.first_beta * mean + (1.0 - descent.first_beta) * gradient
            square = descent.second_beta * square + (1.0 - descent.second_beta) * gradient**2
            sure = mean / (1.0 - descent.first_beta ** (step + 1))
            size = np.sqrt(square / (1.0 - descent.second_beta ** (step + 1))) + descent.epsilon
            code = (code - descent.pace(step) * sure / size).astype(np.float32)
        return code, np.stack(losses), np.stack(errors)


def decibels(error: np.ndarray) -> np.ndarray:
    """PSNR of a mean square error of images in [-1, 1]: 10 log10(2² / error)."""
    return 10.0 * np.log10(4.0 / np.maximum(error, 1e-10))


def seeds(first: int, count: int, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """w codes [count, 64] of the service's seeds, and their pictures as bytes [count, 3, 256, 256]."""
    w = model.w_of(np.concatenate([seed_z(seed) for seed in range(first, first + count)]), "z")
    parts = [model.run("synthesis", w[i : i + 8]) for i in range(0, count, 8)]
    return w[:, 0], to_bytes(np.concatenate(parts))


def sent(pictures: np.ndarray) -> np.ndarray:
    """The pictures as another program may send them: moved right by two pixels, then JPEG of quality 85."""
    moved = [jpeg(transform(picture, 2.0 / picture.shape[-1], 0.0, 1.0), 85) for picture in pictures]
    return np.stack([np.asarray(one).transpose(2, 0, 1) for one in moved])


def tensor(pictures: np.ndarray) -> np.ndarray:
    """Bytes as images in [-1, 1]."""
    return (pictures / 127.5 - 1.0).astype(np.float32)


def descents(
    kept: pathlib.Path, inverter: Inverter, target: np.ndarray, start: np.ndarray, descent: Descent
) -> tuple[np.ndarray, np.ndarray]:
    """Codes, and mean square errors [steps, count], a few pictures at a time; what is done is kept in a folder."""
    kept.mkdir(parents=True, exist_ok=True)
    found = []
    for first in range(0, len(target), BATCH):
        path, part = kept / f"{first}.npz", slice(first, first + BATCH)
        if not path.exists():
            code, _, error = inverter.descend(target[part], start[part], descent)
            np.savez(path, code=code, error=error)
            print(kept.name, first + BATCH, flush=True)
        found.append(np.load(path))
    return np.concatenate([one["code"] for one in found]), np.concatenate([one["error"] for one in found], axis=1)


def quality(model: Model, code: np.ndarray, target: np.ndarray) -> np.ndarray:
    """PSNR [count] of the pictures of w or w+ codes."""
    w = np.repeat(code[:, None], LAYER_COUNT, axis=1) if code.ndim == 2 else code
    parts = [model.run("synthesis", w[i : i + 8]) for i in range(0, len(w), 8)]
    return decibels(((np.concatenate(parts) - target) ** 2).mean(axis=(1, 2, 3)))


def summary(values: np.ndarray, digits: int) -> dict[str, float]:
    """Mean, median, and the value that one in twenty lies below."""
    picked = {"mean": values.mean(), "median": np.median(values), "low": np.quantile(values, 0.05)}
    return {name: round(float(value), digits) for name, value in picked.items()}


def alignment(code: np.ndarray, truth: np.ndarray, w_avg: np.ndarray) -> np.ndarray:
    """The cosine [count] of code - w_avg and truth - w_avg."""
    a, b = code - w_avg, truth - w_avg
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def speed(folder: pathlib.Path) -> dict[str, float]:
    """Seconds to open the gradient graph, and median milliseconds of a step on two threads, by batch."""
    began = time.perf_counter()
    graph = session(folder / "gradient.onnx", rewritten=False)
    found = {"open_seconds": round(time.perf_counter() - began, 2)}
    random = np.random.RandomState(0)
    for batch in (1, 4):
        given = {
            "w": random.randn(batch, LAYER_COUNT, 64).astype(np.float32),
            "target": random.uniform(-1, 1, (batch, 3, 256, 256)).astype(np.float32),
        }
        times = []
        for _ in range(13):
            began = time.perf_counter()
            graph.run(None, given)
            times.append((time.perf_counter() - began) * 1000)
        found[str(batch)] = round(statistics.median(times[3:]))
    return found


def sheet(rows: list[np.ndarray], path: pathlib.Path) -> None:
    """Rows of images [count, 3, 256, 256], one below another."""
    picture = Image.new("RGB", (SHOWN * SHOWN_SIDE, len(rows) * SHOWN_SIDE), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(to_bytes(row).transpose(0, 2, 3, 1)):
            small = Image.fromarray(image).resize((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
            picture.paste(small, (x * SHOWN_SIDE, y * SHOWN_SIDE))
    picture.save(path, optimize=True)


def plot(curves: dict[str, list[float]], path: pathlib.Path) -> None:
    """Mean PSNR against steps as an SVG."""
    width, height, left, top, low, high = 640, 300, 48, 16, 14.0, 34.0
    steps = len(next(iter(curves.values()))) - 1

    def x(step: float) -> float:
        return left + step / steps * (width - left - 150)

    def y(value: float) -> float:
        return top + (high - value) / (high - low) * (height - top - 40)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for value in range(int(low), int(high) + 1, 4):
        parts.append(f'<path d="M{left} {y(value):.1f}H{x(steps):.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for step in range(0, steps + 1, 20):
        parts.append(f'<text x="{x(step):.1f}" y="{y(low) + 18:.1f}" text-anchor="middle">{step}</text>')
    parts.append(f'<text x="{x(steps / 2):.1f}" y="{height - 6}" text-anchor="middle">steps (PSNR in dB, mean)</text>')
    for colour, (name, curve) in zip(("#b6434a", "#2f6fa5", "#33695f", "#8c4a70"), curves.items(), strict=False):
        points = " ".join(f"{x(step):.1f},{y(max(value, low)):.1f}" for step, value in enumerate(curve))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{x(steps) + 8:.1f}" y="{y(curve[-1]) + 4:.1f}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where finished descents are kept")
    parser.add_argument("--count", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--threads", type=int, default=2, help="1 is faster where others use the cores too")
    given = parser.parse_args()
    model, inverter, descent = Model(given.folder), Inverter(given.folder, given.threads), Descent()
    w_avg, kept = inverter.w_avg, given.cache / "inversion"
    first = np.repeat(w_avg[None], given.count, axis=0)

    _, pictures = seeds(FIRST_SENT, given.count, model)
    target = tensor(sent(pictures))
    codes = {"encoder": inverter.encode(target)}
    errors = {}
    codes["refine"], errors["refine"] = descents(kept / "refine", inverter, target, codes["encoder"], descent)
    codes["optimize"], errors["optimize"] = descents(kept / "optimize", inverter, target, first, descent)
    found = {name: quality(model, codes[name], target) for name in STARTS}
    few = slice(0, max(BATCH, given.count // 5))
    start = np.repeat(codes["encoder"][few, None], LAYER_COUNT, axis=1)
    codes["refine in w+"], errors["refine in w+"] = descents(kept / "plus", inverter, target[few], start, descent)
    found["refine in w+"] = quality(model, codes["refine in w+"], target[few])
    curves = {
        name: [*decibels(error).mean(axis=1).round(2).tolist(), round(float(found[name].mean()), 2)]
        for name, error in errors.items()
    }

    truth, pictures = seeds(FIRST_CLEAN, given.count, model)
    clean = tensor(pictures)
    guessed = inverter.encode(clean)
    refined, _ = descents(kept / "clean", inverter, clean, guessed, descent)

    figures = {
        "count": given.count,
        "few": len(start),
        "first_sent": FIRST_SENT,
        "first_clean": FIRST_CLEAN,
        "descent": asdict(descent),
        "speed": speed(given.folder),
        "bytes": {name: (given.folder / name).stat().st_size for name in ("encoder.onnx", "gradient.onnx")},
        "psnr": {name: summary(values, 2) for name, values in found.items()},
        "refine_in_w_on_the_few": round(float(found["refine"][few].mean()), 2),
        "sender": summary(decibels(((tensor(seeds(FIRST_SENT, given.count, model)[1]) - target) ** 2).mean(axis=(1, 2, 3))), 2),
        "beats_encoder": round(float((found["refine"] > found["encoder"]).mean()), 4),
        "beats_optimize": round(float((found["refine"] > found["optimize"]).mean()), 4),
        "clean_psnr": {"encoder": summary(quality(model, guessed, clean), 2), "refine": summary(quality(model, refined, clean), 2)},
        "clean_cosine": {"encoder": summary(alignment(guessed, truth, w_avg), 3), "refine": summary(alignment(refined, truth, w_avg), 3)},
        "curves": curves,
    }
    (given.folder / "inversion.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    shown = [model.run("synthesis", np.repeat(codes[name][:SHOWN, None], LAYER_COUNT, axis=1)) for name in STARTS]
    sheet([target[:SHOWN], *(shown[STARTS.index(name)] for name in ("encoder", "refine"))], given.folder / "card" / "inversion.png")
    plot(curves, given.folder / "card" / "descent.svg")
    print(json.dumps({name: value for name, value in figures.items() if name != "curves"}, indent=1))


if __name__ == "__main__":
    main()
