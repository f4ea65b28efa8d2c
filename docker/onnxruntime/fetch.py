#!/usr/bin/env python3
"""Fetch the pinned ONNX Runtime library into a folder (default: .onnxruntime at the top of the checkout).

    python3 docker/onnxruntime/fetch.py [--cuda] [FOLDER]

With --cuda it is the build for NVIDIA GPUs, with its CUDA provider (a wheel of 256 MB; default: .onnxruntime-cuda).

The Python wheel is the one package of ONNX Runtime that a package client can pin by hash, so pip downloads it
(nothing is installed, so an externally managed Python will do), the library and its licences are unpacked from
it, and the wheel is thrown away. A folder that already holds the pinned library is left as it is. Needs
Python 3.9 or later with pip, on Linux with glibc 2.28 or later (2.34 for --cuda on aarch64); running the library
needs no Python.
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
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
LIBRARY = "libonnxruntime.so"
# The libraries that the CUDA provider is made of. ONNX Runtime looks for them beside its own.
PROVIDER = ("libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so")
# What is kept of the wheel beside the library.
NOTICES = ("LICENSE", "ThirdPartyNotices.txt", "Privacy.md")
# Written last, so a folder that has it is whole.
RECORD = "fetched.json"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


class Build(NamedTuple):
    """One of the builds of ONNX Runtime, and what is taken of it."""

    folder: str
    requirements: Path
    libraries: tuple
    # The oldest glibc that its wheel for a machine runs with.
    glibc: dict


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


class Refusal(Exception):
    """A reason to stop that the person at the terminal can act on."""


def main(arguments):
    build = CUDA if "--cuda" in arguments else CPU
    folders = [argument for argument in arguments if argument != "--cuda"]
    if len(folders) > 1 or any(argument.startswith("-") for argument in folders):
        print(__doc__.strip())
        return 0 if folders in (["-h"], ["--help"]) else 2
    folder = Path(folders[0]) if folders else HERE.parent.parent / build.folder
    try:
        wanted = {
            "requirements": digest(build.requirements),
            "platform": supported_platform(build),
        }
        if is_fetched(folder, wanted, build):
            os.utime(folder / LIBRARY)  # newer than requirements.txt: make then has nothing to do
            return 0
        fetch(folder, wanted, build)
    except (Refusal, OSError, zipfile.BadZipFile) as reason:
        print(f"ONNX Runtime could not be fetched: {reason}", file=sys.stderr)
        print(
            f"To use a copy of your own, set FACEPLANE_ONNXRUNTIME to the absolute path of its {LIBRARY}.",
            file=sys.stderr,
        )
        return 1
    return 0


def supported_platform(build):
    """The wheel's platform tag for this machine."""
    machine = MACHINES.get(platform.machine().lower())
    if platform.system() != "Linux" or machine is None:
        raise Refusal(
            f"the pinned wheels are for Linux on x86_64 and aarch64, this is {platform.system()} on {platform.machine()}."
        )
    major, minor = build.glibc[machine]
    libc, version = platform.libc_ver()
    if libc != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < (major, minor):
        found = f"{libc or 'another libc'} {version}".rstrip()
        raise Refusal(f"it needs glibc {major}.{minor} or later, this machine has {found}.")
    return f"manylinux_{major}_{minor}_{machine}"


def is_fetched(folder, wanted, build):
    """Whether the folder holds the libraries that these requirements gave on this platform, undamaged."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return record == {**wanted, "libraries": {name: digest(folder / name) for name in build.libraries}}
    except (OSError, ValueError):
        return False


def fetch(folder, wanted, build):
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, so that every file can be renamed into its place.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        scratch = Path(scratch)
        wheel = download(scratch, wanted["platform"], build)
        with zipfile.ZipFile(wheel) as archive:
            for notice in NOTICES:
                unpack(archive, f"onnxruntime/{notice}", scratch, folder / notice)
            libraries = [
                unpack(archive, library_member(archive, name), scratch, folder / name) for name in build.libraries
            ]
        record = scratch / RECORD
        digests = {library.name: digest(library) for library in libraries}
        record.write_text(json.dumps({**wanted, "libraries": digests}, indent=2) + "\n", encoding="utf-8")
        os.replace(record, folder / RECORD)
    print(f"{wheel.name}: unpacked {', '.join(digests)} into {folder}")


def download(scratch, wheel_platform, build):
    """The pinned wheel, which pip has compared with its hashes."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", str(scratch)]
    command += ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--platform", wheel_platform]
    command += ["--requirement", str(build.requirements)]
    pip = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    wheels = list(scratch.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        if "No module named pip" in pip.stdout:
            raise Refusal(f"{sys.executable} has no pip (on Debian and Ubuntu: apt-get install python3-pip).")
        raise Refusal(f"pip download ended with status {pip.returncode} and {len(wheels)} wheels:\n{pip.stdout.rstrip()}")
    return wheels[0]


def library_member(archive, library):
    """The one member that is the library: the name of the chief one ends in its version."""
    wanted = f"onnxruntime/capi/{library}"
    members = [name for name in archive.namelist() if name == wanted or name.startswith(f"{wanted}.")]
    if len(members) != 1:
        raise Refusal(f"expected one {wanted} in the wheel, with or without a version, found {members}.")
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
