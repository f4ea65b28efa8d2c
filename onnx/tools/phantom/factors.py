"""The 64 factors of a portrait, eight in each of eight layers, and the orthogonal matrix that hides them in w."""

import numpy as np

from common.arrays import Array

LAYERS = {
    "pose": ("yaw", "pitch", "roll", "nearness", "shift_x", "shift_y", "gaze", "shoulder_turn"),
    "head": ("face_width", "jaw", "chin", "cheek", "forehead", "ear", "neck", "shoulders"),
    "hair": ("hair_length", "hair_volume", "fringe", "parting", "wave", "curl", "hair_sides", "hairline"),
    "eyes": (
        "eye_size",
        "eye_opening",
        "eye_distance",
        "eye_tilt",
        "brow_height",
        "brow_weight",
        "brow_arch",
        "lashes",
    ),
    "mouth": (
        "smile",
        "mouth_opening",
        "mouth_width",
        "lip_fullness",
        "nose_length",
        "nose_width",
        "nose_bridge",
        "mouth_height",
    ),
    "traits": ("age", "gender", "beard", "freckles", "blush", "lines", "lip_colour", "beauty_spot"),
    "wear": (
        "eyeglasses",
        "frame_shape",
        "frame_size",
        "frame_colour",
        "earrings",
        "neckline",
        "cloth_colour",
        "stripes",
    ),
    "colour": ("skin", "undertone", "hair_lightness", "hair_hue", "eye_colour", "backdrop", "halo", "light"),
}
NAMES = tuple(name for layer in LAYERS.values() for name in layer)
INDEX = {name: position for position, name in enumerate(NAMES)}

TRUTH = {"pose": "yaw", "smile": "smile", "age": "age", "gender": "gender", "eyeglasses": "eyeglasses"}
"""The factor that is the truth of each attribute, in the order of ATTRIBUTES."""

LAYER_COUNT, LAYER_WIDTH, DIMENSION = 8, 8, 64
ROTATION_SEED = 20200616


def rotation() -> Array:
    """The fixed orthogonal matrix A [64, 64]: factors = A w."""
    gaussian = np.random.RandomState(ROTATION_SEED).randn(DIMENSION, DIMENSION)
    orthogonal, upper = np.linalg.qr(gaussian)
    matrix: Array = orthogonal * np.sign(np.diag(upper))
    return matrix
