"""Runs the commands of the documents as they are printed, each document with a service and a folder of its own."""

import base64
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent

# Documents whose commands another test runs.
TESTED_ELSEWHERE = {"your-own-model.md": "tests/own_model_guide.rs"}

# Commands that do not run here, by what they begin with.
LEFT_OUT = {
    "make serve": "the test's own service is running",
    "docker ": "needs a container engine",
    "kubectl ": "needs Kubernetes",
    "exiftool ": "needs exiftool",
    "faceplane serve": "the test's own service is running",
    "faceplane import network.pkl": "tests/own_model_guide.rs runs it",
    "faceplane judge ": "takes many minutes: make judge",
    "faceplane batch --seeds 0-999999 ": "needs a bucket: tests/store/batch_work.py",
    "faceplane train-boundary --latents s3:": "needs a bucket: tests/store/batch_work.py",
}

# How the files begin that the commands write.
BEGINNINGS = {
    ".png": b"\x89PNG",
    ".gif": b"GIF8",
    ".webp": b"RIFF",
    ".jpg": b"\xff\xd8",
    ".npy": b"\x93NUMPY",
    ".npz": b"PK",
    ".zip": b"PK",
    ".json": b"{",
    ".html": b"<",
}

SECONDS_PER_BLOCK = 300


class Block(NamedTuple):
    """A block of code in a document."""

    document: Path
    line: int
    language: str
    text: str


def main() -> None:
    """Run the blocks of the documents that are named, or of README.md and docs/."""
    program = Path(sys.argv[1]).resolve()
    documents = [Path(name).resolve() for name in sys.argv[2:]] or [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
    failed = 0
    for document in documents:
        if elsewhere := TESTED_ELSEWHERE.get(document.name):
            print(f"{document.name}: {elsewhere} runs its commands")
        elif runnable := [block for block in blocks(document) if block.language in {"sh", "python"}]:
            failed += run_document(program, runnable)
    sys.exit(1 if failed else 0)


def blocks(document: Path) -> Iterator[Block]:
    """The blocks of code in a document."""
    text = document.read_text()
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, found.start()) + 2
        yield Block(document, line, found[1], found[2])


def run_document(program: Path, runnable: list[Block]) -> int:
    """Run the blocks of one document in their order; returns how many failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = write_programs(program, folder / "programs")
        work = folder / "work"
        work.mkdir()
        with service(program, folder / "service.log") as address:
            write_inputs(work, address)
            for block in runnable:
                error = run_block(block, work, programs, address) or wait_for_jobs(address)
                print(f"{block.document.name}:{block.line}: {error or 'passed'}", flush=True)
                failed += bool(error)
    return failed


def write_programs(program: Path, folder: Path) -> Path:
    """A folder with the commands of the documents: the program, and curl, which fails here if the service refuses."""
    folder.mkdir()
    curl = folder / "curl"
    curl.write_text(f'#!/bin/sh\nexec {shutil.which("curl")} --fail-with-body --silent --show-error "$@"\n')
    curl.chmod(0o755)
    (folder / "faceplane").symlink_to(program)
    return folder


def write_inputs(work: Path, address: str) -> None:
    """The files that the documents speak of without making them."""
    (work / "onnx").symlink_to(ROOT / "onnx")
    shutil.copytree(ROOT / "onnx" / "portraits", work / "my-model")
    # Nine faces, so that the photograph has the size of one.
    with urllib.request.urlopen(f"http://{address}/v1/sample?seed=3&count=9&format=jpeg&metadata=none") as response:
        photo = response.read()
    for name in ("photo.jpg", "first.jpg", "second.jpg"):
        (work / name).write_bytes(photo)
    with urllib.request.urlopen(f"http://{address}/v1/sample?seed=1&count=40&space=w&format=json") as response:
        faces = json.load(response)["faces"]
    codes = [face["latent"]["values"] for face in faces]
    scores = [code[0] for code in codes]
    write_npy(work / "codes.npy", codes)
    write_npy(work / "scores.npy", [[score] for score in scores])
    encoded = {name: base64.b64encode((work / f"{name}.npy").read_bytes()).decode() for name in ("codes", "scores")}
    training = {"attributes": ["first"], "space": "w", "threshold": 0} | encoded
    (work / "codes.json").write_text(json.dumps(training))


def write_npy(file: Path, rows: list[list[float]]) -> None:
    """Write a matrix of 32-bit floats as NumPy does, without NumPy."""
    shape = (len(rows), len(rows[0]))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    values = [value for row in rows for value in row]
    file.write_bytes(
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", len(header))
        + header.encode()
        + struct.pack(f"<{len(values)}f", *values)
    )


def run_block(block: Block, work: Path, programs: Path, address: str) -> str:
    """Run a block; returns what was wrong, or nothing."""
    text = block.text.replace("localhost:8080", address).replace("target/release/faceplane", "faceplane")
    if block.language == "sh":
        text = "".join(f"{command}\n" for command in commands(text) if not is_left_out(block, command))
    interpreter = {"sh": ["bash", "-e"], "python": [sys.executable]}[block.language]
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    started = time.time()
    try:
        result = subprocess.run(
            interpreter,
            input=text.encode(),
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS_PER_BLOCK,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not finished after {SECONDS_PER_BLOCK} s"
    if result.returncode != 0:
        return f"exit status {result.returncode}\n{text}{result.stdout[-2000:].decode(errors='replace')}"
    return "".join(
        f"{file.name} begins with {start!r}"
        for file in work.rglob("*")
        if file.is_file() and file.stat().st_mtime >= started
        for start in [file.read_bytes()[:8]]
        if not start.startswith(BEGINNINGS.get(file.suffix, b""))
    )


def wait_for_jobs(address: str) -> str:
    """Wait until all jobs have ended: their boundaries change the model. Returns what was wrong, or nothing."""
    deadline = time.monotonic() + SECONDS_PER_BLOCK
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://{address}/v1/jobs") as response:
            statuses = {job["status"] for job in json.load(response)["jobs"]}
        if statuses <= {"done", "failed", "cancelled"}:
            return ""
        time.sleep(0.1)
    return f"a job has not ended after {SECONDS_PER_BLOCK} s"


def commands(text: str) -> Iterator[str]:
    """The commands of a block of shell: one a line, but for lines that go on."""
    command = ""
    for line in text.splitlines():
        command += line + "\n"
        if not line.endswith("\\") and command.count("'") % 2 == 0:
            yield command.rstrip("\n")
            command = ""
    if command:
        yield command


def is_left_out(block: Block, command: str) -> bool:
    """Tells whether a command does not run here, and prints why."""
    for beginning, reason in LEFT_OUT.items():
        if command.startswith(beginning):
            print(f"{block.document.name}:{block.line}: left out, {reason}: {command.splitlines()[0]}")
            return True
    return False


@contextmanager
def service(program: Path, log: Path) -> Iterator[str]:
    """A service with both models: its host and port. It has no store, as with `make serve`: the first job is 1."""
    options = ["--listen", "127.0.0.1:0", "--model", str(ROOT / "onnx" / "portraits")]
    with log.open("w") as output:
        process = subprocess.Popen([program, "serve", *options], stdout=output, stderr=output)
    try:
        yield wait_until_ready(process, log)
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the service is ready; returns the host and port that its log names then."""
    while process.poll() is None:
        if found := re.search(r"ready on http://([\d.:]+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    sys.exit(f"{log.read_text()}\nrecipes: the service stopped before it was ready")


if __name__ == "__main__":
    main()
