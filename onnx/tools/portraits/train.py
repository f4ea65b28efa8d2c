"""Trains the GAN: first its mapping, then to draw given pictures from given codes, then against a discriminator.

    python -m portraits.train --cache CACHE

Before the adversarial stage a code's first 64 values (in a random basis of z) are those of the phantom that a picture was
drawn from, and the others are noise, so that the network learns where eyes and mouths are; pixels alone would take days to
teach it. In the adversarial stage the pictures of the codes lose their say, and what counts is what the discriminator makes of it.
A run that was cut short goes on from its last checkpoint.
"""

import argparse
import copy
import json
import os
import pathlib
import time
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from phantom.mapping import rescale
from portraits.networks import DIMENSION, Discriminator, Generator
from portraits.pictures import Pictures, draw, factors_of

SEED = 64
PICTURES = 30_720
BATCH = 32
HALF_LIFE = 6_000
"""Pictures after which half of the averaged weights is new."""

PENALTY, PENALTY_EVERY = 0.1, 16
"""R1's weight, and after how many steps it is taken once."""

KEEP_EVERY = 120
"""Seconds between checkpoints."""


@dataclass(frozen=True)
class Stage:
    """So many pictures at one size; whether against the discriminator; the learning rate at its start and end."""

    name: str
    pictures: int
    side: int
    adversarial: bool
    rates: tuple[float, float]


STAGES = (
    Stage("small", 60_000, 32, False, (3e-3, 2e-3)),
    Stage("whole", 45_000, 64, False, (2e-3, 1.5e-3)),
    Stage("adversarial", 58_000, 64, True, (1e-3, 5e-4)),
)

MAPPING_STEPS, MAPPING_BATCH = 4_000, 256


def basis() -> np.ndarray:
    """An orthonormal basis of z, [256, 256]; its first 64 rows carry the phantom's codes."""
    return np.linalg.qr(np.random.RandomState(SEED).randn(DIMENSION, DIMENSION))[0].astype(np.float32)


def edges(image: Tensor) -> Tensor:
    """Differences between neighbours, across and down, in one row for each picture."""
    across, down = image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]
    return torch.cat([across.flatten(1), down.flatten(1)], dim=1)


def likeness(drawn: Tensor, wanted: Tensor) -> Tensor:
    """How far pictures are from those wanted: pixels at three sizes, and edges, which is where small features are."""
    loss = (drawn - wanted).abs().mean() + 2.0 * (edges(drawn) - edges(wanted)).abs().mean()
    for _ in range(2):
        drawn, wanted = functional.avg_pool2d(drawn, 2), functional.avg_pool2d(wanted, 2)
        loss = loss + (drawn - wanted).abs().mean()
    return loss


