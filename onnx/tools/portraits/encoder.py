"""Trains the encoder, image to w, by codes of the generator's own images and by the image loss of renders."""

import io
import pathlib
import time

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import onnx
from common.arrays import Array
from common.checkpoint import Checkpoint
from common.command import parser
from common.layers import convolution
from common.onnx_files import weights_of, write

from .losses import image_loss
from .networks import DIMENSION, LAYERS, Generator, mixed
from .renders import SEED, SIDE, training_renders
from .weights import load

OWN, RENDERED = 48, 16
"""Images of a batch: the generator's own, which have known codes, and renders, which allow the image loss only."""

PSI = (0.6, 1.2)
"""The range of the truncation of sampled codes."""

RATE = 2e-3
REACH = 2
"""The greatest shift of an image, in pixels."""

KEEP_EVERY = 120
"""Seconds between checkpoints."""


class Encoder(nn.Module):
    """w [batch, 256] of images [batch, 3, 64, 64] in [-1, 1]."""

    def __init__(self, w_avg: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(3, 32, 4, 2),
            *convolution(32, 64, 3, 2),
            *convolution(64, 96, 3, 1),
            *convolution(96, 128, 3, 2),
            *convolution(128, 128, 3, 1),
        )
        self.reduce = nn.Sequential(nn.Conv2d(128, 32, 1), nn.ReLU(), nn.Flatten())
        self.values = nn.Sequential(nn.Linear(32 * 64, 320), nn.ReLU(), nn.Linear(320, DIMENSION))
        self.register_buffer("w_avg", w_avg)
        self.register_buffer("deviation", deviation)

    def forward(self, image: Tensor) -> Tensor:
        return self.w_avg + self.deviation * self.values(self.reduce(self.features(image)))


def degrade(images: Tensor, random: np.random.RandomState) -> Tensor:
    """Copies of images [count, 3, 64, 64], six in ten of them degraded: shifted, resized, JPEG, another brightness."""
    degraded = images.clone()
    for index in np.flatnonzero(random.rand(len(images)) < 0.6):
        pixels = images[index].clamp(-1, 1).add(1).mul(127.5).round().byte().permute(1, 2, 0).numpy()
        across, down = random.randint(-REACH, REACH + 1, 2)
        pixels = np.pad(pixels, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
        pixels = pixels[REACH + down : REACH + down + SIDE, REACH + across : REACH + across + SIDE]
        image = Image.fromarray(np.ascontiguousarray(pixels))
        if random.rand() < 0.3:
            side = random.randint(40, 128)
            image = image.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        if random.rand() < 0.7:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=random.randint(50, 97))
            image = Image.open(file)
        gain = random.uniform(0.95, 1.05)
        values = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float().div(127.5).sub(1)
        degraded[index] = values.mul(gain)
    return degraded


