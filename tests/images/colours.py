"""Writes colours.json: a colour chart in files of many colour spaces, and its colours in sRGB by littleCMS.

Run with Pillow and numpy: `python tests/images/colours.py`. The profiles are made here, from the numbers of the
standards. Every colour of the chart lies in sRGB.
"""

import base64
import io
import json
import pathlib
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Array = npt.NDArray[Any]

D50 = (0.9642, 1.0, 0.8249)
D65 = (0.3127, 0.3290)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))

# Parametric curves of type 3 (g, a, b, c, d), and a plain gamma.
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BT709_CURVE = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
ADOBE_CURVE = (563 / 256,)

PATCH = 8
COLUMNS = 6


def xyz(point: tuple[float, float]) -> Array:
    """A chromaticity with a luminance of 1."""
    x, y = point
    return np.array([x / y, 1, (1 - x - y) / y])


def matrix(primaries: tuple[tuple[float, float], ...], white: tuple[float, float] = D65) -> Array:
    """From linear RGB to XYZ relative to D50, adapted by Bradford's method."""
    unscaled = np.stack([xyz(point) for point in primaries], axis=1)
    scaled = unscaled * np.linalg.solve(unscaled, xyz(white))
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    gains = (bradford @ np.array(D50)) / (bradford @ xyz(white))
    adapted: Array = np.linalg.inv(bradford) @ np.diag(gains) @ bradford @ scaled
    return adapted


def fixed(*numbers: float) -> bytes:
    """Numbers as s15Fixed16."""
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def curve(parameters: tuple[float, ...]) -> bytes:
    """A parametric curve: a gamma, or one with a linear part."""
    return b"para" + struct.pack(">IHH", 0, 3 if len(parameters) > 1 else 0, 0) + fixed(*parameters)


