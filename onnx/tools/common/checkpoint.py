"""Saves and restores a training, so that an interrupted run can continue."""

import pathlib
from typing import Any

import torch


class Checkpoint:
    """A file with the states of modules and optimizers, and with counters."""

    def __init__(self, path: pathlib.Path, **parts: Any) -> None:
        self.path, self.parts = path, parts

    def exists(self) -> bool:
        return self.path.exists()

    def load(self) -> Any:
        """Restores the parts and returns the file's contents, where the counters stand under their names."""
        state = torch.load(self.path, weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        return state

    def save(self, **counters: Any) -> None:
        """Replaces the file atomically."""
        state = {name: part.state_dict() for name, part in self.parts.items()}
        unfinished = self.path.with_suffix(".new")
        torch.save({**state, **counters}, unfinished)
        unfinished.replace(self.path)
