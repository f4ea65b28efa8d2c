"""The gradient graph of any generator: w+ and a target picture to a loss and its gradient, for ONNX Runtime to descend."""

import argparse
import copy
import importlib
import json
import logging
import pathlib
import sys

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch._decomp import get_decompositions
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes

import graph

aten = torch.ops.aten
logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)

COARSEST = 8
"""The pixel loss halves the picture down to this side, or to one that is not a multiple of two."""

BEND = 0.1
"""Where the pixel loss turns from squares to absolute values, in units of images that span 2."""

OUTPUTS = ("loss", "gradient", "image", "pixel", "perceptual")


def pixel_loss(image: Tensor, target: Tensor) -> Tensor:
    """[batch]: the mean over the scales, from full size halved down to 8, of the mean absolute difference, smoothed.

    A difference d counts d² / 2b where |d| < b and |d| - b / 2 from there on, with b = 0.1.
    """
    difference = image - target
    losses = []
    while True:
        size = difference.abs()
        near = size.clamp(max=BEND)
        losses.append((near * near * (0.5 / BEND) + (size - near)).mean(dim=(1, 2, 3)))
        side = difference.shape[-1]
        if side % 2 or side // 2 < COARSEST:
            return torch.stack(losses).mean(dim=0)
        difference = functional.avg_pool2d(difference, 2)


def perceptual_loss(image: list[Tensor], target: list[Tensor]) -> Tensor:
    """[batch]: the mean over the features of |a - b|² / |b|², a the picture's and b the target's."""
    losses = []
    for made, wanted in zip(image, target, strict=True):
        size = wanted.square().mean(dim=(1, 2, 3)) + 1e-6
        losses.append((made - wanted).square().mean(dim=(1, 2, 3)) / size)
    return torch.stack(losses).mean(dim=0)


class Step(nn.Module):
    """One step's numbers: w [batch, layers, dim] and target [batch, 3, height, width] to those of `OUTPUTS`."""

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
            # An item's loss depends on its own code only, so the sum's gradient holds each item's own.
            loss, *rest = self.parts(w, target)
            return loss.sum(), (loss, *rest)

        gradient, (loss, *rest) = torch.func.grad(total, has_aux=True)(w)
        return loss, gradient, *rest


class Interpolation(TorchFunctionMode):
    """Writes `functional.interpolate` of pictures as a product with one matrix for each axis, whose gradient is another.

    PyTorch gathers neighbours instead, and adds into places on the way back (ScatterND), which `export` refuses.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):  # noqa: ANN001, ANN204
        if function is functional.interpolate and args[0].dim() == 4:
            return interpolate(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def interpolate(image: Tensor, size=None, scale_factor=None, *mode, **how) -> Tensor:  # noqa: ANN001, ANN002, ANN003
    """Every interpolation that PyTorch knows is linear, and works on one axis after the other."""

    def matrix(axis: int) -> Tensor:
        """[outward, inward]: what becomes of unit vectors, side by side."""
        length = int(image.shape[2 + axis])
        along = [value[axis] if isinstance(value, list | tuple) else value for value in (size, scale_factor)]
        size_here = along[0] and (along[0], length)
        scale_here = along[1] and (along[1], 1)
        # Not to be traced: it is a constant.
        with _disable_current_modes():
            units = torch.eye(length, dtype=image.dtype)
            return functional.interpolate(units[None, None], size_here, scale_here, *mode, **how)[0, 0]

    return matrix(0) @ image @ matrix(1).T


# Backward operators that ONNX has no form of, written as forward ones.


def convolution_backward(
    gradient, given, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, mask
):  # noqa: ANN001, ANN201
    """The gradient of the input: the transposed convolution of the output's; the weights are constants here."""
    if mask[1] or mask[2]:
        raise NotImplementedError("a gradient of convolution weights: does the generator build them from the code?")
    if transposed:
        return functional.conv2d(gradient, weight, None, stride, padding, dilation, groups), None, None
    extra = [
        given.shape[axis + 2]
        - ((gradient.shape[axis + 2] - 1) * stride[axis] - 2 * padding[axis])
        - (dilation[axis] * (weight.shape[axis + 2] - 1) + 1)
        for axis in range(2)
    ]
    made = functional.conv_transpose2d(gradient, weight, None, stride, padding, extra, groups, dilation)
    return made, None, None


def avg_pool2d_backward(
    gradient, given, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override
):  # noqa: ANN001, ANN201
    """Each square's share of its mean."""
    if list(stride or kernel) != list(kernel) or any(padding) or ceil_mode or divisor_override:
        raise NotImplementedError("average pooling with overlaps, padding or a divisor of its own")
    down, across = kernel
    spread = gradient[:, :, :, None, :, None].expand(-1, -1, -1, down, -1, across) / (down * across)
    spread = spread.flatten(4, 5).flatten(2, 3)
    rest = (given.shape[3] - spread.shape[3], given.shape[2] - spread.shape[2])
    return functional.pad(spread, (0, rest[0], 0, rest[1])) if any(rest) else spread