class Training:
    """The encoder, its optimizer, and the number of steps taken."""

    def __init__(self, generator: Generator, renders: Array, path: pathlib.Path, steps: int, rate: float) -> None:
        self.generator, self.renders, self.steps = generator, renders, steps
        with torch.no_grad():
            z = torch.from_numpy(np.random.RandomState(SEED).randn(20_000, DIMENSION).astype(np.float32))
            w = generator.mapping(z)
        torch.manual_seed(SEED)
        self.encoder = Encoder(w.mean(dim=0), w.std()).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.encoder.parameters(), lr=rate, weight_decay=1e-3)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, rate, total_steps=steps, pct_start=0.1)
        self.checkpoint = Checkpoint(path, encoder=self.encoder, optimizer=self.optimizer, schedule=self.schedule)
        self.step = 0

    def resume(self) -> None:
        """Continues from the last checkpoint."""
        self.step = self.checkpoint.load()["step"]

    def begin(self, path: pathlib.Path) -> None:
        """Starts from a finished graph.

        The exporter has folded the normalization into its convolutions. Each normalization is therefore set so that
        it changes nothing on renders.
        """
        known = weights_of(onnx.load(path).graph)
        state = self.encoder.state_dict()
        kept = {name: known[name] for name in state if name in known and name not in ("w_avg", "deviation")}
        self.encoder.load_state_dict({**state, **kept})
        x = torch.from_numpy(self.renders[:512]).float() / 127.5 - 1.0
        with torch.no_grad():
            for index in range(0, len(self.encoder.features), 3):
                layer, norm = self.encoder.features[index], self.encoder.features[index + 1]
                x = layer(x)
                variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
                bias = known[f"features.{index}.weight_bias"]
                norm.running_mean.copy_(mean)
                norm.running_var.copy_(variance)
                norm.weight.copy_((variance + norm.eps).sqrt())
                norm.bias.copy_(mean + bias)
                x = (x + bias[:, None, None]).relu()

    def synthesize(self, w: Tensor) -> Tensor:
        with mixed():
            return self.generator.synthesis(w[:, None].expand(-1, LAYERS, -1)).float()

    def advance(self) -> tuple[float, float]:
        """Takes one step and returns its losses: of the codes, in squared deviations, and of the images."""
        random = np.random.RandomState([SEED, self.step])
        with torch.no_grad():
            w = self.generator.mapping(torch.from_numpy(random.randn(OWN, DIMENSION).astype(np.float32)))
            psi = torch.from_numpy(random.uniform(*PSI, (OWN, 1)).astype(np.float32))
            w = self.encoder.w_avg + psi * (w - self.encoder.w_avg)
            own = self.synthesize(w)
        chosen = np.sort(random.randint(0, len(self.renders), RENDERED))
        rendered = torch.from_numpy(self.renders[chosen]).float() / 127.5 - 1.0
        target = torch.cat([own, rendered])
        image = degrade(target, random).contiguous(memory_format=torch.channels_last)
        with mixed():
            codes = self.encoder(image)
        codes = codes.float()
        code_loss = ((codes[:OWN] - w) / self.encoder.deviation).square().mean()
        # Includes a few of the own images, so that codes matter by what they change in the image.
        visible_loss = image_loss(self.synthesize(codes[OWN - RENDERED :]), target[OWN - RENDERED :])
        loss = code_loss + visible_loss
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return code_loss.item(), visible_loss.item()

    def run(self) -> None:
        """Trains to the end, and saves a checkpoint every two minutes."""
        started, sums, count = time.time(), np.zeros(2), 0
        while self.step < self.steps:
            sums += self.advance()
            count += 1
            if time.time() - started > KEEP_EVERY or self.step == self.steps:
                self.checkpoint.save(step=self.step)
                code_loss, visible_loss = sums / count
                print(f"step {self.step}: code loss {code_loss:.3f}, image loss {visible_loss:.3f}", flush=True)
                started, sums, count = time.time(), np.zeros(2), 0


def main() -> None:
    arguments_of = parser(__doc__, cache="renders and weights")
    arguments_of.add_argument("--steps", type=int, default=700)
    arguments_of.add_argument("--rate", type=float, default=RATE, help="the greatest learning rate")
    arguments_of.add_argument("--begin", type=pathlib.Path, help="a finished encoder.onnx to start from")
    arguments_of.add_argument("--threads", type=int, default=2)
    arguments = arguments_of.parse_args()
    torch.set_num_threads(arguments.threads)
    renders, path = training_renders(arguments.cache).pixels, arguments.cache / "encoder.pt"
    training = Training(load(arguments.cache), renders, path, arguments.steps, arguments.rate)
    if training.checkpoint.exists():
        training.resume()
    elif arguments.begin:
        training.begin(arguments.begin)
    training.run()
    encoder = training.encoder.to(memory_format=torch.contiguous_format).eval()
    write(encoder, torch.randn(3, 3, SIDE, SIDE), ("image", "w"), arguments.folder / "encoder.onnx")


if __name__ == "__main__":
    main()
