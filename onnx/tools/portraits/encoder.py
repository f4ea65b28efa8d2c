"""The portraits' encoder, picture to w: it learns codes from the generator's own pictures, and likeness from renders too."""

import argparse
import io
import os
import pathlib
import time

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from PIL import Image
from torch import Tensor, nn

from phantom.encoder import block
from phantom.export import export, gap

from .export import load
from .likeness import likeness
from .networks import DIMENSION, LAYERS, Generator, mixed
from .pictures import SIDE
from .train import PICTURES, SEED, draw

OWN, RENDERED = 48, 16
"""Pictures of a batch: of sampled codes, whose code is known, and renders, of which only likeness can be asked."""

PSI = (0.6, 1.2)
"""Sampled codes are truncated by something between these."""

RATE = 2e-3
REACH = 2
"""How many pixels a picture is moved by at most."""

KEEP_EVERY = 120
"""Seconds between checkpoints."""


class Encoder(nn.Module):
    """w [batch, 256] from pictures [batch, 3, 64, 64] in [-1, 1]."""

    def __init__(self, w_avg: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *block(3, 32, 4, 2),
            *block(32, 64, 3, 2),
            *block(64, 96, 3, 1),
            *block(96, 128, 3, 2),
            *block(128, 128, 3, 1),
        )
        self.reduce = nn.Sequential(nn.Conv2d(128, 32, 1), nn.ReLU(), nn.Flatten())
        self.values = nn.Sequential(nn.Linear(32 * 64, 320), nn.ReLU(), nn.Linear(320, DIMENSION))
        self.register_buffer("w_avg", w_avg)
        self.register_buffer("spread", spread)

    def forward(self, image: Tensor) -> Tensor:
        return self.w_avg + self.spread * self.values(self.reduce(self.features(image)))


def wear(pictures: Tensor, random: np.random.RandomState) -> Tensor:
    """Copies [count, 3, 64, 64] as they would come back from elsewhere: moved, of another brightness, through JPEG."""
    worn = pictures.clone()
    for place in np.flatnonzero(random.rand(len(pictures)) < 0.6):
        bytes_ = pictures[place].clamp(-1, 1).add(1).mul(127.5).round().byte().permute(1, 2, 0).numpy()
        across, down = random.randint(-REACH, REACH + 1, 2)
        bytes_ = np.pad(bytes_, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
        bytes_ = bytes_[REACH + down : REACH + down + SIDE, REACH + across : REACH + across + SIDE]
        picture = Image.fromarray(np.ascontiguousarray(bytes_))
        if random.rand() < 0.3:
            side = random.randint(40, 128)
            picture = picture.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        if random.rand() < 0.7:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=random.randint(50, 97))
            picture = Image.open(file)
        gain = random.uniform(0.95, 1.05)
        worn[place] = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float().div(127.5).sub(1).mul(gain)
    return worn


