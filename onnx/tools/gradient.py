"""Writes the gradient graph of any generator: it converts w+ and a target image to a loss and its gradient.

ONNX Runtime has no automatic differentiation for inference. So the loss and its backward pass are traced in PyTorch and
exported as one graph, which faceplane runs to optimize codes.
"""

import argparse
import copy
import importlib
import json
import pathlib
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional

from common import graph
from common.backward import DECOMPOSITIONS, Interpolation
from common.onnx_files import open_session
from common.perceptual import WEIGHT

COARSEST = 8
"""The pixel loss halves the image down to this side, or to an odd one."""

HUBER = 0.1
"""The difference at which the pixel loss changes from squares to absolute values, in units of images that span 2."""

OUTPUTS = ("loss", "gradient", "image", "pixel", "perceptual")


def pixel_loss(image: Tensor, target: Tensor) -> Tensor:
    """The Huber loss [batch] of pixels, averaged over scales from the full size halved down to 8.

    A difference d counts d² / 2b if |d| < b, and |d| - b / 2 otherwise, with b = 0.1.
    """
    difference = image - target
    losses = []
    while True:
        size = difference.abs()
        near = size.clamp(max=HUBER)
        losses.append((near * near * (0.5 / HUBER) + (size - near)).mean(dim=(1, 2, 3)))
        side = difference.shape[-1]
        if side % 2 or side // 2 < COARSEST:
            return torch.stack(losses).mean(dim=0)
        difference = functional.avg_pool2d(difference, 2)


def perceptual_loss(image: list[Tensor], target: list[Tensor]) -> Tensor:
    """The mean [batch] over the feature maps of |a - b|² / |b|², where a is the image's and b the target's."""
    losses = []
    for one, other in zip(image, target, strict=True):
        size = other.square().mean(dim=(1, 2, 3)) + 1e-6
        losses.append((one - other).square().mean(dim=(1, 2, 3)) / size)
    return torch.stack(losses).mean(dim=0)


class Step(nn.Module):
    """Converts w [batch, layers, dim] and target [batch, 3, height, width] to the `OUTPUTS` of one step."""

    def __init__(self, synthesis: nn.Module, features: nn.Module | None, weight: float) -> None:
        super().__init__()
        self.synthesis, self.features, self.weight = synthesis, features, weight
        self.eval().requires_grad_(False)

    def parts(self, w: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Loss, image, pixel loss and perceptual loss."""
        image = self.synthesis(w)
        pixel = pixel_loss(image, target)
        if self.features is None:
            return pixel, image, pixel, pixel * 0.0
        perceptual = perceptual_loss(self.features(image), self.features(target))
        return pixel + self.weight * perceptual, image, pixel, perceptual

    def forward(self, w: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        def total(w: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            # An item's loss depends on its own code only, so the gradient of the sum is each item's own gradient.
            loss, *rest = self.parts(w, target)
            return loss.sum(), (loss, *rest)

        gradient, (loss, *rest) = torch.func.grad(total, has_aux=True)(w)
        return loss, gradient, *rest


def export(step: Step, w: Tensor, target: Tensor, path: pathlib.Path) -> None:
    """Writes the graph, traced on example codes and images, with an open batch axis.

    The tracer identifies axes of equal length, so the example's batch must differ in length from every other axis.
    """
    if len(w) < 2 or len(w) in (*w.shape[1:], *target.shape[1:]):
        raise ValueError(
            f"found a batch of {len(w)} examples; expected at least 2, and a number that is no other axis's length"
        )
    with Interpolation():
        traced = make_fx(step, DECOMPOSITIONS, tracing_mode="symbolic", _allow_non_fake_inputs=True)(w, target)
    traced_w = next(node for node in traced.graph.nodes if node.op == "placeholder").meta["val"]
    if str(traced_w.shape[0]).isdigit():
        raise ValueError(f"the batch axis was frozen at {len(w)}: use w.shape[0] instead of len(w) in the generator")
    traced.train(False)
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        traced,
        (w, target),
        input_names=["w", "target"],
        output_names=list(OUTPUTS),
        opset_version=18,
        dynamo=True,
        dynamic_shapes=({0: batch}, {0: batch}),
        verbose=False,
    )
    scatters = [node.name for node in program.model_proto.graph.node if node.op_type == "ScatterND"]
    if scatters:
        raise NotImplementedError(
            f"the gradient adds to elements by index ({len(scatters)} ScatterND), which ONNX Runtime's threads do "
            "without a lock, so that additions are lost: use slices or products with a constant matrix in the generator"
        )
    graph.save(program.model_proto, path)


def differences(step: Step, path: pathlib.Path, w: Tensor, target: Tensor) -> dict[str, float]:
    """The greatest difference of each output between ONNX Runtime and PyTorch, relative to the greatest value.

    `central` is a test in float64: the relative error of |g|² against the central difference of the loss along the
    gradient g, (loss(w + h g) - loss(w - h g)) / 2h, where h moves no element of w by more than 1e-6.
    """
    session = open_session(path)
    outputs = session.run(None, {"w": w.numpy(), "target": target.numpy()})
    expected = [part.detach().numpy() for part in step(w, target)]
    table = {
        name: float(np.abs(mine - theirs).max() / max(np.abs(theirs).max(), 1e-9))
        for name, mine, theirs in zip(OUTPUTS, outputs, expected, strict=True)
    }
    exact = copy.deepcopy(step).double()
    w, target, gradient = w.double(), target.double(), torch.tensor(outputs[1]).double()
    reach = 1e-6 / gradient.abs().amax(dim=(1, 2), keepdim=True)
    with torch.no_grad():
        ahead, behind = (exact.parts(w + sign * reach * gradient, target)[0] for sign in (1.0, -1.0))
    derivative = (ahead - behind) / (2.0 * reach[:, 0, 0])
    table["central"] = float((derivative / gradient.square().sum(dim=(1, 2)) - 1.0).abs().max())
    return table


def load_function(text: str) -> Any:
    """The function that `module:function` names."""
    module, function = text.split(":")
    return getattr(importlib.import_module(module), function)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The function is called without arguments and returns a synthesis module (w+ [batch, layers, dim] to "
        "image [batch, 3, height, width]) and either None or a features module (image to a list of "
        "[batch, channels, height, width]). The module may be in the current folder.",
    )
    parser.add_argument("--generator", required=True, metavar="MODULE:FUNCTION")
    parser.add_argument("--codes", type=pathlib.Path, required=True, help=".npy of w+ codes [4 or more, layers, dim]")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument(
        "--weight", type=float, default=WEIGHT, help="weight of the perceptual loss; the pixel loss has 1"
    )
    arguments = parser.parse_args()
    sys.path.insert(0, str(pathlib.Path.cwd()))
    synthesis, features = load_function(arguments.generator)()
    codes = torch.tensor(np.load(arguments.codes), dtype=torch.float32)
    write(synthesis, features, codes, arguments.weight, arguments.output)


def write(
    synthesis: nn.Module, features: nn.Module | None, codes: Tensor, weight: float, path: pathlib.Path
) -> dict[str, float]:
    """Exports the graph and tests it, with codes [4 or more, layers, dim] as examples. Returns the differences."""
    step = Step(synthesis, features, weight)
    with torch.no_grad():
        targets = synthesis(codes.flip(0))
    export(step, codes, targets, path)
    table = differences(step, path, codes[:2], targets[:2])
    print(f"{path.name}: {path.stat().st_size} bytes; relative differences " + json.dumps(table))
    return table


if __name__ == "__main__":
    main()
