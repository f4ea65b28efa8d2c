"""Batch work into a bucket of S3: the files are those of a folder, whatever is killed and whatever fails."""

import signal
import subprocess
import time
from pathlib import Path

import boto3
from outage import Mode, Outage

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = "--seeds=0-1023"


class Objects:
    """The objects of a moto server below a prefix."""

    def __init__(self, port: int, bucket: str, prefix: str) -> None:
        self.bucket = boto3.resource("s3", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}").Bucket(
            bucket
        )
        self.prefix = f"{prefix}/"

    def listed(self) -> list[str]:
        """The keys, without the prefix."""
        found = self.bucket.objects.filter(Prefix=self.prefix)
        return [one.key.removeprefix(self.prefix) for one in found]

    def read(self, key: str) -> bytes:
        """The content of an object."""
        content: bytes = self.bucket.Object(self.prefix + key).get()["Body"].read()
        return content


def start(program: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    """Starts the program in the repository."""
    return subprocess.Popen([str(program), *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)


def run(program: Path, arguments: list[str]) -> None:
    """Runs the program, which must succeed."""
    code = start(program, arguments).wait()
    if code != 0:
        raise SystemExit(f"{arguments[0]} ended with {code}")


def batch(model: list[str], output: str, more: list[str]) -> list[str]:
    """The arguments of a batch."""
    return ["batch", *model, "--threads=1", SEEDS, "--pictures=webp", f"--output={output}", *more]


def until_written(objects: Objects, key: str, shard: subprocess.Popen[bytes]) -> None:
    """Waits for an object that a shard writes."""
    while key not in objects.listed():
        if shard.poll() not in (None, 0):
            raise SystemExit(f"a shard ended with {shard.returncode} before {key} was there")
        time.sleep(0.05)


def in_a_bucket(program: Path, url: str, objects: Objects, proxy: Outage, folder: Path) -> None:
    """Compares a batch in a bucket, with a kill and an outage, with the same batch in a folder."""
    model = ["--model=onnx/portraits"]
    whole = folder / "whole"
    run(program, batch(model, str(whole), []))
    expected = {str(file.relative_to(whole)): file.read_bytes() for file in whole.rglob("*") if file.is_file()}

    killed = start(program, batch(model, url, ["--shard=1/2"]))
    until_written(objects, "parts/seeds0000000000.npz", killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    if any(f"parts/seeds{start:010}.npz" not in objects.listed() for start in (0, 512)):
        print("  a shard was killed before its end")
    second = start(program, batch(model, url, ["--shard=2/2"]))
    # Only a shard that has begun waits for its bucket.
    until_written(objects, "pictures/0/seed256.webp", second)
    proxy.switch(Mode.REFUSE)
    time.sleep(4)
    proxy.switch(Mode.FORWARD)
    shards = [second, start(program, batch(model, url, ["--shard=1/2"]))]
    if codes := [code for code in (shard.wait() for shard in shards) if code != 0]:
        raise SystemExit(f"shards ended with {codes}")
    found = {key: objects.read(key) for key in objects.listed()}
    if found != expected:
        differing = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
        raise SystemExit(f"files of the bucket differ from those of the folder: {differing[:5]}")
    print(f"  a batch in the bucket has the {len(found)} files of one in a folder, after a kill and an outage")

    for samples, output in ((url, "of-bucket"), (str(whole), "of-folder")):
        run(
            program,
            ["train-boundary", "--latents", samples, "--attribute=smile", "--output", str(folder / output)],
        )
    normals = [(folder / output / "smile_w.npy").read_bytes() for output in ("of-bucket", "of-folder")]
    if normals[0] != normals[1]:
        raise SystemExit("a boundary of the samples in the bucket differs from one of those in the folder")

    store = f"{url}-store"
    run(program, ["publish", "onnx/portraits", f"--store={store}"])
    stored = folder / "stored"
    run(program, batch([f"--store={store}", "--model=portraits"], str(stored), ["--shard=1/4"]))
    part = "parts/seeds0000000000.npz"
    if (stored / part).read_bytes() != expected[part]:
        raise SystemExit("a model of the store gives other codes or scores than its folder")
    print("  boundaries are trained from it, and a model of the store makes the same faces")
