"""Starts the service with a certificate, and reads its signed images with exiftool and with C2PA's own reader."""

import base64
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import c2pa  # type: ignore[import-not-found,unused-ignore]
from attacks import ask
from service import Service

HERE = Path(__file__).resolve().parent
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
FACES = [
    (f"image/{format_}", f"/v1/sample?seed=7&count={count}&format={format_}&layout={layout}")
    for format_ in ("png", "jpeg", "webp", "gif")
    for count, layout in ((1, "grid"), (4, "grid"), (4, "animation"))
    if (format_, layout) != ("jpeg", "animation")
]


def check(media_type: str, file: bytes, source_type: str) -> list[str]:
    """What is wrong with a file."""
    wrong = []
    reader = c2pa.Reader(media_type, io.BytesIO(file))
    if (state := reader.get_validation_state()) != "Valid":
        wrong.append(f"C2PA's reader: found {state}, expected Valid: {reader.json()}")
    manifest = json.loads(reader.json())
    [action] = [
        action
        for assertion in manifest["manifests"][manifest["active_manifest"]]["assertions"]
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]
    url = SOURCE_TYPES + source_type
    if action["action"] != "c2pa.created" or action["digitalSourceType"] != url:
        wrong.append(f"C2PA's reader: found {action}, expected c2pa.created and {url}")
    command = ["exiftool", "-s3", "-XMP-iptcExt:DigitalSourceType", "-"]
    found = subprocess.run(command, input=file, capture_output=True, check=True).stdout.decode().strip()
    if found != url:
        wrong.append(f"exiftool: found {found!r}, expected {url!r}")
    damaged = bytearray(file)
    damaged[some_pixel(media_type, file)] ^= 1
    if c2pa.Reader(media_type, io.BytesIO(bytes(damaged))).get_validation_state() == "Valid":
        wrong.append("C2PA's reader: found a valid signature after a byte was changed")
    return wrong


def some_pixel(media_type: str, file: bytes) -> int:
    """The position of a byte that belongs to pixels. The statement is before them, or in a WebP after them."""
    return {
        "image/png": lambda: file.index(b"IDAT") + 40,
        "image/jpeg": lambda: len(file) - 40,
        "image/webp": lambda: file.index(b"VP8 ") + 40,
        "image/gif": lambda: len(file) - 40,
    }[media_type]()


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    options = ["--c2pa-certificate", str(HERE / "signer.pem"), "--c2pa-key", str(HERE / "signer.key")]
    with tempfile.TemporaryDirectory() as folder:
        service = Service(program, options, Path(folder) / "log")
        files = [
            (path, media_type, ask(service.port, "GET", path)[1], "algorithmicMedia") for media_type, path in FACES
        ]
        photograph = ask(service.port, "GET", "/v1/sample?seed=5&metadata=none&format=jpeg")[1]
        path = "/v1/edit?edit=smile:1&format=json"
        _, edited = ask(service.port, "POST", path, photograph, {"Content-Type": "image/jpeg"})
        face = base64.b64decode(json.loads(edited)["faces"][0]["image"])
        files.append((path, "image/png", face, "compositeWithTrainedAlgorithmicMedia"))
        service.stop()
    failed = 0
    for path, media_type, file, source_type in files:
        wrong = check(media_type, file, source_type)
        print(f"{'failed' if wrong else 'passed'}: {path}, {len(file)} bytes", *wrong, sep="\n    ")
        failed += bool(wrong)
    print(f"{len(files) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
