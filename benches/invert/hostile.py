"""Sends a running service 203 damaged, huge or unusual files and reports statuses, times and peak memory.

python benches/invert/hostile.py --url http://127.0.0.1:8080 --pid $(pidof faceplane), with numpy and Pillow, from any
folder. It fails if a response is neither 200 nor 4xx, or takes a second.
"""

import argparse
import collections
import io
import itertools
import pathlib
import struct
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

HUGE = 50_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

Named = tuple[str, bytes]
"""A file and what is wrong or unusual about it."""


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pattern(side: int, mode: str = "RGB") -> Image.Image:
    """An image of ramps and waves."""
    y, x = np.mgrid[0:side, 0:side]
    return Image.fromarray(np.stack([4 * x % 256, 3 * y % 256, x * y % 256], axis=2).astype(np.uint8)).convert(mode)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG file with a given header and compressed rows."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bombs() -> Iterator[Named]:
    """Small files that claim or unpack to huge images."""
    yield "PNG, 50,000 × 50,000, no rows", png(HUGE, HUGE, zlib.compress(b""))
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    yield "PNG, 50,000 × 50,000, 300 MiB of zeros packed", png(HUGE, HUGE, rows)
    yield "PNG, 24.9 million pixels of zeros", png(4990, 4990, zlib.compress(bytes(4990 * (1 + 3 * 4990))))
    yield (
        "PNG, 24.9 million pixels of 16 bits and alpha",
        png(4990, 4990, zlib.compress(bytes(4990 * (1 + 8 * 4990))), 16, 6),
    )
    yield "PNG, one row of 24 million pixels", png(24_000_000, 1, zlib.compress(bytes(1 + 72_000_000)))
    yield "PNG, 2³¹ − 1 pixels wide", png(2**31 - 1, 2**31 - 1, zlib.compress(b""))
    yield "PNG of no width", png(0, 10, zlib.compress(b""))
    small = saved(pattern(8), "BMP")
    for width, height in ((HUGE, HUGE), (2**31 - 1, 1), (-1, 8), (0, 0)):
        yield f"BMP, {width} × {height}", small[:18] + struct.pack("<ii", width, height) + small[26:]
    small = saved(pattern(8), "GIF")
    yield "GIF, 50,000 × 50,000", small[:6] + struct.pack("<HH", HUGE, HUGE) + small[10:]
    small = saved(pattern(8), "JPEG")
    start = small.index(b"\xff\xc0") + 5
    yield "JPEG, 50,000 × 50,000", small[:start] + struct.pack(">HH", HUGE, HUGE) + small[start + 4 :]
    yield "WebP, 50,000 × 50,000", b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x4f\xc3\0\x4f\xc3\0\0\0"
    whole = saved(pattern(8), "PNG")
    packed = zlib.compress(bytes(64 << 20), 9)
    for kind in (b"zTXt", b"iTXt", b"iCCP", b"eXIf"):
        body = {b"iTXt": b"a\0\x01\0\0\0", b"eXIf": b""}.get(kind, b"a\0\0") + packed
        yield f"PNG, 64 MiB packed in {kind.decode()}", whole[:33] + chunk(kind, body) + whole[33:]
        yield f"PNG with a {kind.decode()} that claims 4 GiB", whole[:33] + b"\xff\xff\xff\xff" + kind + whole[33:]
    frames = [pattern(64)] * 400
    yield "GIF, 400 frames", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def unusual() -> Iterator[Named]:
    """Valid files that few programs write."""
    yield "JPEG, CMYK", saved(pattern(64, "CMYK"), "JPEG")
    yield "JPEG, grey", saved(pattern(64, "L"), "JPEG")
    yield "JPEG, progressive", saved(pattern(64), "JPEG", progressive=True)
    yield "PNG, 16 bits", saved(Image.fromarray(np.full((9, 9), 4660, np.uint16)), "PNG")
    for mode in ("1", "L", "LA", "P", "RGBA"):
        yield f"PNG, {mode}", saved(pattern(33).convert(mode), "PNG")
    frames = [pattern(32), pattern(32).rotate(90)]
    for kind in ("GIF", "PNG", "WEBP"):
        yield f"{kind}, animated", saved(frames[0], kind, save_all=True, append_images=frames[1:])
    yield "WebP, lossless", saved(pattern(64), "WEBP", lossless=True)
    for width, height in ((1, 1), (1, 4000), (4000, 1)):
        for kind in FORMATS:
            yield f"{kind}, {width} × {height}", saved(Image.new("RGB", (width, height)), kind)
    for orientation in range(10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("JPEG", "PNG", "WEBP"):
            yield f"{kind} of orientation {orientation}", saved(pattern(48), kind, exif=exif)
    yield "TIFF", saved(pattern(8), "TIFF")
    yield "ICO", saved(pattern(16), "ICO")
    yield "PPM", saved(pattern(8), "PPM")


def doubtful() -> Iterator[Named]:
    """Files that are not images, or are several kinds of file at once."""
    heads = (
        b"",
        b"\0",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBP",
        b"GIF89a",
        b"BM",
        b"%PDF-1.7\n%%EOF",
    )
    for head in (*heads, b"<svg onload='alert(1)'/>", b"PK\x03\x04", b"MZ", b"\x7fELF", b"#!/bin/sh\nexit 1\n"):
        yield f"{head!r}", head
    for length, value in itertools.product((1, 1000, 1_000_000), (0, 255)):
        yield f"{length} bytes of {value}", bytes([value]) * length
    for kind in FORMATS:
        whole = saved(pattern(48), kind)
        yield f"{kind} before a ZIP", whole + b"PK\x05\x06" + bytes(18)
        yield f"{kind} before a script", whole + b"<script>alert(1)</script>"
        yield f"{kind} before itself", whole + whole
        yield f"{kind} behind a PDF", b"%PDF-1.7\n" + whole
        for other in FORMATS:
            if other != kind:
                yield f"{kind} with the head of {other}", saved(pattern(48), other)[:12] + whole[12:]


def damaged() -> Iterator[Named]:
    """Images that are cut short or have changed bytes."""
    random = np.random.RandomState(1)
    for kind in FORMATS:
        whole = saved(pattern(200), kind)
        for share in (5, 30, 60, 99):
            yield f"{share} % of a {kind}", whole[: len(whole) * share // 100]
        for turn in range(8):
            bytes_ = bytearray(whole)
            for position in random.randint(4, len(whole), 8):
                bytes_[position] = random.randint(256)
            yield f"{kind}, eight bytes changed, {turn}", bytes(bytes_)


def peak_memory(pid: int) -> float:
    """The peak memory of a process so far, in MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def invert(url: str, file: bytes) -> tuple[int, str]:
    """The status of an inversion by the encoder, and the text of an error."""
    headers = {"Content-Type": "image/png", "Accept": "application/json"}
    request = urllib.request.Request(f"{url}/v1/invert?method=encoder", file, headers)
    try:
        with urllib.request.urlopen(request) as response:
            response.read()
            return response.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--pid", type=int, help="process of the service, to report its peak memory")
    arguments = parser.parse_args()
    before = peak_memory(arguments.pid) if arguments.pid else 0.0
    statuses: collections.Counter[int] = collections.Counter()
    times: list[tuple[float, str]] = []
    failures: list[str] = []
    for name, file in itertools.chain(bombs(), unusual(), doubtful(), damaged()):
        started = time.monotonic()
        status, text = invert(arguments.url, file)
        seconds = time.monotonic() - started
        statuses[status] += 1
        times.append((seconds, name))
        if not (status == 200 or 400 <= status < 500) or seconds >= 1.0:
            failures.append(f"{name}: {status} after {seconds:.2f} s {text}")
    print(f"{len(times)} files: {dict(statuses)}")
    print("slowest:", *(f"{seconds:.3f} s {name};" for seconds, name in sorted(times, reverse=True)[:5]))
    if arguments.pid:
        print(f"peak memory: {before:.0f} MiB before, {peak_memory(arguments.pid):.0f} MiB after")
    print(*failures, sep="\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
