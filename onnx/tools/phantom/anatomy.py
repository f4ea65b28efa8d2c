"""Converts factors to the measures of a portrait, by a table of traits: a base, and the factors that change it."""

import torch
from torch import Tensor, nn

from .factors import INDEX, NAMES

SOFT_LIMIT = 3.0
"""Factors enter the table as f / sqrt(1 + (f / 3)^2): nearly linear, and never above 3."""

STEPS = {
    "wears_glasses": ("eyeglasses", 48.0, 0.0),
    "turned": ("yaw", 4.0, 0.0),
    "male": ("gender", 8.0, 0.0),
    "mature": ("age", 8.0, 0.0),
    "old": ("age", 2.0, 0.7),
    "bearded": ("beard", 5.0, 0.5),
    "smiling": ("smile", 8.0, 0.0),
    "laughing": ("smile", 2.5, 0.9),
    "earring_on": ("earrings", 6.0, 0.3),
    "freckled": ("freckles", 4.0, 0.9),
    "spotted": ("beauty_spot", 6.0, 1.2),
    "striped": ("stripes", 6.0, 0.9),
    "fringed": ("fringe", 3.0, 0.4),
    "long_haired": ("hair_length", 3.0, 0.0),
    "v_neck": ("neckline", 4.0, -0.6),
    "collared": ("neckline", 5.0, 0.7),
    "dyed": ("hair_hue", 5.0, 1.5),
    "dyed_cool": ("hair_hue", -5.0, 1.6),
    "haloed": ("halo", 3.0, -0.3),
}
"""Soft thresholds: factor, steepness and threshold of sigmoid(steepness * (factor - threshold)).

A negative steepness mirrors the factor.
"""

# Lengths are in head units (the eye line is 0, the crown about -0.5, the chin about +0.5); y points down.
TRAITS: dict[str, tuple[float, dict[str, float]]] = {
    # pose and composition
    "yaw": (-0.05, {"yaw": 0.165, "turned": 0.10}),
    "pitch": (0.0, {"pitch": 0.13}),
    "roll": (0.0, {"roll": 0.035}),
    "scale": (1.12, {"nearness": 0.03}),
    "centre_x": (0.0, {"shift_x": 0.03}),
    "centre_y": (-0.07, {"shift_y": 0.02}),
    "gaze": (0.0, {"gaze": 0.006, "yaw": 0.003}),
    "turn": (0.0, {"shoulder_turn": 0.02, "yaw": 0.015}),
    # head
    "half_width": (0.352, {"face_width": 0.012, "male": 0.016, "age": 0.003}),
    "crown": (0.50, {"forehead": 0.012}),
    "chin": (0.470, {"chin": 0.014, "male": 0.028, "gender": 0.005, "age": 0.006}),
    "cheek": (0.33, {"cheek": 0.07, "age": -0.035}),
    "jaw": (-0.24, {"jaw": 0.11, "male": 0.58, "gender": 0.07, "age": 0.07}),
    "ear": (0.085, {"ear": 0.007, "age": 0.005}),
    "neck": (0.135, {"neck": 0.008, "male": 0.040, "gender": 0.006}),
    "shoulders": (0.74, {"shoulders": 0.035, "male": 0.07, "gender": 0.012}),
    # hair
    "length": (0.06, {"hair_length": 0.09, "long_haired": 0.68, "male": -0.12, "gender": -0.03}),
    "locks": (0.12, {"long_haired": 0.85, "male": -0.1}),
    "top": (0.085, {"hair_volume": 0.020, "long_haired": 0.01, "old": -0.02}),
    "sides": (0.032, {"hair_sides": 0.009, "long_haired": 0.050, "male": -0.006}),
    "flare": (0.03, {"hair_sides": 0.02, "curl": 0.015}),
    "hairline": (-0.365, {"hairline": -0.012, "fringed": 0.165, "age": -0.006}),
    "curtain": (0.02, {"long_haired": 0.16, "fringed": -0.14, "hairline": -0.01}),
    "recede": (0.07, {"hairline": 0.015, "age": 0.012}),
    "part": (0.0, {"parting": 0.20}),
    "sweep": (0.0, {"parting": 0.030}),
    "wave": (0.012, {"wave": 0.006}),
    "curl": (0.004, {"curl": 0.004}),
    # eyes and brows
    "eye_half": (0.083, {"eye_size": 0.004, "male": -0.006, "age": -0.0025}),
    "upper_lid": (0.046, {"eye_opening": 0.0045, "eye_size": 0.003, "male": -0.007, "smile": -0.002, "age": -0.0025}),
    "lower_lid": (0.027, {"eye_opening": 0.002, "male": -0.003, "smile": -0.0035}),
    "eye_distance": (0.163, {"eye_distance": 0.006}),
    "eye_tilt": (0.06, {"eye_tilt": 0.045, "age": -0.025, "male": -0.03}),
    "iris": (0.038, {"eye_size": 0.0015, "male": -0.003}),
    "brow_height": (0.125, {"brow_height": 0.009, "male": -0.018, "gender": -0.003, "smile": 0.002}),
    "brow_weight": (0.0115, {"brow_weight": 0.0022, "male": 0.0085, "gender": 0.0018}),
    "brow_arch": (0.030, {"brow_arch": 0.009, "male": -0.018}),
    "lash": (0.0095, {"lashes": 0.0012, "male": -0.0040, "gender": -0.0008}),
    "wing": (0.42, {"lashes": 0.07, "male": -0.42, "gender": -0.05}),
    "crease": (0.45, {"lashes": 0.06, "age": 0.06}),
    # nose and mouth
    "nose_end": (0.195, {"nose_length": 0.010, "age": 0.009}),
    "nose_half": (0.060, {"nose_width": 0.006, "male": 0.010, "age": 0.003}),
    "nose_bridge": (0.30, {"nose_bridge": 0.06, "male": 0.10}),
    "mouth_y": (0.305, {"mouth_height": 0.006, "nose_length": 0.005, "male": 0.010, "smile": -0.002}),
    "mouth_half": (0.106, {"mouth_width": 0.006, "smile": 0.006, "smiling": 0.018}),
    "smile": (-0.004, {"smile": 0.0075, "smiling": 0.040}),
    "gap": (0.0, {"mouth_opening": 0.010}),
    "upper_lip": (0.023, {"lip_fullness": 0.003, "male": -0.009, "gender": -0.0012, "smile": -0.0012, "age": -0.002}),
    "lower_lip": (0.034, {"lip_fullness": 0.004, "male": -0.009, "gender": -0.0012, "smile": -0.001, "age": -0.002}),
    "lip_red": (0.62, {"lip_colour": 0.08, "male": -0.42, "gender": -0.04}),
    # traits
    "folds": (0.02, {"age": 0.09, "mature": 0.24, "lines": 0.04, "smile": 0.03}),
    "crows": (-0.10, {"age": 0.10, "mature": 0.20, "lines": 0.04, "smile": 0.02}),
    "forehead_lines": (-0.13, {"age": 0.10, "mature": 0.22, "lines": 0.05}),
    "bags": (-0.04, {"age": 0.08, "mature": 0.18, "lines": 0.03}),
    "greying": (-0.22, {"old": 0.82, "mature": 0.26, "age": 0.06}),
    "blush": (0.17, {"blush": 0.07, "male": -0.10, "smile": 0.03, "age": -0.04}),
    "stubble": (0.10, {"gender": 0.07, "beard": 0.03}),
    # wear
    "frame": (0.010, {"frame_size": 0.0006, "eyeglasses": 0.0022}),
    "lens_x": (0.118, {"frame_size": 0.005, "eyeglasses": 0.003}),
    "lens_y": (0.092, {"frame_size": 0.006, "frame_shape": 0.006, "eyeglasses": 0.002}),
    "lens_round": (0.80, {"frame_shape": 0.22}),
    "browline": (0.0, {"frame_shape": -0.06}),
    "earring": (0.020, {"earrings": 0.003}),
    # palettes, 0..1
    "skin_position": (0.52, {"skin": 0.20}),
    "undertone": (0.0, {"undertone": 0.05}),
    "hair_position": (0.40, {"hair_lightness": 0.19}),
    "hair_red": (0.0, {"hair_hue": 0.12}),
    "dye_position": (0.5, {"hair_lightness": 0.25}),
    "eye_position": (0.42, {"eye_colour": 0.22}),
    "backdrop_position": (0.5, {"backdrop": 0.22}),
    "cloth_position": (0.5, {"cloth_colour": 0.22}),
    "frame_position": (0.35, {"frame_colour": 0.22}),
    "halo": (0.62, {"halo": 0.05}),
    "light": (0.0, {"light": 0.45}),
}

