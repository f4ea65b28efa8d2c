#!/usr/bin/env python3
"""Measure the service beside the bare loop and the peers: `cargo bench`, with the peers in a folder of their own.

    benches/peers/run.py [--peers fastapi,litserve,mosec,bentoml] [--model pggan] [OPTION OF THE BENCH …]

The peers come from the registry that pip is set up for, pinned by the hashes in requirements.txt, into target/peers.
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


def install():
    """Makes the folder, unless what is in it is what requirements.txt says; its copy is written last."""
    wanted, found = HERE / "requirements.txt", VENV / "requirements.txt"
    if found.is_file() and found.read_bytes() == wanted.read_bytes():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run(
        [
            PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
            "--require-hashes", "--only-binary=:all:", "--requirement", wanted,
        ],
        check=True,
    )
    shutil.copy(wanted, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers, separated by commas")
    parser.add_argument("--model", choices=["phantom", "pggan"], default="phantom")
    chosen, rest = parser.parse_known_args()
    install()
    arguments = ["--python", str(PYTHON)]
    if chosen.model == "pggan":
        folder = ROOT / "target" / "bench" / "pggan"
        if not (folder / "manifest.toml").is_file():
            subprocess.run([PYTHON, HERE.parent / "models" / "pggan.py", folder], check=True)
        arguments += ["--model", str(folder)]
    for name in filter(None, chosen.peers.split(",")):
        arguments += ["--peer", PEERS[name]]
    cargo = [os.environ.get("CARGO", "cargo"), "bench", "--locked", "--bench", "serving", "--"]
    sys.exit(subprocess.run(cargo + arguments + rest, cwd=ROOT).returncode)


main()
