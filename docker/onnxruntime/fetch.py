#!/usr/bin/env python3
"""Fetch the pinned ONNX Runtime library into a folder (default: .onnxruntime at the top of the checkout).

    python3 docker/onnxruntime/fetch.py [FOLDER]

The Python wheel is the one package of ONNX Runtime that a package client can pin by hash, so pip downloads it
(nothing is installed, so an externally managed Python will do), the library and its licences are unpacked from
it, and the wheel is thrown away. A folder that already holds the pinned library is left as it is. Needs
Python 3.9 or later with pip, on Linux with glibc 2.28 or later; running the library needs no Python.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
LIBRARY = "libonnxruntime.so"
# What is kept of the wheel beside the library.
NOTICES = ("LICENSE", "ThirdPartyNotices.txt", "Privacy.md")
# Written last, so a folder that has it is whole.
RECORD = "fetched.json"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


class Refusal(Exception):
    """A reason to stop that the person at the terminal can act on."""


def main(arguments):
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(__doc__.strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    folder = Path(arguments[0]) if arguments else HERE.parent.parent / ".onnxruntime"
    try:
        wheel_platform = supported_platform()
        wanted = {
            "requirements": digest(REQUIREMENTS),
            "platform": wheel_platform,
        }
        if is_fetched(folder, wanted):
            os.utime(folder / LIBRARY)  # newer than requirements.txt: make then has nothing to do
            return 0
        fetch(folder, wanted)
    except (Refusal, OSError, zipfile.BadZipFile) as reason:
        print(f"ONNX Runtime could not be fetched: {reason}", file=sys.stderr)
        print(
            f"To use a copy of your own, set FACEPLANE_ONNXRUNTIME to the absolute path of its {LIBRARY}.",
            file=sys.stderr,
        )
        return 1
    return 0


def supported_platform():
    """The wheel's platform tag for this machine."""
    machine = MACHINES.get(platform.machine().lower())
    if platform.system() != "Linux" or machine is None:
        raise Refusal(
            f"the pinned wheels are for Linux on x86_64 and aarch64, this is {platform.system()} on {platform.machine()}."
        )
    libc, version = platform.libc_ver()
    if libc != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < (2, 28):
        raise Refusal(f"it needs glibc 2.28 or later, this machine has {libc or 'another libc'} {version}".rstrip() + ".")
    return f"manylinux_2_28_{machine}"


def is_fetched(folder, wanted):
    """Whether the folder holds the library that these requirements gave on this platform, undamaged."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return record == {**wanted, "library": digest(folder / LIBRARY)}
    except (OSError, ValueError):
        return False


def fetch(folder, wanted):
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, so that every file can be renamed into its place.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        scratch = Path(scratch)
        wheel = download(scratch, wanted["platform"])
        with zipfile.ZipFile(wheel) as archive:
            for notice in NOTICES:
                unpack(archive, f"onnxruntime/{notice}", scratch, folder / notice)
            library = unpack(archive, library_member(archive), scratch, folder / LIBRARY)
        record = scratch / RECORD
        record.write_text(json.dumps({**wanted, "library": digest(library)}, indent=2) + "\n", encoding="utf-8")
        os.replace(record, folder / RECORD)
    print(f"{wheel.name}: unpacked {library} ({library.stat().st_size / 1e6:.0f} MB)")


def download(scratch, wheel_platform):
    """The pinned wheel, which pip has compared with its hashes."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", str(scratch)]
    command += ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--platform", wheel_platform]
    command += ["--requirement", str(REQUIREMENTS)]
    pip = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    wheels = list(scratch.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        if "No module named pip" in pip.stdout:
            raise Refusal(f"{sys.executable} has no pip (on Debian and Ubuntu: apt-get install python3-pip).")
        raise Refusal(f"pip download ended with status {pip.returncode} and {len(wheels)} wheels:\n{pip.stdout.rstrip()}")
    return wheels[0]


def library_member(archive):
    """The one member that is the library: its name ends in the version."""
    members = [name for name in archive.namelist() if name.startswith(f"onnxruntime/capi/{LIBRARY}.")]
    if len(members) != 1:
        raise Refusal(f"expected one onnxruntime/capi/{LIBRARY}.VERSION in the wheel, found {members}.")
    return members[0]


def unpack(archive, member, scratch, destination):
    """Write one member beside its place, then rename it: a reader sees the whole file or none."""
    if member not in archive.namelist():
        raise Refusal(f"the wheel holds no {member}.")
    written = scratch / destination.name
    with archive.open(member) as source, open(written, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    os.chmod(written, 0o644)
    os.replace(written, destination)
    return destination


def digest(path):
    """SHA-256 of a file, in hexadecimal."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha256.update(block)
    return sha256.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
