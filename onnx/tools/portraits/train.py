"""Trains the GAN: first its mapping, then to draw given pictures from given codes, then against a discriminator, and both again.

    python -m portraits.train --folder ../portraits --cache CACHE

A code's first 64 values (in a random basis of z) are those of the phantom that a picture was drawn from, and the others are
noise, so that the network learns where eyes and mouths are; pixels alone would take days to teach it. In the adversarial
stages the pictures of the codes lose their say, and what counts is what the discriminator makes of it. The last two stages look
closely: at the mouth, at the eyes, and with the classifier's features. A run that was cut short goes on from its last
checkpoint; `--begin FOLDER` takes the weights of finished graphs instead, and goes on with the stages that look closely.
"""

import argparse
import copy
import itertools
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
from portraits.graphs import read
from portraits.likeness import EYES, MOUTH, Reader, crispness, likeness, window
from portraits.networks import DIMENSION, Discriminator, Generator, mixed
from portraits.pictures import Pictures, draw, factors_of

SEED = 64
PICTURES = 30_720
HALF_LIFE = 190
"""Steps after which half of the averaged weights is new."""

PENALTY, PENALTY_EVERY = 0.1, 16
"""R1's weight, and after how many steps it is taken once."""

KEEP_EVERY = 120
"""Seconds between checkpoints."""


@dataclass(frozen=True)
class Stage:
    """So many pictures at one size; the learning rate at its start and end."""

    name: str
    pictures: int
    side: int
    rates: tuple[float, float]
    batch: int = 32
    adversarial: bool = False

    say: tuple[float, float] = (1.0, 1.0)
    """The weight of likeness to the codes' pictures at its start and end."""

    close: bool = False
    """Whether likeness counts in the mouth, the eyes and the classifier's features too."""

    crisp: bool = False
    """Whether contrast counts too."""

    anew: bool = False
    """Whether it begins with the averaged weights, new optimisers and a new discriminator."""

    alone: int = 0
    """Pictures at its start from which only the discriminator learns."""


STAGES = (
    Stage("small", 60_000, 32, (3e-3, 2e-3)),
    Stage("whole", 45_000, 64, (2e-3, 1.5e-3)),
    Stage("adversarial", 58_136, 64, (1e-3, 5e-4), adversarial=True, say=(8.0, 0.0)),
    Stage("close", 13_000, 64, (1.5e-3, 8e-4), batch=8, close=True, anew=True),
    Stage("sharp", 4_000, 64, (1e-3, 8e-4), batch=8, adversarial=True, say=(1.5, 1.3), close=True, alone=1_600),
    Stage("crisp", 10_000, 64, (1e-3, 3e-4), batch=8, close=True, crisp=True),
)

MAPPING_STEPS, MAPPING_BATCH = 4_000, 256


def basis() -> np.ndarray:
    """An orthonormal basis of z, [256, 256]; its first 64 rows carry the phantom's codes."""
    return np.linalg.qr(np.random.RandomState(SEED).randn(DIMENSION, DIMENSION))[0].astype(np.float32)