class Training:
    """The networks, their optimisers, and how far they have come."""

    def __init__(self, cache: pathlib.Path, pictures: Pictures) -> None:
        torch.manual_seed(SEED)
        self.cache, self.pictures = cache, pictures
        self.generator = Generator().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.discriminator = Discriminator().to(memory_format=torch.channels_last)
        self.drawing = torch.optim.Adam(self.generator.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-8)
        self.judging = torch.optim.Adam(self.discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-8)
        self.basis = basis()
        self.step, self.seconds = 0, 0.0
        self.parts = {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "drawing": self.drawing,
            "judging": self.judging,
        }
        self.path = cache / "portraits.pt"
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            self.step, self.seconds = state["step"], state["seconds"]
        else:
            self.learn_factors()

    def learn_factors(self) -> None:
        """Teaches the mapping to lay the phantom's factors out linearly in w."""
        head = torch.nn.Linear(DIMENSION, 64)
        rates = [{"params": self.generator.mapping.parameters()}, {"params": head.parameters(), "lr": 1e-3}]
        optimiser = torch.optim.Adam(rates, lr=1e-2, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, MAPPING_STEPS)
        random = np.random.RandomState(SEED)
        for step in range(MAPPING_STEPS):
            z = rescale(random.randn(MAPPING_BATCH, 64))
            noise = random.randn(MAPPING_BATCH, DIMENSION - 64).astype(np.float32)
            whole = torch.from_numpy(np.concatenate([z, noise], axis=1) @ self.basis)
            loss = functional.mse_loss(head(self.generator.mapping(whole)), torch.from_numpy(factors_of(z)))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            if step % 500 == 0:
                print(f"mapping, step {step}: {loss.item():.4f} of the factors' variance is missing", flush=True)
        self.average.load_state_dict(self.generator.state_dict())

    def keep(self) -> None:
        """Writes the checkpoint whole, and a sheet of what the averaged weights draw."""
        state = {name: part.state_dict() for name, part in self.parts.items()}
        unfinished = self.path.with_suffix(".new")
        torch.save({**state, "step": self.step, "seconds": self.seconds}, unfinished)
        os.replace(unfinished, self.path)
        stage, _ = self.stage()
        with torch.no_grad():
            random = np.random.RandomState(7)
            z = torch.from_numpy(random.randn(48, DIMENSION).astype(np.float32))
            drawn = self.average(z, stage.side)
            real = torch.from_numpy(self.pictures.pixels[:16]).float() / 127.5 - 1.0
            real = functional.avg_pool2d(real, 64 // stage.side)
            sheet = torch.cat([real, drawn]).clamp(-1, 1).add(1).mul(127.5).round().byte().numpy()
        rows = sheet.reshape(8, 8, 3, stage.side, stage.side).transpose(0, 3, 1, 4, 2)
        Image.fromarray(rows.reshape(8 * stage.side, 8 * stage.side, 3)).save(self.cache / "sheet.png")

    def stage(self) -> tuple[Stage, float]:
        """Where the training is, and how much of that stage is done."""
        done = self.step * BATCH
        for stage in STAGES:
            if done < stage.pictures:
                return stage, done / stage.pictures
            done -= stage.pictures
        return STAGES[-1], 1.0

    def batch(self, random: np.random.RandomState, side: int) -> tuple[Tensor, Tensor]:
        """Codes, and the pictures that go with them."""
        chosen = np.sort(random.randint(0, len(self.pictures.pixels), BATCH))
        noise = random.randn(BATCH, DIMENSION - self.pictures.z.shape[1]).astype(np.float32)
        z = np.concatenate([self.pictures.z[chosen], noise], axis=1) @ self.basis
        wanted = torch.from_numpy(self.pictures.pixels[chosen]).float() / 127.5 - 1.0
        wanted = functional.avg_pool2d(wanted, 64 // side) if side < 64 else wanted
        return torch.from_numpy(z), wanted.contiguous(memory_format=torch.channels_last)

    def advance(self) -> dict[str, float]:
        """One step of the stage that the training is in."""
        stage, share = self.stage()
        random = np.random.RandomState([SEED, self.step])
        first, last = stage.rates
        for optimiser in (self.drawing, self.judging):
            for group in optimiser.param_groups:
                group["lr"] = first * (last / first) ** share
        z, wanted = self.batch(random, stage.side)
        with torch.autocast("cpu", torch.bfloat16):
            drawn = self.generator(z, stage.side)
        drawn = drawn.float()
        found = {}
        loss = likeness(drawn, wanted)
        found["likeness"] = loss.item()
        if stage.adversarial:
            found.update(self.judge(drawn.detach(), self.batch(random, stage.side)[1]))
            self.discriminator.requires_grad_(False)
            with torch.autocast("cpu", torch.bfloat16):
                fooled = functional.softplus(-self.discriminator(drawn).float()).mean()
            self.discriminator.requires_grad_(True)
            found["fooled"] = fooled.item()
            # The pictures of the codes lose their say; without any the faces grow worse again.
            loss = fooled + 8.0 * (1.0 - share) * loss
        self.drawing.zero_grad(set_to_none=True)
        loss.backward()
        self.drawing.step()
        keep = 0.5 ** (BATCH / HALF_LIFE)
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - keep)
        self.step += 1
        return found

    def judge(self, drawn: Tensor, real: Tensor) -> dict[str, float]:
        """One step of the discriminator."""
        with torch.autocast("cpu", torch.bfloat16):
            of_drawn, of_real = self.discriminator(drawn).float(), self.discriminator(real).float()
        loss = functional.softplus(of_drawn).mean() + functional.softplus(-of_real).mean()
        if self.step % PENALTY_EVERY == 0:
            real = real[: BATCH // 2].detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(self.discriminator(real).sum(), real, create_graph=True)
            loss = loss + slope.square().sum(dim=(1, 2, 3)).mean() * (PENALTY / 2 * PENALTY_EVERY)
        self.judging.zero_grad(set_to_none=True)
        loss.backward()
        self.judging.step()
        return {"drawn": of_drawn.mean().item(), "real": of_real.mean().item()}

    def run(self) -> None:
        """Trains to the end."""
        total, began, kept = sum(stage.pictures for stage in STAGES), time.time(), time.time()
        sums: dict[str, float] = {}
        count = 0
        while self.step * BATCH < total:
            for name, value in self.advance().items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
            now = time.time()
            if now - kept > KEEP_EVERY or self.step * BATCH >= total:
                self.seconds += now - began
                began = kept = now
                self.keep()
                stage, share = self.stage()
                line = {"pictures": self.step * BATCH, "stage": stage.name, "share": share, "seconds": self.seconds}
                line.update({name: value / count for name, value in sums.items()})
                with (self.cache / "training.jsonl").open("a") as log:
                    log.write(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}) + "\n")
                sums, count = {}, 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where pictures and checkpoints are kept")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.cache.mkdir(parents=True, exist_ok=True)
    Training(given.cache, draw(PICTURES, SEED, given.cache)).run()


if __name__ == "__main__":
    main()
