"""Generates four clients from the OpenAPI document and lets each call every operation of a running service."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / ".tools" / "clients"
PROGRAMS = TOOLS / "bin"
NODE_PROGRAMS = TOOLS / "node_modules" / ".bin"
BUILD = ROOT / "target" / "clients"
GENERATED = BUILD / "generated"

CLIENTS: dict[str, tuple[str | Path, Path]] = {
    "openapi-fetch": ("node", BUILD / "built" / "openapi_fetch.js"),
    "typescript-fetch": ("node", BUILD / "built" / "typescript_fetch.js"),
    "openapi-python-client": (PROGRAMS / "python", HERE / "httpx_client.py"),
    "openapi-generator": (PROGRAMS / "python", HERE / "urllib3_client.py"),
}

SECONDS_TO_STOP = 10


def main() -> None:
    """Generate all clients and run their checks."""
    program, document = sys.argv[1], Path(sys.argv[2]).resolve()
    run(PROGRAMS / "openapi-spec-validator", document)
    generate(document)
    compile_typescript()
    results = [run_client(name, program, document) for name in CLIENTS]
    passed, failed = (sum(column) for column in zip(*results, strict=True))
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def generate(document: Path) -> None:
    """Generate the clients. A warning is a failure too, where the generator tells them apart from other output."""
    shutil.rmtree(BUILD, ignore_errors=True)
    httpx = GENERATED / "openapi-python-client"
    httpx.mkdir(parents=True)
    run(NODE_PROGRAMS / "openapi-typescript", document, output=GENERATED / "openapi-typescript.ts")
    openapi_generator(document, "typescript-fetch", "importFileExtension=.js")
    openapi_generator(document, "python", "packageName=faceplane_urllib3")
    run(
        PROGRAMS / "openapi-python-client",
        "generate",
        "--fail-on-warning",
        path=document,
        config=HERE / "openapi-python-client.yaml",
        meta="none",
        output_path=httpx / "faceplane_httpx",
    )


def openapi_generator(document: Path, name: str, properties: str) -> None:
    """Generate a client with openapi-generator, without tests and pages.

    By default its TypeScript imports the types of forms but does not contain them: skipFormModel=false adds them.
    """
    run(
        PROGRAMS / "openapi-generator-cli",
        "generate",
        input_spec=document,
        generator_name=name,
        output=GENERATED / name,
        additional_properties=properties,
        global_property="skipFormModel=false,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
    )


def compile_typescript() -> None:
    """Compile the TypeScript clients and the programs that use them."""
    for source in [*HERE.glob("*.ts"), HERE / "tsconfig.json", HERE / "package.json"]:
        shutil.copy(source, BUILD)
    (BUILD / "node_modules").symlink_to(TOOLS / "node_modules")
    run(NODE_PROGRAMS / "tsc", project=BUILD)


def run(program: str | Path, *arguments: str | Path, **options: str | Path) -> None:
    """Run a program in silence, with options such as `output_path=x` for `--output-path x`.

    If it fails, print its output and end.
    """
    command = [program, *arguments]
    for option, value in options.items():
        command += [f"--{option.replace('_', '-')}", value]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}\nclients: {Path(program).name} failed")


def run_client(name: str, program: str, document: Path) -> tuple[int, int]:
    """Run the checks of a client; returns how many passed and failed, each operation of the document counted as one."""
    log = BUILD / f"{name}.log"
    packages = f"{GENERATED / 'openapi-python-client'}:{GENERATED / 'python'}"
    with service(program, log) as (url, key):
        environment = os.environ | {"PYTHONPATH": packages, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        result = subprocess.run(
            [*CLIENTS[name], url, key], env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
    print(f"\n{name}\n{result.stdout}", end="")
    counts = re.search(r"^(\d+) passed, (\d+) failed$", result.stdout, re.MULTILINE)
    passed, failed = (int(counts[1]), int(counts[2])) if counts else (0, 1)

    answered = successes(log)
    for operation, pattern in operations(document).items():
        if any(pattern.fullmatch(request) for request in answered):
            passed += 1
        else:
            failed += 1
            print(f"FAILED: no call of {operation} had success")
    return passed, failed


@contextmanager
def service(program: str, log: Path) -> Iterator[tuple[str, str]]:
    """Run the service with two models, an empty store and a key; gives its address and the key."""
    settings = {"FACEPLANE_LOG": "faceplane=debug", "FACEPLANE_LOG_FORMAT": "json"}
    new_key = [program, "key", "new", "--name", "client", "--scope", "admin"]
    made = subprocess.run(new_key, capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder, log.open("w") as output:
        keys = Path(folder) / "api-keys"
        keys.write_text(made.stdout)
        options: list[str | Path] = [
            "--model",
            ROOT / "onnx/portraits",
            "--store",
            f"{folder}/store",
            "--api-keys",
            keys,
        ]
        command = [program, "serve", "--listen", "127.0.0.1:0", *options]
        process = subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=output)
        try:
            yield address(process, log), made.stderr.strip()
        finally:
            process.terminate()
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the service is ready; returns the address that its log names then."""
    while process.poll() is None:
        if found := re.search(r"ready on (http://[\d.:]+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    sys.exit(f"{log.read_text()}\nclients: the service stopped before it was ready")


def operations(document: Path) -> dict[str, re.Pattern[str]]:
    """The operations of the document, and a pattern for the requests to each, both as `METHOD path`."""
    paths = json.loads(document.read_text())["paths"]
    names = [f"{method.upper()} {path}" for path, item in paths.items() for method in item if method != "parameters"]
    return {name: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name))) for name in names}


def successes(log: Path) -> set[str]:
    """The requests, as `METHOD path`, that the service answered with success by its own log."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    answered = [line for line in lines if line["message"] == "request" and str(line.get("status")).startswith("2")]
    return {f"{line['method']} {line['path']}" for line in answered}


if __name__ == "__main__":
    main()