class Training:
    """The networks, their optimisers, and how far they have come."""

    def __init__(self, cache: pathlib.Path, pictures: Pictures, reader: Reader) -> None:
        torch.manual_seed(SEED)
        self.cache, self.pictures, self.reader = cache, pictures, reader
        self.generator = Generator().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.basis = basis()
        self.step, self.seen, self.seconds = 0, 0, 0.0
        self.path = cache / "portraits.pt"
        self.renew()

    def renew(self) -> None:
        """The averaged weights, new optimisers and a new discriminator."""
        self.generator.load_state_dict(self.average.state_dict())
        self.discriminator = Discriminator().to(memory_format=torch.channels_last)
        self.drawing = torch.optim.Adam(self.generator.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-8)
        self.judging = torch.optim.Adam(self.discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-8)
        self.parts = {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "drawing": self.drawing,
            "judging": self.judging,
        }

    def go_on(self) -> None:
        """From the last checkpoint."""
        state = torch.load(self.path, weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.step, self.seen, self.seconds = state["step"], state["seen"], state["seconds"]

    def begin(self, folder: pathlib.Path) -> None:
        """From finished graphs, at the first stage that begins with averaged weights."""
        self.average.load_state_dict(read(folder).state_dict())
        before = itertools.takewhile(lambda stage: not stage.anew, STAGES)
        self.seen = sum(stage.pictures for stage in before)
        self.seconds = json.loads((folder / "figures.json").read_text())["training"]["hours"] * 3600.0

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
        torch.save({**state, "step": self.step, "seen": self.seen, "seconds": self.seconds}, unfinished)
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

    def stage(self) -> tuple[Stage, int]:
        """Where the training is, and how many pictures of that stage are done."""
        done = self.seen
        for stage in STAGES:
            if done < stage.pictures:
                return stage, done
            done -= stage.pictures
        return STAGES[-1], STAGES[-1].pictures

    def batch(self, random: np.random.RandomState, count: int, side: int) -> tuple[Tensor, Tensor]:
        """Codes, and the pictures that go with them."""
        chosen = np.sort(random.randint(0, len(self.pictures.pixels), count))
        noise = random.randn(count, DIMENSION - self.pictures.z.shape[1]).astype(np.float32)
        z = np.concatenate([self.pictures.z[chosen], noise], axis=1) @ self.basis
        wanted = torch.from_numpy(self.pictures.pixels[chosen]).float() / 127.5 - 1.0
        wanted = functional.avg_pool2d(wanted, 64 // side) if side < 64 else wanted
        return torch.from_numpy(z), wanted.contiguous(memory_format=torch.channels_last)

    def advance(self) -> dict[str, float]:
        """One step of the stage that the training is in."""
        stage, done = self.stage()
        if stage.anew and done < stage.batch:
            self.renew()
        share = done / stage.pictures
        random = np.random.RandomState([SEED, self.step])
        first, last = stage.rates
        for optimiser in (self.drawing, self.judging):
            for group in optimiser.param_groups:
                group["lr"] = first * (last / first) ** share
        z, wanted = self.batch(random, stage.batch, stage.side)
        learns = done >= stage.alone
        with mixed(), torch.set_grad_enabled(learns):
            drawn = self.generator(z, stage.side)
        drawn = drawn.float()
        found = {}
        if stage.adversarial:
            found.update(self.judge(drawn.detach(), self.batch(random, stage.batch, stage.side)[1]))
        if learns:
            found.update(self.draw(stage, share, drawn, wanted))
        self.step += 1
        self.seen += stage.batch
        return found

    def draw(self, stage: Stage, share: float, drawn: Tensor, wanted: Tensor) -> dict[str, float]:
        """One step of the generator, which has drawn these."""
        loss = likeness(drawn, wanted)
        found = {"likeness": loss.item()}
        if stage.close:
            parts = [(window(drawn, place), window(wanted, place)) for place in (MOUTH, EYES)]
            mouth, eyes = (likeness(*part) for part in parts)
            seen = self.reader.apart(drawn, wanted)
            loss = loss + 2.0 * mouth + eyes + seen
            found.update(mouth=mouth.item(), eyes=eyes.item(), seen=seen.item())
        if stage.crisp:
            whole, mouth, eyes = (crispness(*part) for part in ((drawn, wanted), *parts))
            loss = loss + 4.0 * (3.0 * whole + 2.0 * mouth + eyes)
            found.update(crisp=whole.item(), crisp_mouth=mouth.item())
        if stage.adversarial:
            self.discriminator.requires_grad_(False)
            with mixed():
                fooled = functional.softplus(-self.discriminator(drawn).float()).mean()
            self.discriminator.requires_grad_(True)
            found["fooled"] = fooled.item()
            # The pictures of the codes lose their say; without any the faces grow worse again.
            at_first, at_last = stage.say
            loss = fooled + (at_first + (at_last - at_first) * share) * loss
        self.drawing.zero_grad(set_to_none=True)
        loss.backward()
        self.drawing.step()
        keep = 0.5 ** (1 / HALF_LIFE)
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - keep)
        return found

    def judge(self, drawn: Tensor, real: Tensor) -> dict[str, float]:
        """One step of the discriminator."""
        with mixed():
            of_drawn, of_real = self.discriminator(drawn).float(), self.discriminator(real).float()
        loss = functional.softplus(of_drawn).mean() + functional.softplus(-of_real).mean()
        if self.step % PENALTY_EVERY == 0:
            real = real[: len(real) // 2].detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(self.discriminator(real).sum(), real, create_graph=True)
            loss = loss + slope.square().sum(dim=(1, 2, 3)).mean() * (PENALTY / 2 * PENALTY_EVERY)
        self.judging.zero_grad(set_to_none=True)
        loss.backward()
        self.judging.step()
        return {"drawn": of_drawn.mean().item(), "real": of_real.mean().item()}

    def run(self) -> None:
        """Trains to the end."""
        total, began, kept = sum(stage.pictures for stage in STAGES), time.time(), time.time()
        found: dict[str, list[float]] = {}
        while self.seen < total:
            for name, value in self.advance().items():
                found.setdefault(name, []).append(value)
            now = time.time()
            if now - kept > KEEP_EVERY or self.seen >= total:
                self.seconds += now - began
                began = kept = now
                self.keep()
                stage, done = self.stage()
                share = done / stage.pictures
                line = {"pictures": self.seen, "stage": stage.name, "share": share, "seconds": self.seconds}
                line.update({name: sum(values) / len(values) for name, values in found.items()})
                with (self.cache / "training.jsonl").open("a") as log:
                    log.write(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}) + "\n")
                found = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="the model folder, which has the classifier")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where pictures and checkpoints are kept")
    parser.add_argument("--begin", type=pathlib.Path, help="a model folder whose graphs hold the weights to begin with")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.cache.mkdir(parents=True, exist_ok=True)
    training = Training(given.cache, draw(PICTURES, SEED, given.cache), Reader(given.folder / "classifier.onnx"))
    if training.path.exists():
        training.go_on()
    elif given.begin:
        training.begin(given.begin)
    else:
        training.learn_factors()
    training.run()


if __name__ == "__main__":
    main()
