#!/usr/bin/env python3
"""Fetch the pinned ONNX Runtime library into a folder (default: .onnxruntime at the top of the checkout).

    python3 docker/onnxruntime/fetch.py [--cuda] [--machine x86_64|aarch64] [FOLDER]

With --cuda, fetch the build for NVIDIA GPUs and its CUDA provider (a wheel of 256 MB; default: .onnxruntime-cuda).
--machine fetches the library of another machine, for a program that is built for it.

ONNX Runtime's Python wheel is its only package that can be pinned by hash and fetched by a package client. pip
downloads it and installs nothing, so an externally managed Python works too. This program unpacks the library and
its licences and deletes the wheel. If the folder already holds the pinned library, nothing changes.

Needs Python 3.9 or later with pip, on Linux with glibc 2.28 or later (2.34 for --cuda on aarch64). Running the
library needs no Python.
"""

from __future__ import annotations

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
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
LIBRARY = "libonnxruntime.so"
# The libraries of the CUDA provider. ONNX Runtime looks for them in its own folder.
PROVIDER = ("libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so")
# Files of the wheel that are kept beside the library.
NOTICES = ("LICENSE", "ThirdPartyNotices.txt", "Privacy.md")
# Written last, so that it marks a complete folder.
RECORD = "fetched.json"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


class Build(NamedTuple):
    """A build of ONNX Runtime and the libraries that are taken from it."""

    folder: str
    requirements: Path
    libraries: tuple[str, ...]
    # The oldest glibc that the wheel of each machine supports.
    glibc: dict[str, tuple[int, int]]


CPU = Build(
    folder=".onnxruntime",
    requirements=HERE / "requirements.txt",
    libraries=(LIBRARY,),
    glibc={"x86_64": (2, 28), "aarch64": (2, 28)},
)
CUDA = Build(
    folder=".onnxruntime-cuda",
    requirements=HERE / "requirements-cuda.txt",
    libraries=(LIBRARY, *PROVIDER),
    glibc={"x86_64": (2, 28), "aarch64": (2, 34)},
)


class FetchError(Exception):
    """A failure that the person at the terminal can act on."""


def main(arguments: list[str]) -> int:
    build = CUDA if "--cuda" in arguments else CPU
    folders = [argument for argument in arguments if argument != "--cuda"]
    machine = None
    if "--machine" in folders[:-1]:
        position = folders.index("--machine")
        machine = folders[position + 1]
        del folders[position : position + 2]
    if len(folders) > 1 or any(argument.startswith("-") for argument in folders):
        print((__doc__ or "").strip())
        return 0 if folders in (["-h"], ["--help"]) else 2
    folder = Path(folders[0]) if folders else HERE.parent.parent / build.folder
    try:
        expected = {
            "requirements": digest(build.requirements),
            "platform": supported_platform(build, machine),
        }
        if is_fetched(folder, expected, build):
            os.utime(folder / LIBRARY)  # newer than requirements.txt: make then has nothing to do
            return 0
        fetch(folder, expected, build)
    except (FetchError, OSError, zipfile.BadZipFile) as error:
        print(f"ONNX Runtime could not be fetched: {error}", file=sys.stderr)
        print(
            f"To use a copy of your own, set FACEPLANE_ONNXRUNTIME to the absolute path of its {LIBRARY}.",
            file=sys.stderr,
        )
        return 1
    return 0


def supported_platform(build: Build, other: str | None = None) -> str:
    """The platform tag of the wheel for this machine, or for another one."""
    if other is not None:
        if other not in build.glibc:
            raise FetchError(f"--machine: found {other!r}, expected x86_64 or aarch64.")
        major, minor = build.glibc[other]
        return f"manylinux_{major}_{minor}_{other}"
    machine = MACHINES.get(platform.machine().lower())
    if platform.system() != "Linux" or machine is None:
        found = f"{platform.system()} on {platform.machine()}"
        raise FetchError(f"the pinned wheels are for Linux on x86_64 and aarch64, this is {found}.")
    major, minor = build.glibc[machine]
    libc, version = platform.libc_ver()
    if libc != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < (major, minor):
        found = f"{libc or 'another libc'} {version}".rstrip()
        raise FetchError(f"it needs glibc {major}.{minor} or later, this machine has {found}.")
    return f"manylinux_{major}_{minor}_{machine}"


def is_fetched(folder: Path, expected: dict[str, str], build: Build) -> bool:
    """Whether the folder holds undamaged libraries of these requirements for this platform."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return bool(record == {**expected, "libraries": {name: digest(folder / name) for name in build.libraries}})
    except (OSError, ValueError):
        return False


def fetch(folder: Path, expected: dict[str, str], build: Build) -> None:
    """Downloads the wheel, unpacks its libraries and notices into the folder, and writes the record."""
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, so that renaming a finished file to its final name is atomic.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as name:
        scratch = Path(name)
        wheel = download(scratch, expected["platform"], build)
        with zipfile.ZipFile(wheel) as archive:
            for notice in NOTICES:
                unpack(archive, f"onnxruntime/{notice}", scratch, folder / notice)
            libraries = [
                unpack(archive, library_member(archive, library), scratch, folder / library)
                for library in build.libraries
            ]
        record = scratch / RECORD
        digests = {library.name: digest(library) for library in libraries}
        record.write_text(json.dumps({**expected, "libraries": digests}, indent=2) + "\n", encoding="utf-8")
        record.replace(folder / RECORD)
    print(f"{wheel.name}: unpacked {', '.join(digests)} into {folder}")


def download(scratch: Path, wheel_platform: str, build: Build) -> Path:
    """Downloads the pinned wheel with pip, which checks its hash."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", str(scratch)]
    # The wheel for CPython 3.11, whatever Python the host has: only the library in it is used.
    command += ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--platform", wheel_platform]
    command += ["--requirement", str(build.requirements)]
    pip = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    wheels = list(scratch.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        if "No module named pip" in pip.stdout:
            raise FetchError(f"{sys.executable} has no pip (on Debian and Ubuntu: apt-get install python3-pip).")
        result = f"status {pip.returncode} and {len(wheels)} wheels"
        raise FetchError(f"pip download ended with {result}:\n{pip.stdout.rstrip()}")
    return wheels[0]


def library_member(archive: zipfile.ZipFile, library: str) -> str:
    """The name of a library in the wheel. That of the main library ends in its version."""
    path = f"onnxruntime/capi/{library}"
    members = [name for name in archive.namelist() if name == path or name.startswith(f"{path}.")]
    if len(members) != 1:
        raise FetchError(f"expected one {path} in the wheel, with or without a version, found {members}.")
    return members[0]


def unpack(archive: zipfile.ZipFile, member: str, scratch: Path, destination: Path) -> Path:
    """Writes a member of the wheel atomically: into the scratch folder, then renamed to its destination."""
    if member not in archive.namelist():
        raise FetchError(f"the wheel holds no {member}.")
    written = scratch / destination.name
    with archive.open(member) as source, written.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    written.chmod(0o644)
    written.replace(destination)
    return destination


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha256.update(block)
    return sha256.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
