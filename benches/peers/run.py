#!/usr/bin/env python3
"""Measures the service, the bare loop and the peers: runs `cargo bench` with the peers from a virtual environment.

    benches/peers/run.py [--peers fastapi,litserve,mosec,bentoml] [--model pggan] [OPTION OF THE BENCH …]

pip installs the peers into target/peers, pinned by the hashes in requirements.txt.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / "target" / "peers"
PYTHON = VENV / "bin" / "python"
PEERS = {
    "fastapi": f"FastAPI=/sample {PYTHON} {HERE}/with_fastapi.py",
    "litserve": f"LitServe=/sample {PYTHON} {HERE}/with_litserve.py",
    "mosec": f"mosec=/inference {PYTHON} {HERE}/with_mosec.py",
    "bentoml": f"BentoML=/sample {HERE}/with_bentoml.sh {PYTHON}",
}


def install() -> None:
    """Makes the virtual environment unless its copy of requirements.txt, written last, is up to date."""
    pins, installed = HERE / "requirements.txt", VENV / "requirements.txt"
    if installed.is_file() and installed.read_bytes() == pins.read_bytes():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run(
        [
            PYTHON,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--require-hashes",
            "--only-binary=:all:",
            "--requirement",
            pins,
        ],
        check=True,
    )
    shutil.copy(pins, installed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers, separated by commas")
    parser.add_argument("--model", choices=["phantom", "pggan"], default="phantom")
    arguments, rest = parser.parse_known_args()
    install()
    options = ["--python", str(PYTHON)]
    if arguments.model == "pggan":
        folder = ROOT / "target" / "bench" / "pggan"
        if not (folder / "manifest.toml").is_file():
            subprocess.run([PYTHON, HERE.parent / "models" / "pggan.py", folder], check=True)
        options += ["--model", str(folder)]
    for name in filter(None, arguments.peers.split(",")):
        options += ["--peer", PEERS[name]]
    cargo = [os.environ.get("CARGO", "cargo"), "bench", "--locked", "--bench", "serving", "--"]
    sys.exit(subprocess.run(cargo + options + rest, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