class Training:
    """The encoder, its optimiser, and how far they have come."""

    def __init__(self, generator: Generator, renders: np.ndarray, path: pathlib.Path, steps: int, rate: float) -> None:
        self.generator, self.renders, self.path, self.steps = generator, renders, path, steps
        with torch.no_grad():
            w = generator.mapping(torch.from_numpy(np.random.RandomState(SEED).randn(20_000, DIMENSION).astype(np.float32)))
        torch.manual_seed(SEED)
        self.encoder = Encoder(w.mean(dim=0), w.std()).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.encoder.parameters(), lr=rate, weight_decay=1e-3)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, total_steps=steps, pct_start=0.1)
        self.parts = {"encoder": self.encoder, "optimiser": self.optimiser, "schedule": self.schedule}
        self.step = 0

    def go_on(self) -> None:
        """From the last checkpoint."""
        state = torch.load(self.path, weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.step = state["step"]

    def begin(self, path: pathlib.Path) -> None:
        """From a finished graph. The exporter has folded the normalisation into it, so each layer's is set anew, such that on renders
        nothing changes."""
        graph = onnx.load(path).graph
        known = {one.name: torch.tensor(numpy_helper.to_array(one).copy()) for one in graph.initializer}
        state = self.encoder.state_dict()
        kept = {name: known[name] for name in state if name in known and name not in ("w_avg", "spread")}
        self.encoder.load_state_dict({**state, **kept})
        x = torch.from_numpy(self.renders[:512]).float() / 127.5 - 1.0
        with torch.no_grad():
            for place in range(0, len(self.encoder.features), 3):
                convolution, normal = self.encoder.features[place], self.encoder.features[place + 1]
                x = convolution(x)
                variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
                bias = known[f"features.{place}.weight_bias"]
                normal.running_mean.copy_(mean)
                normal.running_var.copy_(variance)
                normal.weight.copy_((variance + normal.eps).sqrt())
                normal.bias.copy_(mean + bias)
                x = (x + bias[:, None, None]).relu()

    def draw(self, w: Tensor) -> Tensor:
        with mixed():
            return self.generator.synthesis(w[:, None].expand(-1, LAYERS, -1)).float()

    def advance(self) -> tuple[float, float]:
        """One step; how far the codes are off, in deviations squared, and how far the pictures."""
        random = np.random.RandomState([SEED, self.step])
        with torch.no_grad():
            w = self.generator.mapping(torch.from_numpy(random.randn(OWN, DIMENSION).astype(np.float32)))
            psi = torch.from_numpy(random.uniform(*PSI, (OWN, 1)).astype(np.float32))
            w = self.encoder.w_avg + psi * (w - self.encoder.w_avg)
            own = self.draw(w)
        chosen = np.sort(random.randint(0, len(self.renders), RENDERED))
        rendered = torch.from_numpy(self.renders[chosen]).float() / 127.5 - 1.0
        wanted = torch.cat([own, rendered])
        given = wear(wanted, random).contiguous(memory_format=torch.channels_last)
        with mixed():
            found = self.encoder(given)
        found = found.float()
        off = ((found[:OWN] - w) / self.encoder.spread).square().mean()
        # A few of the own pictures too, so that what counts in the picture counts in the code.
        apart = likeness(self.draw(found[OWN - RENDERED :]), wanted[OWN - RENDERED :])
        loss = off + apart
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        return off.item(), apart.item()

    def run(self) -> None:
        """Trains to the end, and keeps what there is now and then."""
        began, sums, count = time.time(), np.zeros(2), 0
        while self.step < self.steps:
            sums += self.advance()
            count += 1
            if time.time() - began > KEEP_EVERY or self.step == self.steps:
                state = {name: part.state_dict() for name, part in self.parts.items()}
                unfinished = self.path.with_suffix(".new")
                torch.save({**state, "step": self.step}, unfinished)
                os.replace(unfinished, self.path)
                off, apart = sums / count
                print(f"step {self.step}: codes off by {off:.3f}, pictures by {apart:.3f}, {count} steps", flush=True)
                began, sums, count = time.time(), np.zeros(2), 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where the training keeps its weights")
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--rate", type=float, default=RATE, help="the greatest learning rate")
    parser.add_argument("--begin", type=pathlib.Path, help="a finished encoder to begin with")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    renders, path = draw(PICTURES, SEED, given.cache).pixels, given.cache / "encoder.pt"
    training = Training(load(given.cache), renders, path, given.steps, given.rate)
    if path.exists():
        training.go_on()
    elif given.begin:
        training.begin(given.begin)
    training.run()
    encoder = training.encoder.to(memory_format=torch.contiguous_format).eval()
    path, example = given.folder / "encoder.onnx", torch.randn(3, 3, SIDE, SIDE)
    export(encoder, example, "image", "w", path)
    print(f"{path.name}: {path.stat().st_size} bytes, differs by {gap(encoder, path, example):.1e}")


if __name__ == "__main__":
    main()