def profile(space: bytes, tags: dict[bytes, bytes], *, connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """A profile of version 4 (ICC.1:2022, section 7)."""
    text = "test".encode("utf-16-be")
    description = b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(text), 28) + text
    white = b"XYZ \0\0\0\0" + fixed(*D50)
    tags = {b"desc": description, b"cprt": description, b"wtpt": white, **tags}
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += name + struct.pack(">II", start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    rest = struct.pack(">I", len(tags)) + table + body
    head = struct.pack(">I4sI4s4s4s", 128 + len(rest), b"\0\0\0\0", 0x04300000, kind, space, connection)
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(*D50)
    return head.ljust(128, b"\0") + rest


def rgb_profile(
    primaries: tuple[tuple[float, float], ...],
    parameters: tuple[float, ...],
    white: tuple[float, float] = D65,
) -> bytes:
    """A profile of primaries and one curve."""
    tags = {}
    for channel, column in zip((b"r", b"g", b"b"), matrix(primaries, white).T, strict=True):
        tags[channel + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*column)
        tags[channel + b"TRC"] = curve(parameters)
    return profile(b"RGB ", tags)


def ink_profile() -> bytes:
    """A profile of four inks as a printer's: a table of 6⁴ colours in Lab."""
    grid = 6
    ink = np.linspace(0, 1, grid)
    cyan, magenta, yellow, black = np.meshgrid(ink, ink, ink, ink, indexing="ij")
    # Light that the inks leave, more evenly than real ones do; black leaves some.
    red = (1 - 0.85 * cyan) * (1 - 0.15 * magenta) * (1 - 0.03 * yellow) * (1 - 0.9 * black)
    green = (1 - 0.35 * cyan) * (1 - 0.80 * magenta) * (1 - 0.10 * yellow) * (1 - 0.9 * black)
    blue = (1 - 0.15 * cyan) * (1 - 0.45 * magenta) * (1 - 0.75 * yellow) * (1 - 0.9 * black)
    linear = np.stack([red, green, blue], axis=-1) ** 1.6
    relative = (linear @ matrix(SRGB).T) / np.array(D50)
    root = np.where(relative > 216 / 24389, np.cbrt(relative), (relative * 24389 / 27 + 16) / 116)
    lightness = 116 * root[..., 1] - 16
    lab = np.stack(
        [
            lightness / 100 * 65535,
            (500 * (root[..., 0] - root[..., 1]) + 128) * 257,
            (200 * (root[..., 1] - root[..., 2]) + 128) * 257,
        ],
        axis=-1,
    )
    table = np.clip(np.rint(lab), 0, 65535).astype(">u2").tobytes()
    ramp = struct.pack(">2H", 0, 65535)

    # lut16Type encodes Lab of the older versions: 0xff00 is the largest number.
    table = (np.frombuffer(table, ">u2").astype(float) * 65280 / 65535).round().astype(">u2").tobytes()
    lut = b"mft2\0\0\0\0" + bytes([4, 3, grid, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">2H", 2, 2)
    lut += ramp * 4 + table + ramp * 3
    return profile(b"CMYK", {b"A2B0": lut, b"A2B1": lut}, connection=b"Lab ", kind=b"prtr")


def to_srgb(image: Image.Image, icc: bytes) -> Array:
    """The colours of an image in sRGB, by littleCMS, relative to white."""
    source = ImageCms.getOpenProfile(io.BytesIO(icc))
    srgb = ImageCms.getOpenProfile(io.BytesIO(rgb_profile(SRGB, SRGB_CURVE)))
    converted = ImageCms.profileToProfile(
        image, source, srgb, renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB"
    )
    assert converted is not None
    return np.array(converted)


def chart(icc: bytes) -> Image.Image:
    """Patches whose colours lie in sRGB, in the colour space of a profile."""
    levels = (12, 60, 130, 200, 250)
    wanted = [(r, g, b) for r in levels for g in levels for b in levels][::3]
    wanted += [(level, level, level) for level in (0, 4, 16, 48, 96, 180, 255)]
    wanted += [(224, 172, 142), (141, 85, 60), (255, 219, 172), (60, 38, 30), (96, 64, 200)]
    wanted = wanted[: len(wanted) // COLUMNS * COLUMNS]
    srgb = Image.fromarray(np.array(wanted, np.uint8).reshape(-1, COLUMNS, 3))
    source = ImageCms.getOpenProfile(io.BytesIO(rgb_profile(SRGB, SRGB_CURVE)))
    target = ImageCms.getOpenProfile(io.BytesIO(icc))
    converted = ImageCms.profileToProfile(srgb, source, target, renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC)
    assert converted is not None
    return converted


def png(image: Image.Image, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file with these chunks before its pixels."""
    colour = {"L": 0, "RGB": 2, "RGBA": 6}[image.mode]
    rows = np.array(image).reshape(image.height, -1)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 9)
    head = struct.pack(">IIBBBBB", image.width, image.height, 8, colour, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for kind, body in [(b"IHDR", head), *chunks, (b"IDAT", packed), (b"IEND", b"")]:
        file += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return file


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A file of another format."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def enlarged(image: Image.Image) -> Image.Image:
    """The chart with patches of several pixels, so that JPEG keeps their colours."""
    return image.resize((image.width * PATCH, image.height * PATCH), Image.Resampling.NEAREST)


def iccp(icc: bytes) -> tuple[bytes, bytes]:
    """The chunk of a profile."""
    return b"iCCP", b"test\0\0" + zlib.compress(icc, 9)


def chrm(primaries: tuple[tuple[float, float], ...], white: tuple[float, float] = D65) -> tuple[bytes, bytes]:
    """The chunk of primaries."""
    numbers = [round(number * 100000) for point in (white, *primaries) for number in point]
    return b"cHRM", struct.pack(">8I", *numbers)


def gama(exponent: float) -> tuple[bytes, bytes]:
    """The chunk of a gamma."""
    return b"gAMA", struct.pack(">I", round(100000 / exponent))


def cicp(primaries: int, transfer: int, *, full: bool = True) -> tuple[bytes, bytes]:
    """The chunk of code points."""
    return b"cICP", bytes([primaries, transfer, 0, int(full)])


class Cases:
    """The files, with the colours of their patches."""

    def __init__(self) -> None:
        """No files."""
        self.cases: list[dict[str, Any]] = []

    def add(self, name: str, file: bytes, expected: Array, *, patch: int = 1) -> None:
        """Adds a file, and the colours of the centres of its patches."""
        colours = expected[patch // 2 :: patch, patch // 2 :: patch].reshape(-1, 3)
        self.cases.append(
            {
                "name": name,
                "file": base64.b64encode(file).decode(),
                "patch": patch,
                "colours": " ".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in colours),
            }
        )


def charts() -> list[dict[str, Any]]:
    """All files."""
    cases = Cases()
    for name, icc in [
        ("Display P3", rgb_profile(DISPLAY_P3, SRGB_CURVE)),
        ("Adobe RGB", rgb_profile(ADOBE_RGB, ADOBE_CURVE)),
        ("sRGB", rgb_profile(SRGB, SRGB_CURVE)),
    ]:
        image = chart(icc)
        cases.add(f"PNG with {name}", png(image, iccp(icc)), to_srgb(image, icc))
        cases.add(f"WebP with {name}", saved(image, "WEBP", lossless=True, icc_profile=icc), to_srgb(image, icc))
        large = enlarged(image)
        kinds: list[tuple[str, dict[str, int]]] = [
            ("JPEG", {"subsampling": 0}),
            ("progressive JPEG", {"progressive": 1}),
        ]
        for kind, options in kinds:
            file = saved(large, "JPEG", quality=100, icc_profile=icc, **options)
            decoded = Image.open(io.BytesIO(file)).convert("RGB")
            cases.add(f"{kind} with {name}", file, to_srgb(decoded, icc), patch=PATCH)

    srgb = rgb_profile(SRGB, SRGB_CURVE)
    p3 = rgb_profile(DISPLAY_P3, SRGB_CURVE)
    image = chart(p3)
    plain = np.array(image)
    transparent = image.convert("RGBA")
    transparent.putalpha(128)
    over_white = np.rint((to_srgb(image, p3).astype(float) * 128 + 255 * 127) / 255).astype(np.uint8)
    cases.add("transparent PNG with Display P3", png(transparent, iccp(p3)), over_white)
    cases.add(
        "transparent WebP with Display P3",
        saved(transparent, "WEBP", lossless=True, exact=True, icc_profile=p3),
        over_white,
    )
    for exponent in [1.0, 1.8, 2.2]:
        linear = chart(rgb_profile(SRGB, (exponent,)))
        cases.add(
            f"PNG with gamma {exponent}", png(linear, gama(exponent)), to_srgb(linear, rgb_profile(SRGB, (exponent,)))
        )
    adobe = chart(rgb_profile(ADOBE_RGB, ADOBE_CURVE))
    adobe_colours = to_srgb(adobe, rgb_profile(ADOBE_RGB, (2.2,)))
    cases.add("PNG with gamma and primaries", png(adobe, chrm(ADOBE_RGB), gama(2.2)), adobe_colours)
    cases.add("PNG with sRGB before gamma and primaries", png(image, (b"sRGB", b"\0"), gama(1.0), chrm(BT2020)), plain)
    cases.add("PNG with a profile before gamma", png(image, iccp(p3), gama(1.0)), to_srgb(image, p3))
    cases.add("PNG with code points of Display P3", png(image, cicp(12, 13)), to_srgb(image, p3))
    cases.add("PNG with code points before a profile", png(image, cicp(12, 13), iccp(srgb)), to_srgb(image, p3))
    cases.add("PNG with code points of sRGB", png(image, cicp(1, 13)), plain)
    cases.add("PNG with unknown code points", png(image, cicp(2, 2), iccp(p3)), to_srgb(image, p3))
    wide = chart(rgb_profile(BT2020, BT709_CURVE))
    cases.add(
        "PNG with code points of BT.2020", png(wide, cicp(9, 14)), to_srgb(wide, rgb_profile(BT2020, BT709_CURVE))
    )
    cases.add("PNG with a broken profile", png(image, (b"iCCP", b"test\0\0" + zlib.compress(b"no profile"))), plain)
    cases.add("PNG with gamma 0", png(image, (b"gAMA", bytes(4))), plain)
    cases.add("PNG without colour space", png(image), plain)

    grey = Image.fromarray(np.linspace(0, 255, 66).astype(np.uint8).reshape(-1, COLUMNS))
    grey_profile = profile(b"GRAY", {b"kTRC": curve((1.8,))})
    cases.add("grey PNG with a grey profile", png(grey, iccp(grey_profile)), to_srgb(grey, grey_profile))
    file = saved(enlarged(grey), "JPEG", quality=100, icc_profile=grey_profile)
    cases.add("grey JPEG with a grey profile", file, to_srgb(Image.open(io.BytesIO(file)), grey_profile), patch=PATCH)

    inks = Image.fromarray(np.random.default_rng(3).integers(0, 200, (11, COLUMNS, 4)).astype(np.uint8), "CMYK")
    ink = ink_profile()
    file = saved(enlarged(inks), "JPEG", quality=100, subsampling=0, icc_profile=ink)
    cases.add("CMYK JPEG with a profile", file, to_srgb(Image.open(io.BytesIO(file)), ink), patch=PATCH)
    return cases.cases


def main() -> None:
    """Writes the file."""
    path = pathlib.Path(__file__).with_name("colours.json")
    image = chart(rgb_profile(SRGB, SRGB_CURVE))
    refused = {
        "PQ": base64.b64encode(png(image, cicp(9, 16))).decode(),
        "HLG": base64.b64encode(png(image, cicp(9, 18))).decode(),
        "narrow range": base64.b64encode(png(image, cicp(1, 13, full=False))).decode(),
    }
    cases = charts()
    path.write_text(json.dumps({"charts": cases, "refused": refused}, indent=0) + "\n")
    print(f"{len(cases)} charts, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