def slice_backward(gradient, sizes, axis, start, end, step):  # noqa: ANN001, ANN201
    """Zeros about the slice."""
    if step != 1:
        return aten.slice_scatter(gradient.new_zeros(sizes), gradient, axis, start, end, step)
    size = sizes[axis]
    if end >= size and start == 0:
        return gradient
    end = min(end, size)
    margin = [0, 0] * (len(sizes) - axis)
    margin[-2:] = start, size - end
    return functional.pad(gradient, margin)


def select_backward(gradient, sizes, axis, index):  # noqa: ANN001, ANN201
    """Zeros about the place."""
    axis, index = axis % len(sizes), index % sizes[axis]
    margin = [0, 0] * (len(sizes) - axis)
    margin[-2:] = index, sizes[axis] - index - 1
    return functional.pad(gradient.unsqueeze(axis), margin)


DECOMPOSITIONS = {
    **get_decompositions([aten.sigmoid_backward, aten.threshold_backward, aten.tanh_backward, aten.leaky_relu_backward]),
    aten.convolution_backward.default: convolution_backward,
    aten.avg_pool2d_backward.default: avg_pool2d_backward,
    aten.slice_backward.default: slice_backward,
    aten.select_backward.default: select_backward,
}


def export(step: Step, w: Tensor, target: Tensor, path: pathlib.Path) -> None:
    """Writes the graph, traced on example codes and pictures; the batch stays open.

    The tracer takes axes of one length for one axis, so the example's batch must be as long as no other axis.
    """
    if len(w) < 2 or len(w) in (*w.shape[1:], *target.shape[1:]):
        raise ValueError(f"a batch of {len(w)} cannot be told from the other axes: give another, from 2 up")
    with Interpolation():
        traced = make_fx(step, DECOMPOSITIONS, tracing_mode="symbolic", _allow_non_fake_inputs=True)(w, target)
    given = next(node for node in traced.graph.nodes if node.op == "placeholder").meta["val"]
    if str(given.shape[0]).isdigit():
        raise ValueError(f"the batch was frozen at {len(w)}: a module may ask for w.shape[0], but not for len(w)")
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
    adding = [node.name for node in program.model_proto.graph.node if node.op_type == "ScatterND"]
    if adding:
        raise NotImplementedError(
            f"the gradient adds into places ({len(adding)} ScatterND), and ONNX Runtime's threads lose some of what they add: "
            "does the generator take elements by indices? Take slices, or multiply with a constant matrix"
        )
    graph.save(program.model_proto, path)


def differences(step: Step, path: pathlib.Path, w: Tensor, target: Tensor) -> dict[str, float]:
    """The greatest difference of each output between ONNX Runtime and PyTorch, over the greatest value there.

    `central` is another test, in float64: how far the gradient's slope along itself lies from the loss's own,
    (loss(w + h g) - loss(w - h g)) / 2h with h so short that no element of w moves by more than 1e-6.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = session.run(None, {"w": w.numpy(), "target": target.numpy()})
    expected = [part.detach().numpy() for part in step(w, target)]
    table = {
        name: float(np.abs(mine - theirs).max() / max(np.abs(theirs).max(), 1e-9))
        for name, mine, theirs in zip(OUTPUTS, found, expected, strict=True)
    }
    exact = copy.deepcopy(step).double()
    w, target, gradient = w.double(), target.double(), torch.tensor(found[1]).double()
    reach = 1e-6 / gradient.abs().amax(dim=(1, 2), keepdim=True)
    with torch.no_grad():
        ahead, behind = (exact.parts(w + sign * reach * gradient, target)[0] for sign in (1.0, -1.0))
    slope = (ahead - behind) / (2.0 * reach[:, 0, 0])
    table["central"] = float((slope / gradient.square().sum(dim=(1, 2)) - 1.0).abs().max())
    return table


def named(text: str) -> object:
    """What `module:function` names."""
    module, function = text.split(":")
    return getattr(importlib.import_module(module), function)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="The function is called without arguments and returns a synthesis module (w+ [batch, layers, dim] to "
        "image [batch, 3, height, width]) and either None or a features module (image to a list of "
        "[batch, channels, height, width]). The code is looked for in the current folder too.",
    )
    parser.add_argument("--generator", required=True, metavar="MODULE:FUNCTION")
    parser.add_argument("--codes", type=pathlib.Path, required=True, help=".npy of w+ codes [4 or more, layers, dim]")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--weight", type=float, default=0.05, help="of the perceptual loss; the pixel loss has 1")
    given = parser.parse_args()
    sys.path.insert(0, str(pathlib.Path.cwd()))
    write(*named(given.generator)(), torch.tensor(np.load(given.codes), dtype=torch.float32), given.weight, given.output)


def write(
    synthesis: nn.Module, features: nn.Module | None, codes: Tensor, weight: float, path: pathlib.Path
) -> dict[str, float]:
    """Exports the graph, with codes [4 or more, layers, dim] as examples and as its test, and returns the differences."""
    step = Step(synthesis, features, weight)
    with torch.no_grad():
        targets = synthesis(codes.flip(0))
    export(step, codes, targets, path)
    found = differences(step, path, codes[:2], targets[:2])
    print(f"{path.name}: {path.stat().st_size} bytes; relative differences " + json.dumps(found))
    return found


if __name__ == "__main__":
    main()
