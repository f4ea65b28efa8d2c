"""The stages of the training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A number of images at one size, with the learning rates at its start and end."""

    name: str
    images: int
    side: int
    rates: tuple[float, float]
    batch: int = 32
    adversarial: bool = False

    image_weight: tuple[float, float] = (1.0, 1.0)
    """The weight of the image loss beside the adversarial loss, at the start and the end of the stage."""

    detailed: bool = False
    """Whether mouth, eyes and the classifier's features count too."""

    contrast: bool = False
    """Whether contrast counts too."""

    restart: bool = False
    """Whether the stage starts with the averaged weights, new optimizers and a new discriminator."""

    discriminator_only: int = 0
    """The number of images at the start from which only the discriminator learns."""


STAGES = (
    Stage("small", 60_000, 32, (3e-3, 2e-3)),
    Stage("full", 45_000, 64, (2e-3, 1.5e-3)),
    Stage("adversarial", 58_136, 64, (1e-3, 5e-4), adversarial=True, image_weight=(8.0, 0.0)),
    Stage("detailed", 13_000, 64, (1.5e-3, 8e-4), batch=8, detailed=True, restart=True),
    Stage(
        "sharp",
        4_000,
        64,
        (1e-3, 8e-4),
        batch=8,
        adversarial=True,
        image_weight=(1.5, 1.3),
        detailed=True,
        discriminator_only=1_600,
    ),
    Stage("contrast", 10_000, 64, (1e-3, 3e-4), batch=8, detailed=True, contrast=True),
)

TOTAL = sum(stage.images for stage in STAGES)


def stage_at(seen: int) -> tuple[Stage, int]:
    """The stage after a number of images, and how many images of that stage are done."""
    for stage in STAGES:
        if seen < stage.images:
            return stage, seen
        seen -= stage.images
    return STAGES[-1], STAGES[-1].images
