"""Backward operators without an ONNX form, written as forward ones, so that a gradient can be exported."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._decomp import get_decompositions
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes

aten = torch.ops.aten


class Interpolation(TorchFunctionMode):
    """Replaces `functional.interpolate` of images by products with a constant matrix for each axis.

    The gradient of a product is another product. PyTorch's own interpolation reads elements by index, and its gradient
    adds to elements by index (ScatterND), which `export` refuses.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if function is functional.interpolate and args[0].dim() == 4:
            return interpolate(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def interpolate(image: Tensor, size: Any = None, scale_factor: Any = None, *mode: Any, **options: Any) -> Tensor:
    """`functional.interpolate` by matrices: all its modes are linear, and treat one axis after the other."""

    def matrix(axis: int) -> Tensor:
        """The matrix [outward, inward] of one axis: its columns are the interpolated unit vectors."""
        length = int(image.shape[2 + axis])
        along = [value[axis] if isinstance(value, list | tuple) else value for value in (size, scale_factor)]
        size_here = along[0] and (along[0], length)
        scale_here = along[1] and (along[1], 1)
        # Outside the trace, because it is a constant.
        with _disable_current_modes():
            units = torch.eye(length, dtype=image.dtype)
            return functional.interpolate(units[None, None], size_here, scale_here, *mode, **options)[0, 0]

    return matrix(0) @ image @ matrix(1).T


def convolution_backward(
    gradient: Tensor,
    source: Tensor,
    weight: Tensor,
    bias_sizes: Any,  # noqa: ARG001
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],  # noqa: ARG001
    groups: int,
    mask: Sequence[bool],
) -> tuple[Tensor, None, None]:
    """The gradient of a convolution's input: the transposed convolution of the output's gradient.

    The weights must be constants, so they need no gradient.
    """
    if mask[1] or mask[2]:
        raise NotImplementedError(
            "found a gradient of convolution weights, expected constant weights: if the generator computes them "
            "from the code, scale activations instead"
        )
    if transposed:
        return functional.conv2d(gradient, weight, None, stride, padding, dilation, groups), None, None
    extra = [
        source.shape[axis + 2]
        - ((gradient.shape[axis + 2] - 1) * stride[axis] - 2 * padding[axis])
        - (dilation[axis] * (weight.shape[axis + 2] - 1) + 1)
        for axis in range(2)
    ]
    result = functional.conv_transpose2d(gradient, weight, None, stride, padding, extra, groups, dilation)
    return result, None, None


def avg_pool2d_backward(
    gradient: Tensor,
    source: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,  # noqa: ARG001
    divisor_override: int | None,
) -> Tensor:
    """The gradient of average pooling: each element gets its share of the mean's gradient."""
    if list(stride or kernel) != list(kernel) or any(padding) or ceil_mode or divisor_override:
        raise NotImplementedError(
            "average pooling must tile the image, without overlaps, padding or a divisor of its own"
        )
    down, across = kernel
    shares = gradient[:, :, :, None, :, None].expand(-1, -1, -1, down, -1, across) / (down * across)
    shares = shares.flatten(4, 5).flatten(2, 3)
    rest = (source.shape[3] - shares.shape[3], source.shape[2] - shares.shape[2])
    return functional.pad(shares, (0, rest[0], 0, rest[1])) if any(rest) else shares


def slice_backward(gradient: Tensor, sizes: Sequence[int], axis: int, start: int, end: int, step: int) -> Tensor:
    """The gradient of a slice: zeros around it."""
    if step != 1:
        return aten.slice_scatter(gradient.new_zeros(sizes), gradient, axis, start, end, step)
    size = sizes[axis]
    if end >= size and start == 0:
        return gradient
    end = min(end, size)
    margin = [0, 0] * (len(sizes) - axis)
    margin[-2:] = start, size - end
    return functional.pad(gradient, margin)


def select_backward(gradient: Tensor, sizes: Sequence[int], axis: int, index: int) -> Tensor:
    """The gradient of one selected index: zeros around it."""
    axis, index = axis % len(sizes), index % sizes[axis]
    margin = [0, 0] * (len(sizes) - axis)
    margin[-2:] = index, sizes[axis] - index - 1
    return functional.pad(gradient.unsqueeze(axis), margin)


DECOMPOSITIONS = {
    **get_decompositions(
        [aten.sigmoid_backward, aten.threshold_backward, aten.tanh_backward, aten.leaky_relu_backward]
    ),
    aten.convolution_backward.default: convolution_backward,
    aten.avg_pool2d_backward.default: avg_pool2d_backward,
    aten.slice_backward.default: slice_backward,
    aten.select_backward.default: select_backward,
}
