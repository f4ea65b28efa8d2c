"""Trains the GAN: first its mapping, then regression on given images, then against a discriminator, and both again.

    python -m portraits.train --folder ../portraits --cache CACHE

In a random basis of z, the first 64 values of a code are the phantom's code of the target image, and the others are
noise. So the network learns where eyes and mouths are; from the adversarial loss alone that would take days. In the
adversarial stage the weight of the image loss falls to zero. The last stages also count details: the mouth, the eyes
and the classifier's features.

An interrupted run continues from its last checkpoint. `--begin FOLDER` starts from the weights of finished graphs
instead, with the detailed stages.
"""

import copy
import itertools
import json
import pathlib
import time

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from common.arrays import Array
from common.checkpoint import Checkpoint
from common.command import parser
from common.sampling import rescale

from .losses import EYES, MOUTH, ClassifierLoss, contrast_loss, image_loss, window
from .networks import DIMENSION, Discriminator, Generator, mixed
from .renders import SEED, SIDE, Renders, factors_of, training_renders
from .stages import STAGES, TOTAL, Stage, stage_at
from .weights import CHECKPOINT, read

HALF_LIFE = 190
"""Steps after which half of the averaged weights is new."""

PENALTY, PENALTY_EVERY = 0.1, 16
"""The weight of the R1 penalty, and the number of steps between two of its uses."""

KEEP_EVERY = 120
"""Seconds between checkpoints."""

MAPPING_STEPS, MAPPING_BATCH = 4_000, 256


def basis() -> Array:
    """An orthonormal basis of z, [256, 256]. Its first 64 rows carry the phantom's codes."""
    matrix: Array = np.linalg.qr(np.random.RandomState(SEED).randn(DIMENSION, DIMENSION))[0].astype(np.float32)
    return matrix