FLOORS = {
    "gap": 0.0,
    "folds": 0.0,
    "crows": 0.0,
    "forehead_lines": 0.0,
    "bags": 0.0,
    "greying": 0.0,
    "wing": 0.0,
    "stubble": 0.0,
    "blush": 0.03,
    "browline": 0.0,
    "wave": 0.0,
    "curl": 0.0,
    "recede": 0.03,
    "lip_red": 0.05,
    "upper_lip": 0.006,
    "lower_lip": 0.010,
    "lash": 0.004,
    "locks": 0.0,
    "hairline": -0.41,
    "curtain": 0.0,
}
"""Least values of traits."""

CEILINGS = {"greying": 0.95, "lens_round": 1.0, "hairline": -0.15, "lip_red": 0.95, "blush": 0.5}
"""Greatest values of traits."""


def soften(factors: Tensor) -> Tensor:
    """F / sqrt(1 + (f / 3)^2)."""
    return factors / (1.0 + (factors / SOFT_LIMIT) ** 2).sqrt()


class Anatomy(nn.Module):
    """Converts factors [batch, 64] to named traits and soft thresholds, each [batch, 1, 1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        columns = {name: i for i, name in enumerate((*NAMES, *STEPS))}
        gains = torch.zeros(len(TRAITS), len(columns))
        for row, (_, gain) in enumerate(TRAITS.values()):
            for source, value in gain.items():
                gains[row, columns[source]] = value
        self.register_buffer("gains", gains.T.contiguous())
        self.register_buffer("bases", torch.tensor([base for base, _ in TRAITS.values()]))
        pick = torch.zeros(len(NAMES), len(STEPS))
        shift = torch.zeros(len(STEPS))
        for column, (factor, steepness, threshold) in enumerate(STEPS.values()):
            pick[INDEX[factor], column] = steepness
            shift[column] = -abs(steepness) * threshold
        self.register_buffer("pick", pick)
        self.register_buffer("shift", shift)
        self.register_buffer("floors", torch.tensor([FLOORS.get(name, -9.0) for name in TRAITS]))
        self.register_buffer("ceilings", torch.tensor([CEILINGS.get(name, 9.0) for name in TRAITS]))

    def forward(self, factors: Tensor) -> dict[str, Tensor]:
        steps = (factors @ self.pick + self.shift).sigmoid()
        traits = torch.cat([soften(factors), steps], dim=1) @ self.gains + self.bases
        traits = torch.minimum(torch.maximum(traits, self.floors), self.ceilings)
        every = torch.cat([traits, steps], dim=1)[:, :, None, None]
        return dict(zip((*TRAITS, *STEPS), every.split(1, dim=1), strict=True))
