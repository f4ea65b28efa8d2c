#!/usr/bin/env python3
"""Write the software bill of materials: what a program of one target is made of, as CycloneDX 1.5.

    release/sbom.py --target TARGET --features "A B" --onnxruntime FOLDER [--program FILE] --output FILE

cargo-cyclonedx (CARGO_CYCLONEDX names it) lists the Rust packages; this program adds ONNX Runtime's libraries and the
models, each file with its SHA-256, and the program itself. With SOURCE_DATE_EPOCH set, the same
input gives the same bytes.

Needs Python 3.9 or later, and git.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
# cargo-cyclonedx writes beside Cargo.toml, and appends .json.
SCRATCH = "faceplane-sbom"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--target", required=True)
    parser.add_argument("--features", required=True)
    parser.add_argument("--onnxruntime", type=Path, required=True, help="the folder that fetch.py wrote")
    parser.add_argument("--program", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()

    bill = rust_packages(arguments.target, arguments.features)
    root = bill["metadata"]["component"]
    if arguments.program:
        root["hashes"] = hashes(arguments.program)
    components = [onnxruntime(arguments.onnxruntime), *models()]
    bill["components"] += components
    for dependency in bill["dependencies"]:
        if dependency["ref"] == root["bom-ref"]:
            dependency.setdefault("dependsOn", []).extend(part["bom-ref"] for part in components)
    bill["dependencies"] += [{"ref": part["bom-ref"]} for part in components]

    # Local paths name this machine's folders.
    text = json.dumps(bill, indent=2, ensure_ascii=False).replace(REPOSITORY.as_uri(), "file:///faceplane")
    written = arguments.output.with_name(arguments.output.name + ".part")
    written.write_text(text + "\n", encoding="utf-8")
    written.replace(arguments.output)
    print(f"{arguments.output}: {len(bill['components'])} components")
    return 0


def rust_packages(target: str, features: str) -> dict[str, Any]:
    """What cargo-cyclonedx says about the packages of this target."""
    program = os.environ.get("CARGO_CYCLONEDX", "cargo-cyclonedx")
    command = [program, "cyclonedx", "--quiet", "--manifest-path", str(REPOSITORY / "Cargo.toml"), "--format", "json"]
    command += ["--spec-version", "1.5", "--target", target, "--features", features.replace(" ", ",")]
    command += ["--override-filename", SCRATCH]
    file = REPOSITORY / f"{SCRATCH}.json"
    try:
        subprocess.run(command, check=True)
        bill: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    finally:
        file.unlink(missing_ok=True)
    return bill


def onnxruntime(folder: Path) -> dict[str, Any]:
    """ONNX Runtime, with its libraries as files."""
    pins = (REPOSITORY / "docker/onnxruntime/requirements.txt").read_text(encoding="utf-8")
    pin = re.search(r"^onnxruntime==(\S+)", pins, re.MULTILINE)
    if pin is None:
        raise SystemExit("found no line onnxruntime==VERSION in docker/onnxruntime/requirements.txt, expected one")
    reference = f"pkg:pypi/onnxruntime@{pin[1]}"
    return {
        "type": "library",
        "bom-ref": reference,
        "name": "onnxruntime",
        "version": pin[1],
        "licenses": [{"license": {"id": "MIT"}}],
        "purl": reference,
        "components": files(sorted(folder.glob("*.so")), folder, reference),
    }


def models() -> list[dict[str, Any]]:
    """The models of the repository, with their files as git has them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "onnx/phantom", "onnx/portraits"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    found = []
    for name in ("phantom", "portraits"):
        folder = REPOSITORY / "onnx" / name
        reference = f"model:{name}"
        parts = sorted(
            path
            for path in paths
            if folder in path.parents and path.suffix in {".onnx", ".npy", ".npz", ".json", ".toml"}
        )
        found.append(
            {
                "type": "machine-learning-model",
                "bom-ref": reference,
                "name": name,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "components": files(parts, folder, reference),
            }
        )
    return found


def files(paths: list[Path], folder: Path, reference: str) -> list[dict[str, Any]]:
    """Files as components. An empty list is an error: the bill would leave something out."""
    if not paths:
        raise SystemExit(f"found no files in {folder}, expected those of {reference}")
    return [
        {
            "type": "file",
            "bom-ref": f"{reference}#{path.relative_to(folder)}",
            "name": str(path.relative_to(folder)),
            "hashes": hashes(path),
        }
        for path in paths
    ]


def hashes(path: Path) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


if __name__ == "__main__":
    sys.exit(main())