def train_mapping(generator: Generator) -> None:
    """Teaches the mapping to represent the phantom's factors linearly in w."""
    turn = basis()
    head = torch.nn.Linear(DIMENSION, 64)
    rates = [{"params": generator.mapping.parameters()}, {"params": head.parameters(), "lr": 1e-3}]
    optimizer = torch.optim.Adam(rates, lr=1e-2, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, MAPPING_STEPS)
    random = np.random.RandomState(SEED)
    for step in range(MAPPING_STEPS):
        z = rescale(random.randn(MAPPING_BATCH, 64))
        noise = random.randn(MAPPING_BATCH, DIMENSION - 64).astype(np.float32)
        code = torch.from_numpy(np.concatenate([z, noise], axis=1) @ turn)
        loss = functional.mse_loss(head(generator.mapping(code)), torch.from_numpy(factors_of(z)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 500 == 0:
            print(f"mapping, step {step}: {loss.item():.4f} of the factors' variance is missing", flush=True)


class Training:
    """The networks, their optimizers, and the progress."""

    def __init__(self, cache: pathlib.Path, renders: Renders, classifier_loss: ClassifierLoss) -> None:
        torch.manual_seed(SEED)
        self.cache, self.renders, self.classifier_loss = cache, renders, classifier_loss
        self.generator = Generator().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.basis = basis()
        self.step, self.seen, self.seconds = 0, 0, 0.0
        self.restart()

    def restart(self) -> None:
        """Takes the averaged weights, new optimizers and a new discriminator."""
        self.generator.load_state_dict(self.average.state_dict())
        self.discriminator = Discriminator().to(memory_format=torch.channels_last)
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-8)
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-8
        )
        self.checkpoint = Checkpoint(
            self.cache / CHECKPOINT,
            generator=self.generator,
            average=self.average,
            discriminator=self.discriminator,
            generator_optimizer=self.generator_optimizer,
            discriminator_optimizer=self.discriminator_optimizer,
        )

    def resume(self) -> None:
        """Continues from the last checkpoint."""
        state = self.checkpoint.load()
        self.step, self.seen, self.seconds = state["step"], state["seen"], state["seconds"]

    def begin(self, folder: pathlib.Path) -> None:
        """Starts from finished graphs, at the first stage that starts with averaged weights."""
        self.average.load_state_dict(read(folder).state_dict())
        self.seen = sum(stage.images for stage in itertools.takewhile(lambda stage: not stage.restart, STAGES))
        self.seconds = json.loads((folder / "figures.json").read_text())["training"]["hours"] * 3600.0

    def begin_with_mapping(self) -> None:
        """Starts from random weights, and trains the mapping."""
        train_mapping(self.generator)
        self.average.load_state_dict(self.generator.state_dict())

    def keep(self) -> None:
        """Saves a checkpoint, and a sheet of renders and of samples by the averaged weights."""
        self.checkpoint.save(step=self.step, seen=self.seen, seconds=self.seconds)
        stage, _ = stage_at(self.seen)
        with torch.no_grad():
            random = np.random.RandomState(7)
            z = torch.from_numpy(random.randn(48, DIMENSION).astype(np.float32))
            samples = self.average(z, stage.side)
            real = torch.from_numpy(self.renders.pixels[:16]).float() / 127.5 - 1.0
            real = functional.avg_pool2d(real, SIDE // stage.side)
            sheet = torch.cat([real, samples]).clamp(-1, 1).add(1).mul(127.5).round().byte().numpy()
        rows = sheet.reshape(8, 8, 3, stage.side, stage.side).transpose(0, 3, 1, 4, 2)
        Image.fromarray(rows.reshape(8 * stage.side, 8 * stage.side, 3)).save(self.cache / "sheet.png")

    def batch(self, random: np.random.RandomState, count: int, side: int) -> tuple[Tensor, Tensor]:
        """Codes and their renders."""
        chosen = np.sort(random.randint(0, len(self.renders.pixels), count))
        noise = random.randn(count, DIMENSION - self.renders.z.shape[1]).astype(np.float32)
        z = np.concatenate([self.renders.z[chosen], noise], axis=1) @ self.basis
        target = torch.from_numpy(self.renders.pixels[chosen]).float() / 127.5 - 1.0
        target = functional.avg_pool2d(target, SIDE // side) if side < SIDE else target
        return torch.from_numpy(z), target.contiguous(memory_format=torch.channels_last)

    def advance(self) -> dict[str, float]:
        """Takes one step of the current stage and returns its losses."""
        stage, done = stage_at(self.seen)
        if stage.restart and done < stage.batch:
            self.restart()
        progress = done / stage.images
        random = np.random.RandomState([SEED, self.step])
        first, last = stage.rates
        for optimizer in (self.generator_optimizer, self.discriminator_optimizer):
            for group in optimizer.param_groups:
                group["lr"] = first * (last / first) ** progress
        z, target = self.batch(random, stage.batch, stage.side)
        generator_learns = done >= stage.discriminator_only
        with mixed(), torch.set_grad_enabled(generator_learns):
            image = self.generator(z, stage.side)
        image = image.float()
        losses = {}
        if stage.adversarial:
            losses.update(self.train_discriminator(image.detach(), self.batch(random, stage.batch, stage.side)[1]))
        if generator_learns:
            losses.update(self.train_generator(stage, progress, image, target))
        self.step += 1
        self.seen += stage.batch
        return losses

    def target_loss(self, stage: Stage, image: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The loss between images and their targets, and its parts."""
        loss = image_loss(image, target)
        parts = {"image": loss.item()}
        if stage.detailed:
            (mouth, mouth_target), (eyes, eyes_target) = (
                (window(image, part), window(target, part)) for part in (MOUTH, EYES)
            )
            mouth_loss, eyes_loss = image_loss(mouth, mouth_target), image_loss(eyes, eyes_target)
            features_loss = self.classifier_loss(image, target)
            loss = loss + 2.0 * mouth_loss + eyes_loss + features_loss
            parts.update(mouth=mouth_loss.item(), eyes=eyes_loss.item(), features=features_loss.item())
            if stage.contrast:
                full = contrast_loss(image, target)
                mouth_contrast, eyes_contrast = contrast_loss(mouth, mouth_target), contrast_loss(eyes, eyes_target)
                loss = loss + 4.0 * (3.0 * full + 2.0 * mouth_contrast + eyes_contrast)
                parts.update(contrast=full.item(), mouth_contrast=mouth_contrast.item())
        return loss, parts

    def train_generator(self, stage: Stage, progress: float, image: Tensor, target: Tensor) -> dict[str, float]:
        """One step of the generator, which has synthesized `image`."""
        loss, losses = self.target_loss(stage, image, target)
        if stage.adversarial:
            self.discriminator.requires_grad_(False)
            with mixed():
                adversarial = functional.softplus(-self.discriminator(image).float()).mean()
            self.discriminator.requires_grad_(True)
            losses["adversarial"] = adversarial.item()
            first, last = stage.image_weight
            loss = adversarial + (first + (last - first) * progress) * loss
        self.generator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_optimizer.step()
        keep = 0.5 ** (1 / HALF_LIFE)
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - keep)
        return losses

    def train_discriminator(self, image: Tensor, real: Tensor) -> dict[str, float]:
        """One step of the discriminator."""
        with mixed():
            of_images, of_real = self.discriminator(image).float(), self.discriminator(real).float()
        loss = functional.softplus(of_images).mean() + functional.softplus(-of_real).mean()
        if self.step % PENALTY_EVERY == 0:
            real = real[: len(real) // 2].detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(self.discriminator(real).sum(), real, create_graph=True)
            loss = loss + gradient.square().sum(dim=(1, 2, 3)).mean() * (PENALTY / 2 * PENALTY_EVERY)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        return {"synthesized": of_images.mean().item(), "real": of_real.mean().item()}

    def run(self) -> None:
        """Trains to the end, and keeps checkpoints and a log."""
        started = kept = time.time()
        losses: dict[str, list[float]] = {}
        while self.seen < TOTAL:
            for name, value in self.advance().items():
                losses.setdefault(name, []).append(value)
            now = time.time()
            if now - kept > KEEP_EVERY or self.seen >= TOTAL:
                self.seconds += now - started
                started = kept = now
                self.keep()
                self.log({name: sum(values) / len(values) for name, values in losses.items()})
                losses = {}

    def log(self, losses: dict[str, float]) -> None:
        """Appends the progress and the mean losses to training.jsonl."""
        stage, done = stage_at(self.seen)
        line = {
            "images": self.seen,
            "stage": stage.name,
            "share": done / stage.images,
            "seconds": self.seconds,
            **losses,
        }
        with (self.cache / "training.jsonl").open("a") as log:
            log.write(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}) + "\n")


def main() -> None:
    arguments_of = parser(__doc__, cache="renders and checkpoints")
    arguments_of.add_argument("--begin", type=pathlib.Path, help="a finished model folder to take the weights from")
    arguments_of.add_argument("--threads", type=int, default=2)
    arguments = arguments_of.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    classifier_loss = ClassifierLoss(arguments.folder / "classifier.onnx")
    training = Training(arguments.cache, training_renders(arguments.cache), classifier_loss)
    if training.checkpoint.exists():
        training.resume()
    elif arguments.begin:
        training.begin(arguments.begin)
    else:
        training.begin_with_mapping()
    training.run()


if __name__ == "__main__":
    main()
