"""Large arrays in files that are filled chunk by chunk, so that an interrupted run continues after its last chunk."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Array


class ChunkedFiles:
    """`.npy` files, mapped into memory, and a marker file with the number of finished items."""

    def __init__(
        self, marker: pathlib.Path, files: Mapping[pathlib.Path, tuple[npt.DTypeLike, tuple[int, ...]]]
    ) -> None:
        self.marker = marker
        self.done = int(marker.read_text()) if marker.exists() else 0
        self.arrays = [self.open(path, dtype, shape) for path, (dtype, shape) in files.items()]

    def open(self, path: pathlib.Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> Array:
        """An existing file if any item is finished, else a new one."""
        mapped: Any = np.lib.format.open_memmap  # numpy's stubs leave it without types
        array: Array = mapped(path, "r+" if self.done else "w+", dtype, None if self.done else shape)
        return array

    def finish(self, done: int) -> None:
        """Records that the first `done` items are finished."""
        for array in self.arrays:
            if isinstance(array, np.memmap):
                array.flush()
        self.marker.write_text(str(done))
        self.done = done
